/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * EVENTS: what happened, appended to columns.
 *
 * This runs for every allocation of the profiled program. Most operations are
 * what guess.h expects and only lengthen a run; so the columns are small, and
 * cost little to compress, too.
 *
 * A deallocation can be said in two ways. Of a block that is among the last
 * TRACE_RECENT allocations it says which one, by how many allocations came since
 * or by how far it is from the last such one, whichever was guessed or is
 * the smaller number: class, thread and ages follow from that. Of an older one it
 * says class and tick of birth, and no more: which block of those it was nobody
 * could guess (a hash table is torn down in no order that we know), so telling
 * them apart was half of the trace, and nothing reads it.
 */
#include "formats/trace/writer.h"

#include <errno.h>
#include <stdlib.h>

#include "formats/trace/writer_internal.h"

enum {
	OPERATIONS = TRACE_COLUMN_OPERATIONS,
	OTHERS = TRACE_COLUMN_OTHERS,
	RUNS = TRACE_COLUMN_RUNS,
	CLASSES = TRACE_COLUMN_CLASSES,
	THREADS = TRACE_COLUMN_THREADS,
	TICKS = TRACE_COLUMN_TICKS,
	AGES = TRACE_COLUMN_AGES,
	STEPS = TRACE_COLUMN_STEPS,
	BIRTH_RUNS = TRACE_COLUMN_BIRTH_RUNS,
	BIRTHS = TRACE_COLUMN_BIRTHS
};

/* The most that one call adds: TICKS, THREAD and a deallocation, with their runs. */
#define CALL_BYTES      128
#define CALL_OPERATIONS 3
/* So few calls are not worth measuring the columns again and again. */
#define CALLS_LEAST 64
/* ... but near a limit of size. */
#define CALLS_LEAST_NEAR 4
#define EVENTS_LEAST     1024
/* The most that stands before the columns, and the last runs. */
#define EVENTS_HEAD_MAX ((size_t)(2 + TRACE_EVENT_COLUMNS) * 5 + 2 * TRACE_VARINT_MAX)
#define FIRST_CAPACITY  (16u << 10)

/* --- columns -------------------------------------------------------------------- */

static inline void put_varint(struct trace_event_columns *events, unsigned column, uint64_t value)
{
	events->at[column] = trace_put_varint(events->at[column], value);
}

__attribute__((noinline)) static void put_long(struct trace_event_columns *events, unsigned column,
					       uint64_t value)
{
	value -= TRACE_SHORT_END;
	if (value < TRACE_LOW_COUNT) {
		*events->at[column]++ = (uint8_t)(TRACE_SHORT_END + (value >> 8));
		*events->at[column + 1]++ = (uint8_t)value;
	} else {
		*events->at[column]++ = 255;
		put_varint(events, column + 2, value);
	}
}

static inline void put_number(struct trace_event_columns *events, unsigned column, uint64_t value)
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
		return ERROR_MEMORY;
	for (unsigned i = 0; i < TRACE_EVENT_COLUMNS; i++) {
		size_t length = events->start[i] ? (size_t)(events->at[i] - events->start[i]) : 0;
		uint8_t *grown = realloc(events->start[i], capacity);

		if (!grown)
			return ERROR_MEMORY;
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

/* Returns 1 when the columns are larger now. Without memory they will do as they are, but not when
 * there is nothing in them to write out first. */
static int widen(struct trace_writer *writer, size_t room)
{
	const struct trace_event_columns *events = &writer->events;

	if (events->capacity >= room ||
	    TRACE_WRITER_OPERATIONS - events->operations < CALLS_LEAST * CALL_OPERATIONS)
		return 0;
	if (grow(writer) == 0)
		return 1;
	if (!events->thread)
		trace_writer_stop_events(writer, events->tick, ENOMEM);
	return 0;
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
		if (widen(writer, room))
			continue;
		if ((error = trace_writer_flush_through(writer, TRACE_BLOCK_EVENTS)) == 0)
			stop_near_limit(writer);
		if (!error && writer->stop.stopped)
			return ERROR_LIMIT;
	}
	return error;
}

/* --- operations ------------------------------------------------------------------- */

