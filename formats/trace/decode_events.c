/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * EVENTS, the one payload whose length follows the length of the run.
 *
 * Most operations come out of the tables of guesses (guess.h), the others out of the
 * columns, which are read side by side with a cursor each. What a file makes us
 * remember of its allocations is a ring of the last TRACE_RECENT, whatever its length.
 * Events are gathered into batches, because a call for each would cost more than
 * finding out what it is.
 */
#include <stdlib.h>

#include "formats/trace/decode.h"
#include "formats/trace/guess.h"

/* So few that they stay in the first-level cache. An operation makes two at most. */
#define BATCH 512

struct allocation {
	uint64_t tick;
	uint64_t number;   /* how many its thread had made with this one */
	uint32_t class_id; /* 0: deallocated, or there was none */
	uint32_t thread;
};

struct trace_replay {
	struct trace_guess guess;
	uint64_t tick;
	uint32_t thread;                        /* in force; 0: none yet */
	uint32_t top;                           /* highest class so far */
	uint64_t count;                         /* allocations so far; the last ones: */
	struct allocation recent[TRACE_RECENT]; /* [number % TRACE_RECENT] */
	uint64_t last;                          /* number of the last RECENT's or STEP's */
	uint64_t born;                          /* of the last DEALLOCATION */
	uint64_t *made;                         /* [thread]: allocations so far */
	size_t made_capacity;

	/* of the block that is being read */
	struct trace_cursor column[TRACE_EVENT_COLUMNS];
	uint64_t left;      /* operations */
	uint64_t birth_run; /* DEALLOCATIONs until the next in BIRTHS */

	size_t batched;
	struct trace_event batch[BATCH];
};

void trace_replay_free(struct trace_replay *replay)
{
	if (!replay)
		return;
	free(replay->made);
	free(replay);
}

/* --- numbers --------------------------------------------------------------------- */

static inline int get_byte(struct trace_cursor *cursor, uint64_t *value)
{
	if (cursor->at == cursor->end)
		return ERROR_DAMAGED;
	*value = *cursor->at++;
	return 0;
}

static int get_number(struct trace_replay *replay, enum trace_event_column column, uint64_t *value)
{
	struct trace_cursor *cursor = &replay->column[column];
	uint64_t low;

	if (get_byte(cursor, value))
		return ERROR_DAMAGED;
	if (*value < TRACE_SHORT_END)
		return 0;
	if (*value < 255) {
		if (get_byte(cursor + 1, &low))
			return ERROR_DAMAGED;
		*value = TRACE_SHORT_END + ((*value - TRACE_SHORT_END) << 8) + low;
		return 0;
	}
	if (trace_get_varint(cursor + 2, value) || *value < TRACE_LOW_COUNT ||
	    *value > UINT64_MAX - TRACE_SHORT_END)
		return ERROR_DAMAGED;
	*value += TRACE_SHORT_END;
	return 0;
}

/* --- operations ------------------------------------------------------------------ */

static int deliver(struct trace_decoder *decoder)
{
	struct trace_replay *replay = decoder->replay;
	size_t count = replay->batched;

	replay->batched = 0;
	if (count == 0 || !decoder->visitor->events)
		return 0;
	return trace_called(decoder,
			    decoder->visitor->events(decoder->context, replay->batch, count));
}

static inline struct trace_event *next_event(struct trace_replay *replay)
{
	return &replay->batch[replay->batched++];
}

/* A class by its number in an operation: 0 is the one after the highest so far. */
static inline uint64_t class_of(struct trace_replay *replay, uint64_t number)
{
	uint64_t id = number ? number : replay->top + UINT64_C(1);

	if (id > replay->top)
		replay->top = (uint32_t)id;
	return id;
}

static inline int allocate(struct trace_decoder *decoder, uint64_t number, unsigned operation)
{
	struct trace_replay *replay = decoder->replay;
	int temporary = (operation & TRACE_OPERATION_MASK) == TRACE_OPERATION_TEMPORARY;
	uint64_t id = class_of(replay, number);
	struct trace_class_state *class_;
	struct trace_event *event;

	if (id - 1 >= decoder->class_count)
		return trace_fault(decoder, "the class of an event");
	class_ = &decoder->classes[id - 1];
	decoder->event_bytes += class_->size;
	if (decoder->event_bytes > TRACE_SUM_MAX)
		return trace_fault(decoder, "a sum of sizes over the limit");
	replay->count++;
	replay->recent[replay->count % TRACE_RECENT] =
	    (struct allocation){.number = ++replay->made[replay->thread],
				.tick = replay->tick,
				.class_id = temporary ? 0 : (uint32_t)id,
				.thread = replay->thread};
	event = next_event(replay);
	*event = (struct trace_event){.operation = TRACE_OPERATION_ALLOCATION,
				      .realloc = (operation & TRACE_OPERATION_REALLOC) != 0,
				      .thread = replay->thread,
				      .class_id = (uint32_t)id,
				      .allocating_thread = replay->thread,
				      .tick = replay->tick};
	if (temporary) {
		event = next_event(replay);
		*event = event[-1];
		event->operation = TRACE_OPERATION_DEALLOCATION;
		event->realloc = 0;
	} else {
		class_->live++;
	}
	return 0;
}

