/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * EVENTS: what happened, appended to columns.
 *
 * This runs for every allocation of the profiled program. Most operations are
 * what guess.h expects and only lengthen a run; so the columns are small, and
 * cost little to compress, too. A deallocation of a block that was allocated
 * in the same EVENTS block says which one, by how many allocations came since
 * or by how far it is from the last such one, whichever was guessed or is
 * the smaller number: class, thread and ages follow from that.
 */
#include "formats/trace/writer.h"

#include <stdlib.h>

#include "formats/trace/writer_internal.h"

enum {
	OPERATIONS = TRACE_COLUMN_OPERATIONS,
	RUNS = TRACE_COLUMN_RUNS,
	CLASSES = TRACE_COLUMN_CLASSES,
	THREADS = TRACE_COLUMN_THREADS,
	TICKS = TRACE_COLUMN_TICKS,
	AGES = TRACE_COLUMN_AGES,
	STEPS = TRACE_COLUMN_STEPS,
	LOW = TRACE_COLUMN_LOW,
	LARGE = TRACE_COLUMN_LARGE
};

/* The most that one call adds: TICKS, THREAD and a deallocation, with their runs. */
#define CALL_BYTES      128
#define CALL_OPERATIONS 3
/* So few calls are not worth measuring the columns again and again. */
#define CALLS_LEAST 64
/* ... but near a limit of size. */
#define CALLS_LEAST_NEAR 4
#define EVENTS_LEAST     1024
/* The most that stands before the columns. */
#define EVENTS_HEAD_MAX ((size_t)(4 + TRACE_EVENT_COLUMNS) * TRACE_VARINT_MAX)
#define FIRST_CAPACITY  (16u << 10)

/* --- columns -------------------------------------------------------------------- */

__attribute__((noinline)) static void put_long(struct trace_event_columns *events, unsigned column,
					       uint64_t value)
{
	value -= TRACE_SHORT_END;
	if (value < TRACE_LOW_COUNT) {
		*events->at[column]++ = (uint8_t)(TRACE_SHORT_END + (value >> 8));
		*events->at[LOW]++ = (uint8_t)value;
	} else {
		*events->at[column]++ = 255;
		events->at[LARGE] = trace_put_varint(events->at[LARGE], value);
	}
}

static inline void put(struct trace_event_columns *events, unsigned column, uint64_t value)
{
	if (value < TRACE_SHORT_END)
		*events->at[column]++ = (uint8_t)value;
	else
		put_long(events, column, value);
}

static size_t used(const struct trace_event_columns *events)
{
	size_t sum = EVENTS_HEAD_MAX;

	for (unsigned i = 0; i < TRACE_EVENT_COLUMNS; i++)
		sum += (size_t)(events->at[i] - events->start[i]);
	return sum;
}

static int grow(struct trace_writer *writer)
{
	struct trace_event_columns *events = &writer->events;
	size_t capacity = events->capacity ? events->capacity * 2 : FIRST_CAPACITY;

	if (!events->guess)
		events->guess = calloc(1, sizeof(*events->guess));
	if (!events->guess)
		return trace_writer_fail(writer, ERROR_MEMORY);
	for (unsigned i = 0; i < TRACE_EVENT_COLUMNS; i++) {
		size_t length = events->start[i] ? (size_t)(events->at[i] - events->start[i]) : 0;
		uint8_t *grown = realloc(events->start[i], capacity);

		if (!grown)
			return trace_writer_fail(writer, ERROR_MEMORY);
		events->start[i] = grown;
		events->at[i] = grown + length;
	}
	events->capacity = capacity;
	return 0;
}

/* How many calls surely fit as things are. */
static uint32_t measure(const struct trace_event_columns *events, size_t room)
{
	size_t capacity = events->capacity < room ? events->capacity : room;
	size_t bytes = events->start[0] ? used(events) : capacity;
	size_t calls = bytes < capacity ? (capacity - bytes) / CALL_BYTES : 0;
	uint32_t most = (TRACE_WRITER_OPERATIONS - events->operations) / CALL_OPERATIONS;

	return calls < most ? (uint32_t)calls : most;
}

static void count_operations(struct trace_event_columns *events)
{
	events->operations += events->granted - events->left + events->changes;
	events->granted = events->left;
	events->changes = 0;
}

/* Stops where not even a small block would be sure to fit. */
static void stop_near_limit(struct trace_writer *writer)
{
	int number;

	if (trace_writer_events_room(writer, &number) < EVENTS_HEAD_MAX + EVENTS_LEAST)
		trace_writer_stop_events(writer, writer->events.tick, number);
}