/* One that is not what was guessed. */
static inline void put_operation(struct trace_event_columns *events, unsigned operation)
{
	unsigned kind = operation < TRACE_OPERATION_SHORT_END ? operation : TRACE_OPERATION_OTHER;

	if (events->run < TRACE_RUN_LONG) {
		*events->at[OPERATIONS]++ = (uint8_t)(kind | events->run << TRACE_RUN_SHIFT);
	} else {
		*events->at[OPERATIONS]++ = (uint8_t)(kind | TRACE_RUN_LONG << TRACE_RUN_SHIFT);
		put_varint(events, RUNS, events->run - TRACE_RUN_LONG);
	}
	events->run = 0;
	if (kind == TRACE_OPERATION_OTHER)
		*events->at[OTHERS]++ = (uint8_t)operation;
}

/* What happened is not what was guessed first. Returns 1 when its number must be
 * written, 0 when the second guess says it. */
static int surprise(struct trace_event_columns *events, unsigned operation, uint64_t number)
{
	struct trace_guess *guess = events->guess;
	uint32_t *first = trace_guess_first(guess, &guess->last);
	uint32_t *second = trace_guess_second(guess, &guess->last);
	uint32_t symbol = trace_guess_symbol(operation, number);
	int guessed = 0;

	if (number < TRACE_GUESS_NUMBER_END) {
		guessed = *second == symbol;
		*first = *second = symbol;
	} else {
		symbol = operation;
	}
	trace_guess_happened(&guess->last, symbol);
	put_operation(events, guessed ? TRACE_OPERATION_SECOND : operation);
	return !guessed;
}

/* Whether it is what was guessed first, which need not be written. */
static inline int is_guessed(struct trace_event_columns *events, uint32_t symbol)
{
	struct trace_guess *guess = events->guess;

	if (*trace_guess_first(guess, &guess->last) != symbol)
		return 0;
	*trace_guess_second(guess, &guess->last) = symbol;
	trace_guess_happened(&guess->last, symbol);
	events->run++;
	return 1;
}

static inline int operate(struct trace_event_columns *events, unsigned operation, uint64_t number)
{
	return (number >= TRACE_GUESS_NUMBER_END ||
		!is_guessed(events, trace_guess_symbol(operation, number))) &&
	       surprise(events, operation, number);
}

/* Another thread, or later: says so in the columns. */
static int change(struct trace_event_columns *events, uint64_t tick, uint32_t thread)
{
	if (tick > INT64_MAX)
		return ERROR_DAMAGED;
	if (!events->thread) {
		if (tick > events->tick)
			events->tick = tick;
		events->first_tick = events->tick;
		events->thread = events->last_thread;
	}
	if (tick > events->tick) {
		put_operation(events, TRACE_OPERATION_TICKS);
		put_varint(events, TICKS, tick - events->tick);
		events->changes++;
		events->tick = tick;
	}
	if (thread != events->thread) {
		if (operate(events, TRACE_OPERATION_THREAD, thread))
			put_varint(events, THREADS, thread);
		events->changes++;
		events->thread = events->last_thread = thread;
	}
	return 0;
}

/* Whether the next call can be written as things are: nearly always. */
static inline int is_ready(const struct trace_event_columns *events, uint64_t tick, uint32_t thread)
{
	return tick <= events->tick && thread == events->thread && events->left != 0;
}

/* Makes them so. */
__attribute__((noinline)) static int prepare(struct trace_writer *writer, uint64_t tick,
					     uint32_t thread)
{
	struct trace_event_columns *events = &writer->events;
	int error = 0;

	if (thread - 1 >= writer->threads)
		return writer->error ? writer->error : ERROR_DAMAGED;
	if (events->left == 0)
		error = make_room(writer);
	return error ? error : change(events, tick, thread);
}

__attribute__((noinline)) static void put_class(struct trace_event_columns *events,
						unsigned operation, uint32_t number)
{
	if (surprise(events, operation, number))
		put_number(events, CLASSES, number);
}

/* The class's number: most new classes are the one after the highest so far. */
static inline void operate_class(struct trace_event_columns *events, unsigned operation,
				 uint32_t class_id)
{
	uint32_t number = class_id;

	if (class_id > events->top) {
		number = class_id == events->top + 1 ? 0 : class_id;
		events->top = class_id;
	}
	if (number >= TRACE_GUESS_NUMBER_END ||
	    !is_guessed(events, trace_guess_symbol(operation, number)))
		put_class(events, operation, number);
}