static inline int deallocate(struct trace_decoder *decoder, const struct trace_event *event)
{
	struct trace_class_state *class_ = &decoder->classes[event->class_id - 1];

	if (class_->live == 0)
		return trace_fault(decoder, "a deallocation without its allocation");
	class_->live--;
	*next_event(decoder->replay) = *event;
	return 0;
}

/* Of one of the last allocations. */
static inline int deallocate_recent(struct trace_decoder *decoder, uint64_t value,
				    unsigned operation)
{
	struct trace_replay *replay = decoder->replay;
	struct allocation *allocation;
	struct trace_event event;
	uint64_t number;

	number = (operation & TRACE_OPERATION_MASK) == TRACE_OPERATION_STEP
		     ? replay->last + (uint64_t)trace_unzigzag(value)
		     : replay->count - value;
	allocation = &replay->recent[number % TRACE_RECENT];
	if (replay->count - number >= TRACE_RECENT || allocation->class_id == 0)
		return trace_fault(decoder, "a deallocation without its allocation");
	replay->last = number;
	event = (struct trace_event){
	    .operation = TRACE_OPERATION_DEALLOCATION,
	    .realloc = (operation & TRACE_OPERATION_REALLOC) != 0,
	    .age_allocations = (uint16_t)(replay->made[allocation->thread] - allocation->number),
	    .thread = replay->thread,
	    .class_id = allocation->class_id,
	    .allocating_thread = allocation->thread,
	    .tick = replay->tick,
	    .age_ticks = replay->tick - allocation->tick};
	allocation->class_id = 0;
	return deallocate(decoder, &event);
}

static int get_birth(struct trace_replay *replay)
{
	uint64_t age;

	if (replay->birth_run-- > 0)
		return 0;
	if (get_number(replay, TRACE_COLUMN_BIRTHS, &age) || age > replay->tick ||
	    trace_get_varint(&replay->column[TRACE_COLUMN_BIRTH_RUNS], &replay->birth_run))
		return ERROR_DAMAGED;
	replay->born = replay->tick - age;
	return 0;
}

/* Of a class and a tick. */
static int deallocate_old(struct trace_decoder *decoder, uint64_t number, unsigned operation)
{
	struct trace_replay *replay = decoder->replay;
	uint64_t id = class_of(replay, number), thread = replay->thread, age = TRACE_RECENT;

	if ((operation & TRACE_OPERATION_OTHER_THREAD &&
	     trace_get_varint(&replay->column[TRACE_COLUMN_THREADS], &thread)) ||
	    (operation & TRACE_OPERATION_YOUNG &&
	     get_byte(&replay->column[TRACE_COLUMN_AGES], &age)))
		return trace_fault(decoder, "a column of events");
	if (id - 1 >= decoder->class_count)
		return trace_fault(decoder, "the class of an event");
	if (thread - 1 >= decoder->threads)
		return trace_fault(decoder, "the thread of an event");
	if (get_birth(replay))
		return trace_fault(decoder, "the age of a block");
	return deallocate(
	    decoder, &(struct trace_event){.operation = TRACE_OPERATION_DEALLOCATION,
					   .realloc = (operation & TRACE_OPERATION_REALLOC) != 0,
					   .age_allocations = (uint16_t)age,
					   .thread = replay->thread,
					   .class_id = (uint32_t)id,
					   .allocating_thread = (uint32_t)thread,
					   .tick = replay->tick,
					   .age_ticks = replay->tick - replay->born});
}

static int unknown_free(struct trace_decoder *decoder, unsigned operation)
{
	struct trace_replay *replay = decoder->replay;

	*next_event(replay) = (struct trace_event){
	    .operation = (uint8_t)operation, .thread = replay->thread, .tick = replay->tick};
	return 0;
}

static int switch_thread(struct trace_decoder *decoder, uint64_t thread)
{
	if (thread - 1 >= decoder->threads)
		return trace_fault(decoder, "the thread of an event");
	decoder->replay->thread = (uint32_t)thread;
	return 0;
}