__attribute__((noinline)) static int make_room(struct trace_writer *writer)
{
	struct trace_event_columns *events = &writer->events;
	int error = writer->error;

	if (!error && writer->stop.stopped)
		return ERROR_LIMIT;
	count_operations(events);
	while (!error) {
		int number;
		size_t room = trace_writer_events_room(writer, &number);
		uint32_t least = room < TRACE_WRITER_EVENTS_BYTES ? CALLS_LEAST_NEAR : CALLS_LEAST;

		events->left = events->granted = measure(events, room);
		if (events->left >= least)
			break;
		events->left = events->granted = 0;
		if (events->capacity < room &&
		    TRACE_WRITER_OPERATIONS - events->operations >= CALLS_LEAST * CALL_OPERATIONS)
			error = grow(writer);
		else if ((error = trace_writer_flush_through(writer, TRACE_BLOCK_EVENTS)) == 0)
			stop_near_limit(writer);
		if (!error && writer->stop.stopped)
			return ERROR_LIMIT;
	}
	return error;
}

/* --- operations ------------------------------------------------------------------- */

/* A run is known only behind the operations in it, so it must not share LOW and
 * LARGE with their numbers. */
static inline void end_run(struct trace_event_columns *events)
{
	events->at[RUNS] = trace_put_varint(events->at[RUNS], events->run);
	events->run = 0;
}

/* One that is not what was guessed. */
static inline void put_operation(struct trace_event_columns *events, unsigned operation,
				 unsigned column, uint64_t value)
{
	end_run(events);
	*events->at[OPERATIONS]++ = (uint8_t)operation;
	put(events, column, value);
}

/* One whose number belongs into a column. */
static inline void operate(struct trace_event_columns *events, unsigned operation, unsigned column,
			   uint64_t value)
{
	uint32_t symbol = trace_guess_symbol(operation, value);
	uint32_t *slot = trace_guess_slot(events->guess);

	trace_guess_happened(events->guess, symbol);
	if (*slot == symbol && trace_guess_possible(value)) {
		events->run++;
		return;
	}
	if (trace_guess_possible(value))
		*slot = symbol;
	put_operation(events, operation, column, value);
}

/* Another thread, or later: says so in the columns. */
__attribute__((noinline)) static int change(struct trace_event_columns *events, uint64_t tick,
					    uint32_t thread)
{
	if (tick > INT64_MAX)
		return ERROR_DAMAGED;
	if (tick < events->tick)
		tick = events->tick;
	if (events->thread == 0) {
		events->first_tick = events->born = tick;
		events->first_thread = thread;
	} else {
		if (tick != events->tick) {
			put_operation(events, TRACE_OPERATION_TICKS, TICKS, tick - events->tick);
			events->changes++;
		}
		if (thread != events->thread) {
			operate(events, TRACE_OPERATION_THREAD, THREADS, thread);
			events->changes++;
		}
	}
	events->tick = tick;
	events->thread = thread;
	return 0;
}

static inline int begin(struct trace_writer *writer, uint64_t tick, uint32_t thread)
{
	struct trace_event_columns *events = &writer->events;
	int error = 0;

	if (thread - 1 >= writer->threads)
		return writer->error ? writer->error : ERROR_DAMAGED;
	if (events->left == 0)
		error = make_room(writer);
	if (!error && (tick > events->tick || thread != events->thread))
		error = change(events, tick, thread);
	events->left -= !error;
	return error;
}

static inline int allocate(struct trace_writer *writer, uint64_t tick, uint32_t thread,
			   uint32_t class_id, unsigned operation)
{
	int error;

	if (class_id - 1 >= writer->classes)
		return writer->error ? writer->error : ERROR_DAMAGED;
	error = begin(writer, tick, thread);
	if (error)
		return error;
	writer->events.sequence++;
	operate(&writer->events, operation, CLASSES, class_id);
	return 0;
}

int trace_writer_allocation(struct trace_writer *writer, uint64_t tick, uint32_t thread,
			    uint32_t class_id, int realloc_half)
{
	return allocate(writer, tick, thread, class_id,
			realloc_half ? TRACE_OPERATION_REALLOC : TRACE_OPERATION_ALLOCATION);
}

int trace_writer_temporary(struct trace_writer *writer, uint64_t tick, uint32_t thread,
			   uint32_t class_id, int realloc_half)
{
	return allocate(writer, tick, thread, class_id,
			TRACE_OPERATION_TEMPORARY | (realloc_half ? TRACE_OPERATION_REALLOC : 0));
}

/* Of a block of this EVENTS block: by whichever of the two numbers was
 * guessed; else by the smaller. */
static inline void deallocate_recent(struct trace_event_columns *events, uint64_t sequence,
				     unsigned operation)
{
	uint64_t age = events->sequence - sequence;
	uint64_t step = trace_zigzag((int64_t)(sequence - events->recent));
	unsigned column = AGES;
	uint32_t *slot = trace_guess_slot(events->guess);
	uint32_t by_step = trace_guess_symbol(operation | TRACE_OPERATION_STEP, step);
	uint32_t symbol = trace_guess_symbol(operation, age);

	events->recent = sequence;
	/* There are not enough operations in a block for a number too large to guess. */
	if (*slot == symbol || *slot == by_step) {
		trace_guess_happened(events->guess, *slot);
		events->run++;
		return;
	}
	if (step + 1 < age) {
		operation |= TRACE_OPERATION_STEP;
		column = STEPS;
		age = step;
		symbol = by_step;
	}
	*slot = symbol;
	trace_guess_happened(events->guess, symbol);
	put_operation(events, operation, column, age);
}