static inline int allocate_now(struct trace_writer *writer, uint32_t class_id, unsigned operation)
{
	struct trace_event_columns *events = &writer->events;

	events->left--;
	events->sequence++;
	operate_class(events, operation, class_id);
	return 0;
}

__attribute__((noinline)) static int allocate_prepared(struct trace_writer *writer, uint64_t tick,
						       uint32_t thread, uint32_t class_id,
						       unsigned operation)
{
	int error = prepare(writer, tick, thread);

	return error ? error : allocate_now(writer, class_id, operation);
}

/* The ways that are seldom taken end in calls, so that the others save no registers. */
static inline int allocate(struct trace_writer *writer, uint64_t tick, uint32_t thread,
			   uint32_t class_id, unsigned operation)
{
	if (class_id - 1 >= writer->classes)
		return writer->error ? writer->error : ERROR_DAMAGED;
	if (!is_ready(&writer->events, tick, thread))
		return allocate_prepared(writer, tick, thread, class_id, operation);
	return allocate_now(writer, class_id, operation);
}

int trace_writer_allocation(struct trace_writer *writer, uint64_t tick, uint32_t thread,
			    uint32_t class_id, int realloc_half)
{
	return allocate(writer, tick, thread, class_id,
			TRACE_OPERATION_ALLOCATION | (realloc_half ? TRACE_OPERATION_REALLOC : 0));
}

int trace_writer_temporary(struct trace_writer *writer, uint64_t tick, uint32_t thread,
			   uint32_t class_id, int realloc_half)
{
	return allocate(writer, tick, thread, class_id,
			TRACE_OPERATION_TEMPORARY | (realloc_half ? TRACE_OPERATION_REALLOC : 0));
}

/* One of the last allocations, by its age or its step, whatever is smaller. */
__attribute__((noinline)) static void put_recent(struct trace_event_columns *events,
						 uint32_t by_age, uint32_t by_step)
{
	unsigned mask = TRACE_OPERATION_END - 1, shift = TRACE_GUESS_NUMBER_SHIFT;
	uint32_t second = *trace_guess_second(events->guess, &events->guess->last);
	uint32_t age = by_age >> shift, step = by_step >> shift;

	if (second == by_step || (second != by_age && step + 1 < age)) {
		if (surprise(events, by_step & mask, step))
			*events->at[STEPS]++ = (uint8_t)step;
	} else {
		if (surprise(events, by_age & mask, age))
			*events->at[AGES]++ = (uint8_t)age;
	}
}

static inline void deallocate_recent(struct trace_event_columns *events, uint64_t sequence,
				     unsigned realloc_half)
{
	uint64_t age = events->sequence - sequence;
	uint64_t step = trace_zigzag((int64_t)(sequence - events->recent));
	uint32_t by_age = trace_guess_symbol(TRACE_OPERATION_RECENT | realloc_half, age);
	/* Too long a step takes a number that is not chosen. */
	uint32_t by_step = trace_guess_symbol(TRACE_OPERATION_STEP | realloc_half,
					      step < TRACE_RECENT ? step : TRACE_RECENT);

	events->recent = sequence;
	if (!is_guessed(events, by_age) && !is_guessed(events, by_step))
		put_recent(events, by_age, by_step);
}

/* Of an older one, or of one that the caller cannot tell from its like. */
__attribute__((noinline)) static void deallocate_old(struct trace_event_columns *events,
						     const struct trace_deallocation *deallocation,
						     unsigned realloc_half)
{
	unsigned operation = TRACE_OPERATION_DEALLOCATION | realloc_half;
	/* No block is older than the trace. */
	uint64_t born =
	    deallocation->age_ticks < events->tick ? events->tick - deallocation->age_ticks : 0;

	if (deallocation->allocating_thread != events->thread)
		operation |= TRACE_OPERATION_OTHER_THREAD;
	if (deallocation->age_allocations < TRACE_RECENT)
		operation |= TRACE_OPERATION_YOUNG;
	operate_class(events, operation, deallocation->class_id);
	if (operation & TRACE_OPERATION_OTHER_THREAD)
		put_varint(events, THREADS, deallocation->allocating_thread);
	if (operation & TRACE_OPERATION_YOUNG)
		*events->at[AGES]++ = (uint8_t)deallocation->age_allocations;
	if (born == events->born) {
		events->birth_run++;
		return;
	}
	put_varint(events, BIRTH_RUNS, events->birth_run);
	put_number(events, BIRTHS, events->tick - born);
	events->birth_run = 0;
	events->born = born;
}