/* An operation that was checked, now or when it was learned. */
__attribute__((always_inline)) static inline int happen(struct trace_decoder *decoder,
							unsigned operation, uint64_t number)
{
	if (decoder->replay->batched > BATCH - 2) {
		int result = deliver(decoder);

		if (result)
			return result;
	}
	switch (operation & TRACE_OPERATION_MASK) {
	case TRACE_OPERATION_ALLOCATION:
	case TRACE_OPERATION_TEMPORARY:
		return allocate(decoder, number, operation);
	case TRACE_OPERATION_RECENT:
	case TRACE_OPERATION_STEP:
		return deallocate_recent(decoder, number, operation);
	case TRACE_OPERATION_DEALLOCATION:
		return deallocate_old(decoder, number, operation);
	case TRACE_OPERATION_THREAD:
		return switch_thread(decoder, number);
	default:
		return unknown_free(decoder, operation);
	}
}

/* --- what was guessed, and what was not --------------------------------------------- */

__attribute__((always_inline)) static inline int happen_as_guessed(struct trace_decoder *decoder,
								   uint32_t symbol)
{
	trace_guess_happened(&decoder->replay->guess, symbol);
	return happen(decoder, symbol & (TRACE_OPERATION_END - 1),
		      symbol >> TRACE_GUESS_NUMBER_SHIFT);
}

static int guessed(struct trace_decoder *decoder, uint64_t run)
{
	struct trace_guess *guess = &decoder->replay->guess;

	if (run > decoder->replay->left)
		return trace_fault(decoder, "more operations than there are");
	decoder->replay->left -= run;
	while (run-- > 0) {
		uint32_t symbol = *trace_guess_first(guess);
		int result;

		if (symbol == 0)
			return trace_fault(decoder, "a guess of nothing");
		*trace_guess_second(guess) = symbol;
		result = happen_as_guessed(decoder, symbol);
		if (result)
			return result;
	}
	return 0;
}

static int second(struct trace_decoder *decoder)
{
	struct trace_guess *guess = &decoder->replay->guess;
	uint32_t symbol = *trace_guess_second(guess);

	if (symbol == 0)
		return trace_fault(decoder, "a guess of nothing");
	*trace_guess_first(guess) = symbol;
	return happen_as_guessed(decoder, symbol);
}

static int advance(struct trace_decoder *decoder)
{
	struct trace_replay *replay = decoder->replay;
	uint64_t ticks;

	if (trace_get_varint(&replay->column[TRACE_COLUMN_TICKS], &ticks))
		return trace_fault(decoder, "a column of events");
	if (ticks == 0 || ticks > TRACE_SUM_MAX - replay->tick)
		return trace_fault(decoder, "the time of an event");
	replay->tick += ticks;
	return 0;
}

/* What makes an operation of column 0 or 1 wrong, whatever its number. */
static const char *fault_of(const struct trace_replay *replay, uint64_t operation)
{
	static const uint8_t flags[TRACE_OPERATION_MASK + 1] = {
	    [TRACE_OPERATION_ALLOCATION] = TRACE_OPERATION_REALLOC,
	    [TRACE_OPERATION_TEMPORARY] = TRACE_OPERATION_REALLOC,
	    [TRACE_OPERATION_DEALLOCATION] =
		TRACE_OPERATION_REALLOC | TRACE_OPERATION_OTHER_THREAD | TRACE_OPERATION_YOUNG,
	    [TRACE_OPERATION_RECENT] = TRACE_OPERATION_REALLOC,
	    [TRACE_OPERATION_STEP] = TRACE_OPERATION_REALLOC,
	};
	unsigned kind = operation & TRACE_OPERATION_MASK;

	if (kind < TRACE_OPERATION_ALLOCATION || kind > TRACE_OPERATION_INHERITED_FREE ||
	    operation >= TRACE_OPERATION_END)
		return "an unknown operation";
	if (operation & ~(uint64_t)(TRACE_OPERATION_MASK | flags[kind]))
		return "the flags of an event";
	if (kind != TRACE_OPERATION_THREAD && replay->thread == 0)
		return "an event before its thread";
	return NULL;
}

static int get_operand(struct trace_replay *replay, unsigned operation, uint64_t *number)
{
	*number = 0;
	switch (operation & TRACE_OPERATION_MASK) {
	case TRACE_OPERATION_ALLOCATION:
	case TRACE_OPERATION_TEMPORARY:
	case TRACE_OPERATION_DEALLOCATION:
		return get_number(replay, TRACE_COLUMN_CLASSES, number);
	case TRACE_OPERATION_RECENT:
		return get_byte(&replay->column[TRACE_COLUMN_AGES], number);
	case TRACE_OPERATION_STEP:
		return get_byte(&replay->column[TRACE_COLUMN_STEPS], number);
	case TRACE_OPERATION_THREAD:
		return trace_get_varint(&replay->column[TRACE_COLUMN_THREADS], number);
	default:
		return 0;
	}
}