/* Of a block of an earlier one. */
static void deallocate_old(struct trace_event_columns *events,
			   const struct trace_deallocation *deallocation, unsigned operation)
{
	uint64_t place = events->sequence - events->first - deallocation->age_allocations;
	/* No block is older than the trace. */
	uint64_t born =
	    deallocation->age_ticks < events->tick ? events->tick - deallocation->age_ticks : 0;

	if (deallocation->allocating_thread != events->thread)
		operation |= TRACE_OPERATION_OTHER_THREAD;
	if (place == events->place + 1 && born == events->born)
		operation |= TRACE_OPERATION_NEXT;
	operate(events, operation, CLASSES, deallocation->class_id);
	if (operation & TRACE_OPERATION_OTHER_THREAD)
		put(events, THREADS, deallocation->allocating_thread);
	if (!(operation & TRACE_OPERATION_NEXT)) {
		put(events, TICKS, trace_zigzag((int64_t)(born - events->born)));
		put(events, AGES, trace_zigzag((int64_t)(place - events->place)));
	}
	events->place = place;
	events->born = born;
}

int trace_writer_deallocation(struct trace_writer *writer, uint64_t tick, uint32_t thread,
			      const struct trace_deallocation *deallocation)
{
	struct trace_event_columns *events = &writer->events;
	unsigned realloc_half = deallocation->realloc ? TRACE_OPERATION_REALLOC : 0;
	int error;

	if (deallocation->class_id - 1 >= writer->classes ||
	    deallocation->allocating_thread - 1 >= writer->threads)
		return writer->error ? writer->error : ERROR_DAMAGED;
	error = begin(writer, tick, thread);
	if (error)
		return error;
	if (deallocation->sequence > events->first)
		deallocate_recent(events, deallocation->sequence,
				  TRACE_OPERATION_RECENT | realloc_half);
	else
		deallocate_old(events, deallocation, TRACE_OPERATION_DEALLOCATION | realloc_half);
	return 0;
}

int trace_writer_unknown_free(struct trace_writer *writer, uint64_t tick, uint32_t thread,
			      int inherited)
{
	int error = begin(writer, tick, thread);
	struct trace_event_columns *events = &writer->events;
	unsigned operation =
	    inherited ? TRACE_OPERATION_INHERITED_FREE : TRACE_OPERATION_UNKNOWN_FREE;
	uint32_t *slot;

	if (error)
		return error;
	slot = trace_guess_slot(events->guess);
	trace_guess_happened(events->guess, operation);
	if (*slot == operation) {
		events->run++;
		return 0;
	}
	*slot = operation;
	end_run(events);
	*events->at[OPERATIONS]++ = (uint8_t)operation;
	return 0;
}

/* --- blocks ------------------------------------------------------------------------- */

static void start_block(struct trace_event_columns *events)
{
	for (unsigned i = 0; i < TRACE_EVENT_COLUMNS; i++)
		events->at[i] = events->start[i];
	events->thread = 0;
	events->left = events->granted = events->operations = events->changes = 0;
	events->first = events->recent = events->sequence;
	events->place = 0;
	memset(events->guess, 0, sizeof(*events->guess));
}

int trace_writer_flush_events(struct trace_writer *writer)
{
	struct trace_event_columns *events = &writer->events;
	uint8_t *payload, *at;
	int error;

	if (writer->error || events->thread == 0)
		return writer->error;
	count_operations(events);
	end_run(events);
	payload = malloc(used(events));
	if (!payload)
		return trace_writer_fail(writer, ERROR_MEMORY);
	at = trace_put_varint(payload, events->operations);
	at = trace_put_varint(at, events->first_thread);
	at = trace_put_varint(at, events->first_tick);
	at = trace_put_varint(at, TRACE_EVENT_COLUMNS);
	for (unsigned i = 0; i < TRACE_EVENT_COLUMNS; i++)
		at = trace_put_varint(at, (uint64_t)(events->at[i] - events->start[i]));
	for (unsigned i = 0; i < TRACE_EVENT_COLUMNS; i++) {
		size_t length = (size_t)(events->at[i] - events->start[i]);

		memcpy(at, events->start[i], length);
		at += length;
	}
	start_block(events);
	error = trace_writer_put_block(writer, TRACE_BLOCK_EVENTS, TRACE_FLAG_GUESSED,
				       events->first_tick, payload, (size_t)(at - payload));
	free(payload);
	return error;
}

void trace_writer_release_events(struct trace_writer *writer)
{
	for (unsigned i = 0; i < TRACE_EVENT_COLUMNS; i++)
		free(writer->events.start[i]);
	free(writer->events.guess);
}
