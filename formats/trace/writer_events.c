/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * EVENTS: a few bytes for each, appended to columns.
 *
 * This runs for every allocation of the profiled program, so an event costs a
 * comparison for room, one for "same thread, same tick", and the stores. A
 * column's memory grows by doubling until the columns together hold a block.
 */
#include "formats/trace/writer.h"

#include <stdlib.h>

#include "formats/trace/writer_internal.h"

enum { OPERATIONS, CLASSES, THREADS, TICKS, AGES };

/* The most that one call appends: TICKS, THREAD and a deallocation. */
#define EVENT_BYTES_MAX 64
/* The most that stands before the columns. */
#define EVENTS_HEAD_MAX ((size_t)(4 + TRACE_EVENT_COLUMNS) * TRACE_VARINT_MAX)
#define FIRST_CAPACITY  (16u << 10)

static inline size_t used(const struct trace_event_columns *events)
{
	size_t sum = 0;

	for (unsigned i = 0; i < TRACE_EVENT_COLUMNS; i++)
		sum += (size_t)(events->at[i] - events->start[i]);
	return sum;
}

static int grow(struct trace_writer *writer)
{
	struct trace_event_columns *events = &writer->events;
	size_t capacity = events->capacity ? events->capacity * 2 : FIRST_CAPACITY;

	for (unsigned i = 0; i < TRACE_EVENT_COLUMNS; i++) {
		size_t length = events->start[i] ? (size_t)(events->at[i] - events->start[i]) : 0;
		uint8_t *grown = realloc(events->start[i], capacity);

		if (!grown)
			return trace_writer_fail(writer, ERROR_MEMORY);
		events->start[i] = grown;
		events->at[i] = grown + length;
	}
	events->capacity = capacity;
	events->room = capacity - EVENTS_HEAD_MAX - EVENT_BYTES_MAX;
	return 0;
}

__attribute__((noinline)) static int make_room(struct trace_writer *writer)
{
	if (writer->events.capacity < TRACE_BLOCK_BYTES)
		return grow(writer);
	return trace_writer_flush_through(writer, TRACE_BLOCK_EVENTS);
}

/* Another thread, or later: says so in the columns. */
__attribute__((noinline)) static void change(struct trace_event_columns *events, uint64_t tick,
					     uint32_t thread)
{
	if (tick < events->tick)
		tick = events->tick;
	if (events->thread == 0) {
		events->first_tick = tick;
		events->first_thread = thread;
	} else {
		if (tick != events->tick) {
			*events->at[OPERATIONS]++ = TRACE_OPERATION_TICKS;
			events->at[TICKS] =
			    trace_put_varint(events->at[TICKS], tick - events->tick);
		}
		if (thread != events->thread) {
			*events->at[OPERATIONS]++ = TRACE_OPERATION_THREAD;
			events->at[THREADS] = trace_put_varint(events->at[THREADS], thread);
		}
	}
	events->tick = tick;
	events->thread = thread;
}

static inline int begin(struct trace_writer *writer, uint64_t tick, uint32_t thread)
{
	struct trace_event_columns *events = &writer->events;

	if (writer->error)
		return writer->error;
	if (thread - 1 >= writer->threads || tick > INT64_MAX)
		return ERROR_DAMAGED;
	if (used(events) >= events->room) {
		int error = make_room(writer);

		if (error)
			return error;
	}
	if (tick > events->tick || thread != events->thread)
		change(events, tick, thread);
	return 0;
}

int trace_writer_allocation(struct trace_writer *writer, uint64_t tick, uint32_t thread,
			    uint32_t class_id, int realloc_half)
{
	struct trace_event_columns *events = &writer->events;
	int error;

	if (class_id - 1 >= writer->classes)
		return writer->error ? writer->error : ERROR_DAMAGED;
	error = begin(writer, tick, thread);
	if (error)
		return error;
	*events->at[OPERATIONS]++ =
	    TRACE_OPERATION_ALLOCATION | (realloc_half ? TRACE_OPERATION_REALLOC : 0);
	events->at[CLASSES] = trace_put_varint(events->at[CLASSES], class_id);
	return 0;
}

int trace_writer_deallocation(struct trace_writer *writer, uint64_t tick, uint32_t thread,
			      const struct trace_deallocation *deallocation)
{
	struct trace_event_columns *events = &writer->events;
	unsigned operation = TRACE_OPERATION_DEALLOCATION;
	uint64_t age;
	int error;

	if (deallocation->class_id - 1 >= writer->classes ||
	    deallocation->allocating_thread - 1 >= writer->threads)
		return writer->error ? writer->error : ERROR_DAMAGED;
	error = begin(writer, tick, thread);
	if (error)
		return error;
	if (deallocation->realloc)
		operation |= TRACE_OPERATION_REALLOC;
	if (deallocation->allocating_thread != thread) {
		operation |= TRACE_OPERATION_OTHER_THREAD;
		events->at[THREADS] =
		    trace_put_varint(events->at[THREADS], deallocation->allocating_thread);
	}
	/* No block is older than the trace. */
	age = deallocation->age_ticks < events->tick ? deallocation->age_ticks : events->tick;
	*events->at[OPERATIONS]++ = (uint8_t)operation;
	events->at[CLASSES] = trace_put_varint(events->at[CLASSES], deallocation->class_id);
	events->at[TICKS] = trace_put_varint(events->at[TICKS], age);
	events->at[AGES] = trace_put_varint(events->at[AGES], deallocation->age_allocations);
	return 0;
}

int trace_writer_unknown_free(struct trace_writer *writer, uint64_t tick, uint32_t thread,
			      int inherited)
{
	int error = begin(writer, tick, thread);

	if (error)
		return error;
	*writer->events.at[OPERATIONS]++ =
	    inherited ? TRACE_OPERATION_INHERITED_FREE : TRACE_OPERATION_UNKNOWN_FREE;
	return 0;
}

int trace_writer_flush_events(struct trace_writer *writer)
{
	struct trace_event_columns *events = &writer->events;
	size_t length[TRACE_EVENT_COLUMNS];
	uint8_t *payload, *at;
	int error;

	if (writer->error || events->thread == 0)
		return writer->error;
	payload = malloc(EVENTS_HEAD_MAX + used(events));
	if (!payload)
		return trace_writer_fail(writer, ERROR_MEMORY);
	for (unsigned i = 0; i < TRACE_EVENT_COLUMNS; i++)
		length[i] = (size_t)(events->at[i] - events->start[i]);
	at = trace_put_varint(payload, length[OPERATIONS]);
	at = trace_put_varint(at, events->first_thread);
	at = trace_put_varint(at, events->first_tick);
	at = trace_put_varint(at, TRACE_EVENT_COLUMNS);
	for (unsigned i = 0; i < TRACE_EVENT_COLUMNS; i++)
		at = trace_put_varint(at, length[i]);
	for (unsigned i = 0; i < TRACE_EVENT_COLUMNS; i++) {
		memcpy(at, events->start[i], length[i]);
		at += length[i];
		events->at[i] = events->start[i];
	}
	events->thread = 0;
	error = trace_block_write(&writer->blocks, TRACE_BLOCK_EVENTS, events->first_tick, payload,
				  (size_t)(at - payload));
	free(payload);
	return error ? trace_writer_fail(writer, error) : 0;
}

void trace_writer_release_events(struct trace_writer *writer)
{
	for (unsigned i = 0; i < TRACE_EVENT_COLUMNS; i++)
		free(writer->events.start[i]);
}