static int not_guessed(struct trace_decoder *decoder, unsigned kind)
{
	struct trace_replay *replay = decoder->replay;
	struct trace_guess *guess = &replay->guess;
	uint64_t number, operation = kind;
	const char *fault;

	if (replay->left-- == 0)
		return trace_fault(decoder, "more operations than there are");
	if (kind == TRACE_OPERATION_TICKS)
		return advance(decoder);
	if (kind == TRACE_OPERATION_SECOND)
		return second(decoder);
	if (kind == TRACE_OPERATION_OTHER &&
	    get_byte(&replay->column[TRACE_COLUMN_OTHERS], &operation))
		return trace_fault(decoder, "a column of events");
	fault = fault_of(replay, operation);
	if (fault)
		return trace_fault(decoder, fault);
	if (get_operand(replay, (unsigned)operation, &number))
		return trace_fault(decoder, "a column of events");
	if (number < TRACE_GUESS_NUMBER_END) {
		uint32_t symbol = trace_guess_symbol((unsigned)operation, number);

		*trace_guess_first(guess) = *trace_guess_second(guess) = symbol;
		trace_guess_happened(guess, symbol);
	} else {
		trace_guess_happened(guess, (uint32_t)operation);
	}
	return happen(decoder, (unsigned)operation, number);
}

static int decode_operations(struct trace_decoder *decoder)
{
	struct trace_replay *replay = decoder->replay;
	struct trace_cursor *operations = &replay->column[TRACE_COLUMN_OPERATIONS];
	struct trace_cursor *runs = &replay->column[TRACE_COLUMN_RUNS];
	uint64_t run, more;
	int result;

	while (trace_left(operations)) {
		unsigned token = *operations->at++;

		run = token >> TRACE_RUN_SHIFT;
		if (run == TRACE_RUN_LONG) {
			if (trace_get_varint(runs, &more))
				return trace_fault(decoder, "a column of events");
			run = more > replay->left ? more : run + more;
		}
		result = guessed(decoder, run);
		if (!result)
			result = not_guessed(decoder, token & ((1u << TRACE_RUN_SHIFT) - 1));
		if (result)
			return result;
	}
	if (trace_get_varint(runs, &run))
		return trace_fault(decoder, "a column of events");
	result = guessed(decoder, run);
	if (result)
		return result;
	if (replay->left)
		return trace_fault(decoder, "fewer operations than there should be");
	if (replay->birth_run || trace_columns_left(replay->column, TRACE_EVENT_COLUMNS))
		return trace_fault(decoder, "bytes behind the last event");
	return 0;
}

/* --- the block ------------------------------------------------------------------------ */

static int prepare(struct trace_decoder *decoder)
{
	struct trace_replay *replay = decoder->replay;
	size_t capacity = (size_t)decoder->threads + 1;

	if (!replay)
		replay = decoder->replay = calloc(1, sizeof(*replay));
	if (!replay)
		return ERROR_MEMORY;
	if (capacity > replay->made_capacity) {
		uint64_t *grown = realloc(replay->made, 2 * capacity * sizeof(*grown));

		if (!grown)
			return ERROR_MEMORY;
		memset(grown + replay->made_capacity, 0,
		       (2 * capacity - replay->made_capacity) * sizeof(*grown));
		replay->made = grown;
		replay->made_capacity = 2 * capacity;
	}
	return 0;
}

int trace_decode_events(struct trace_decoder *decoder, uint64_t first_tick,
			struct trace_cursor payload)
{
	int result = prepare(decoder), stop;
	struct trace_replay *replay = decoder->replay;

	if (result)
		return result;
	if (trace_get_varint(&payload, &replay->left))
		return trace_fault(decoder, "the start of events");
	if (replay->left > TRACE_OPERATIONS_MOST)
		return trace_fault(decoder, "too many operations in a block");
	if (trace_get_columns(&payload, replay->column, TRACE_EVENT_COLUMNS) ||
	    trace_get_varint(&replay->column[TRACE_COLUMN_BIRTH_RUNS], &replay->birth_run))
		return trace_fault(decoder, "the columns of events");
	if (first_tick < replay->tick || first_tick > TRACE_SUM_MAX)
		return trace_fault(decoder, "the first tick of events");
	replay->tick = first_tick;
	result = decode_operations(decoder);
	/* What lies before a fault reaches the visitor, too. */
	stop = result == DECODE_STOPPED ? 0 : deliver(decoder);
	return stop ? stop : result;
}