static inline int deallocate_now(struct trace_writer *writer,
				 const struct trace_deallocation *deallocation)
{
	struct trace_event_columns *events = &writer->events;
	unsigned realloc_half = deallocation->realloc ? TRACE_OPERATION_REALLOC : 0;

	events->left--;
	if (deallocation->sequence && events->sequence - deallocation->sequence < TRACE_RECENT)
		deallocate_recent(events, deallocation->sequence, realloc_half);
	else
		deallocate_old(events, deallocation, realloc_half);
	return 0;
}

__attribute__((noinline)) static int
deallocate_prepared(struct trace_writer *writer, uint64_t tick, uint32_t thread,
		    const struct trace_deallocation *deallocation)
{
	int error = prepare(writer, tick, thread);

	return error ? error : deallocate_now(writer, deallocation);
}

int trace_writer_deallocation(struct trace_writer *writer, uint64_t tick, uint32_t thread,
			      const struct trace_deallocation *deallocation)
{
	if (deallocation->class_id - 1 >= writer->classes ||
	    deallocation->allocating_thread - 1 >= writer->threads)
		return writer->error ? writer->error : ERROR_DAMAGED;
	if (!is_ready(&writer->events, tick, thread))
		return deallocate_prepared(writer, tick, thread, deallocation);
	return deallocate_now(writer, deallocation);
}

int trace_writer_unknown_free(struct trace_writer *writer, uint64_t tick, uint32_t thread,
			      int inherited)
{
	unsigned operation =
	    inherited ? TRACE_OPERATION_INHERITED_FREE : TRACE_OPERATION_UNKNOWN_FREE;
	int error = prepare(writer, tick, thread);

	if (error)
		return error;
	writer->events.left--;
	operate(&writer->events, operation, 0);
	return 0;
}

/* --- blocks ------------------------------------------------------------------------- */

static void start_block(struct trace_event_columns *events)
{
	for (unsigned i = 0; i < TRACE_EVENT_COLUMNS; i++)
		events->at[i] = events->start[i];
	events->thread = 0;
	events->left = events->granted = events->operations = events->changes = 0;
}

int trace_writer_flush_events(struct trace_writer *writer)
{
	struct trace_event_columns *events = &writer->events;
	uint8_t *payload, *at;
	int error;

	if (writer->error || !events->thread)
		return writer->error;
	count_operations(events);
	put_varint(events, RUNS, events->run);
	put_varint(events, BIRTH_RUNS, events->birth_run);
	events->run = events->birth_run = 0;
	payload = malloc(used(events));
	if (!payload) {
		start_block(events);
		trace_writer_stop_events(writer, events->first_tick, ENOMEM);
		return 0;
	}
	at = trace_put_varint(payload, events->operations);
	at = trace_put_varint(at, TRACE_EVENT_COLUMNS);
	for (unsigned i = 0; i < TRACE_EVENT_COLUMNS; i++)
		at = trace_put_varint(at, (uint64_t)(events->at[i] - events->start[i]));
	for (unsigned i = 0; i < TRACE_EVENT_COLUMNS; i++) {
		size_t length = (size_t)(events->at[i] - events->start[i]);

		memcpy(at, events->start[i], length);
		at += length;
	}
	start_block(events);
	error = trace_writer_put_block(writer, TRACE_BLOCK_EVENTS, 0, events->first_tick, payload,
				       (size_t)(at - payload));
	free(payload);
	return error;
}

void trace_writer_release_events(struct trace_writer *writer)
{
	for (unsigned i = 0; i < TRACE_EVENT_COLUMNS; i++)
		free(writer->events.start[i]);
	free(writer->events.guess);
}
