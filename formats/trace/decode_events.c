/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * EVENTS, the one payload whose length follows the length of the run.
 *
 * Most operations come out of the tables of guesses (guess.h), the others out of the
 * columns, which are read side by side with a cursor each. What a file makes us
 * remember of its allocations is a ring of the last TRACE_RECENT, whatever its length.
 * Events are gathered into batches, because a call for each would cost more than
 * finding out what it is.
 *
 * Half of the time goes into branches that were foreseen wrongly, the other half into the
 * number of instructions. So there is one jump for what an operation is, none that depends on
 * the length of a number, and all that is rare stands in functions of its own.
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
	uint64_t left;      /* operations, at its start */
	uint64_t birth_run; /* DEALLOCATIONs until the next in BIRTHS */

	struct trace_event batch[BATCH];
};

void trace_replay_free(struct trace_replay *replay)
{
	if (!replay)
		return;
	free(replay->made);
	free(replay);
}

/* What changes with nearly every operation, in registers while a block is read: that is why the
 * functions that take it are inlined into the loop over operations. */
struct play {
	struct trace_decoder *decoder;
	struct trace_replay *replay;
	struct trace_guess_last last;
	struct trace_event *next; /* in the batch */
	uint64_t tick;
	uint64_t count;
	uint32_t thread;
};

#define INLINED __attribute__((always_inline)) static inline

/* --- numbers --------------------------------------------------------------------- */

INLINED int get_byte(struct trace_cursor *cursor, uint64_t *value)
{
	if (cursor->at == cursor->end)
		return ERROR_DAMAGED;
	*value = *cursor->at++;
	return 0;
}

__attribute__((noinline)) static int get_long_number(struct trace_cursor *cursor, uint64_t *value)
{
	if (trace_get_varint(cursor, value) || *value < TRACE_LOW_COUNT ||
	    *value > UINT64_MAX - TRACE_SHORT_END)
		return ERROR_DAMAGED;
	*value += TRACE_SHORT_END;
	return 0;
}

/* Whether there is a second byte, no branch could foresee: the byte there is read in any case
 * (one behind the payload may be, see block.h), and counts where it is one. */
INLINED int get_number(struct trace_cursor *cursor, uint64_t *value)
{
	uint64_t first, more, low = *cursor[1].at;

	if (get_byte(cursor, &first))
		return ERROR_DAMAGED;
	if (first == 255)
		return get_long_number(cursor + 2, value);
	more = first >= TRACE_SHORT_END;
	cursor[1].at += more;
	/* SHORT_END + 256 * (first - SHORT_END) + low is first + this */
	*value = first + ((0 - more) & (255 * (first - TRACE_SHORT_END) + low));
	return cursor[1].at > cursor[1].end ? ERROR_DAMAGED : 0;
}

/* --- operations ------------------------------------------------------------------ */

static int deliver(struct trace_decoder *decoder, size_t count)
{
	if (count == 0 || !decoder->visitor->events)
		return 0;
	return trace_called(
	    decoder, decoder->visitor->events(decoder->context, decoder->replay->batch, count));
}

/* Room for an operation's events. */
INLINED int make_room(struct play *play)
{
	size_t count = (size_t)(play->next - play->replay->batch);

	if (count <= BATCH - 2)
		return 0;
	play->next = play->replay->batch;
	return deliver(play->decoder, count);
}

/* Of a class that is new to the operations: 0 is the one after the highest so far. Returns 0 where
 * there is none of it. */
__attribute__((noinline)) static uint32_t new_class(struct trace_decoder *decoder, uint64_t number)
{
	struct trace_replay *replay = decoder->replay;
	uint64_t id = number ? number : replay->top + UINT64_C(1);

	if (id > decoder->class_count)
		return 0;
	return replay->top = (uint32_t)id;
}

/* By its number in an operation; 0: there is none. */
INLINED uint32_t class_of(const struct play *play, uint64_t number)
{
	return number - 1 < play->replay->top ? (uint32_t)number : new_class(play->decoder, number);
}

INLINED int allocate(struct play *play, uint64_t number, unsigned operation)
{
	struct trace_decoder *decoder = play->decoder;
	struct trace_replay *replay = play->replay;
	const unsigned temporary = (operation & TRACE_OPERATION_MASK) == TRACE_OPERATION_TEMPORARY;
	const uint32_t id = class_of(play, number);
	struct trace_class_state *class_;

	if (!id)
		return trace_fault(decoder, "the class of an event");
	class_ = &decoder->classes[id - 1];
	decoder->event_bytes += class_->size;
	if (decoder->event_bytes > TRACE_SUM_MAX)
		return trace_fault(decoder, "a sum of sizes over the limit");
	play->count++;
	replay->recent[play->count % TRACE_RECENT] =
	    (struct allocation){.number = ++replay->made[play->thread],
				.tick = play->tick,
				.class_id = id & ((uint32_t)temporary - 1),
				.thread = play->thread};
	*play->next++ = (struct trace_event){.operation = TRACE_OPERATION_ALLOCATION,
					     .realloc = (operation & TRACE_OPERATION_REALLOC) != 0,
					     .thread = play->thread,
					     .class_id = id,
					     .allocating_thread = play->thread,
					     .tick = play->tick};
	if (temporary)
		*play->next++ = (struct trace_event){.operation = TRACE_OPERATION_DEALLOCATION,
						     .thread = play->thread,
						     .class_id = id,
						     .allocating_thread = play->thread,
						     .tick = play->tick};
	else
		class_->live++;
	return 0;
}

INLINED int deallocate(struct play *play, const struct trace_event *event)
{
	struct trace_class_state *class_ = &play->decoder->classes[event->class_id - 1];

	if (class_->live == 0)
		return trace_fault(play->decoder, "a deallocation without its allocation");
	class_->live--;
	*play->next++ = *event;
	return 0;
}

/* Of one of the last allocations. */
INLINED int deallocate_recent(struct play *play, uint64_t value, unsigned operation)
{
	struct trace_replay *replay = play->replay;
	struct allocation *allocation;
	struct trace_event event;
	uint64_t number = (operation & TRACE_OPERATION_MASK) == TRACE_OPERATION_STEP
			      ? replay->last + (uint64_t)trace_unzigzag(value)
			      : play->count - value;

	allocation = &replay->recent[number % TRACE_RECENT];
	if (play->count - number >= TRACE_RECENT || allocation->class_id == 0)
		return trace_fault(play->decoder, "a deallocation without its allocation");
	replay->last = number;
	event = (struct trace_event){
	    .operation = TRACE_OPERATION_DEALLOCATION,
	    .realloc = (operation & TRACE_OPERATION_REALLOC) != 0,
	    .age_allocations = (uint16_t)(replay->made[allocation->thread] - allocation->number),
	    .thread = play->thread,
	    .class_id = allocation->class_id,
	    .allocating_thread = allocation->thread,
	    .tick = play->tick,
	    .age_ticks = play->tick - allocation->tick};
	allocation->class_id = 0;
	return deallocate(play, &event);
}

static int get_birth(struct trace_replay *replay, uint64_t tick)
{
	uint64_t age;

	if (get_number(&replay->column[TRACE_COLUMN_BIRTHS], &age) || age > tick ||
	    trace_get_varint(&replay->column[TRACE_COLUMN_BIRTH_RUNS], &replay->birth_run))
		return ERROR_DAMAGED;
	replay->born = tick - age;
	return 0;
}

/* Of a class and a tick. */
INLINED int deallocate_old(struct play *play, uint64_t number, unsigned operation)
{
	struct trace_decoder *decoder = play->decoder;
	struct trace_replay *replay = play->replay;
	uint64_t thread = play->thread, age = TRACE_RECENT;
	uint32_t id;

	if ((operation & TRACE_OPERATION_OTHER_THREAD &&
	     trace_get_varint(&replay->column[TRACE_COLUMN_THREADS], &thread)) ||
	    (operation & TRACE_OPERATION_YOUNG &&
	     get_byte(&replay->column[TRACE_COLUMN_AGES], &age)))
		return trace_fault(decoder, "a column of events");
	id = class_of(play, number);
	if (!id)
		return trace_fault(decoder, "the class of an event");
	if (thread - 1 >= decoder->threads)
		return trace_fault(decoder, "the thread of an event");
	if (replay->birth_run-- == 0 && get_birth(replay, play->tick))
		return trace_fault(decoder, "the age of a block");
	return deallocate(
	    play, &(struct trace_event){.operation = TRACE_OPERATION_DEALLOCATION,
					.realloc = (operation & TRACE_OPERATION_REALLOC) != 0,
					.age_allocations = (uint16_t)age,
					.thread = play->thread,
					.class_id = id,
					.allocating_thread = (uint32_t)thread,
					.tick = play->tick,
					.age_ticks = play->tick - replay->born});
}

INLINED int unknown_free(struct play *play, unsigned operation)
{
	*play->next++ = (struct trace_event){
	    .operation = (uint8_t)operation, .thread = play->thread, .tick = play->tick};
	return 0;
}

INLINED int switch_thread(struct play *play, uint64_t thread)
{
	if (thread - 1 >= play->decoder->threads)
		return trace_fault(play->decoder, "the thread of an event");
	play->thread = (uint32_t)thread;
	return 0;
}

/* --- what was guessed, and what was not --------------------------------------------- */

/* An operation that was checked when it was learned. */
INLINED int happen(struct play *play, uint32_t symbol)
{
	const unsigned operation = symbol & (TRACE_OPERATION_END - 1);
	const uint64_t number = symbol >> TRACE_GUESS_NUMBER_SHIFT;
	int result = make_room(play);

	if (result)
		return result;
	trace_guess_happened(&play->last, symbol);
	switch (operation & TRACE_OPERATION_MASK) {
	case TRACE_OPERATION_ALLOCATION:
	case TRACE_OPERATION_TEMPORARY:
		return allocate(play, number, operation);
	case TRACE_OPERATION_RECENT:
	case TRACE_OPERATION_STEP:
		return deallocate_recent(play, number, operation);
	case TRACE_OPERATION_DEALLOCATION:
		return deallocate_old(play, number, operation);
	case TRACE_OPERATION_THREAD:
		return switch_thread(play, number);
	case 0:
		return trace_fault(play->decoder, "a guess of nothing");
	default:
		return unknown_free(play, operation);
	}
}

INLINED int happen_as_guessed(struct play *play, uint64_t run)
{
	struct trace_guess *guess = &play->replay->guess;

	while (run-- > 0) {
		uint32_t symbol = *trace_guess_first(guess, &play->last);
		int result;

		*trace_guess_second(guess, &play->last) = symbol;
		result = happen(play, symbol);
		if (result)
			return result;
	}
	return 0;
}

INLINED int happen_as_guessed_second(struct play *play)
{
	struct trace_guess *guess = &play->replay->guess;
	uint32_t symbol = *trace_guess_second(guess, &play->last);

	*trace_guess_first(guess, &play->last) = symbol;
	return happen(play, symbol);
}

static int advance(struct play *play)
{
	struct trace_replay *replay = play->replay;
	uint64_t ticks;

	if (trace_get_varint(&replay->column[TRACE_COLUMN_TICKS], &ticks))
		return trace_fault(play->decoder, "a column of events");
	if (ticks == 0 || ticks > TRACE_SUM_MAX - play->tick)
		return trace_fault(play->decoder, "the time of an event");
	play->tick += ticks;
	return 0;
}

/* What makes an operation of column 1 wrong, whatever its number. */
static const char *fault_of(uint64_t operation)
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
	return NULL;
}

INLINED void learn(struct play *play, unsigned operation, uint64_t number)
{
	struct trace_guess *guess = &play->replay->guess;
	uint32_t symbol = operation;

	if (number < TRACE_GUESS_NUMBER_END) {
		symbol = trace_guess_symbol(operation, number);
		*trace_guess_first(guess, &play->last) = symbol;
		*trace_guess_second(guess, &play->last) = symbol;
	}
	trace_guess_happened(&play->last, symbol);
}

/* An operation that is written out. */
INLINED int happen_as_written(struct play *play, unsigned operation)
{
	struct trace_cursor *column = play->replay->column;
	const unsigned kind = operation & TRACE_OPERATION_MASK;
	uint64_t number = 0;
	int result = make_room(play);

	if (result)
		return result;
	if (play->thread == 0 && kind != TRACE_OPERATION_THREAD)
		return trace_fault(play->decoder, "an event before its thread");
	switch (kind) {
	case TRACE_OPERATION_ALLOCATION:
	case TRACE_OPERATION_TEMPORARY:
		if (get_number(&column[TRACE_COLUMN_CLASSES], &number))
			break;
		learn(play, operation, number);
		return allocate(play, number, operation);
	case TRACE_OPERATION_DEALLOCATION:
		if (get_number(&column[TRACE_COLUMN_CLASSES], &number))
			break;
		learn(play, operation, number);
		return deallocate_old(play, number, operation);
	case TRACE_OPERATION_RECENT:
	case TRACE_OPERATION_STEP:
		if (get_byte(&column[kind == TRACE_OPERATION_STEP ? TRACE_COLUMN_STEPS
								  : TRACE_COLUMN_AGES],
			     &number))
			break;
		learn(play, operation, number);
		return deallocate_recent(play, number, operation);
	case TRACE_OPERATION_THREAD:
		if (trace_get_varint(&column[TRACE_COLUMN_THREADS], &number))
			break;
		learn(play, operation, number);
		return switch_thread(play, number);
	default:
		learn(play, operation, number);
		return unknown_free(play, operation);
	}
	return trace_fault(play->decoder, "a column of events");
}

INLINED int happen_as_other(struct play *play)
{
	uint64_t operation;
	const char *fault;

	if (get_byte(&play->replay->column[TRACE_COLUMN_OTHERS], &operation))
		return trace_fault(play->decoder, "a column of events");
	fault = fault_of(operation);
	return fault ? trace_fault(play->decoder, fault)
		     : happen_as_written(play, (unsigned)operation);
}

/* What bits 0-2 of column 0 say: a copy for each, in which nothing asks for its flags. */
INLINED int happen_after_run(struct play *play, unsigned operation)
{
	switch (operation) {
	case TRACE_OPERATION_OTHER:
		return happen_as_other(play);
	case TRACE_OPERATION_SECOND:
		return happen_as_guessed_second(play);
	case TRACE_OPERATION_TICKS:
		return advance(play);
	case TRACE_OPERATION_ALLOCATION:
		return happen_as_written(play, TRACE_OPERATION_ALLOCATION);
	case TRACE_OPERATION_TEMPORARY:
		return happen_as_written(play, TRACE_OPERATION_TEMPORARY);
	case TRACE_OPERATION_DEALLOCATION:
		return happen_as_written(play, TRACE_OPERATION_DEALLOCATION);
	case TRACE_OPERATION_RECENT:
		return happen_as_written(play, TRACE_OPERATION_RECENT);
	default:
		return happen_as_written(play, TRACE_OPERATION_STEP);
	}
}

INLINED int play_operations(struct play *play)
{
	struct trace_decoder *decoder = play->decoder;
	struct trace_cursor *column = play->replay->column;
	struct trace_cursor operations = column[TRACE_COLUMN_OPERATIONS];
	uint64_t left = play->replay->left, run;
	int result;

	column[TRACE_COLUMN_OPERATIONS].at = operations.end;
	while (trace_left(&operations)) {
		const unsigned token = *operations.at++;

		run = token >> TRACE_RUN_SHIFT;
		if (run == TRACE_RUN_LONG) {
			uint64_t more;

			if (trace_get_varint(&column[TRACE_COLUMN_RUNS], &more))
				return trace_fault(decoder, "a column of events");
			run = more > left ? more : run + more;
		}
		if (run >= left)
			return trace_fault(decoder, "more operations than there are");
		left -= run + 1;
		result = happen_as_guessed(play, run);
		if (!result)
			result = happen_after_run(play, token & ((1u << TRACE_RUN_SHIFT) - 1));
		if (result)
			return result;
	}
	if (trace_get_varint(&column[TRACE_COLUMN_RUNS], &run))
		return trace_fault(decoder, "a column of events");
	if (run > left)
		return trace_fault(decoder, "more operations than there are");
	result = happen_as_guessed(play, run);
	if (result)
		return result;
	if (left > run)
		return trace_fault(decoder, "fewer operations than there should be");
	if (play->replay->birth_run || trace_columns_left(column, TRACE_EVENT_COLUMNS))
		return trace_fault(decoder, "bytes behind the last event");
	return 0;
}

static int decode_operations(struct trace_decoder *decoder)
{
	struct trace_replay *replay = decoder->replay;
	struct play play = {.decoder = decoder,
			    .replay = replay,
			    .last = replay->guess.last,
			    .next = replay->batch,
			    .tick = replay->tick,
			    .count = replay->count,
			    .thread = replay->thread};
	int result = play_operations(&play), stop;

	replay->guess.last = play.last;
	replay->tick = play.tick;
	replay->count = play.count;
	replay->thread = play.thread;
	/* What lies before a fault reaches the visitor, too. */
	stop = result == DECODE_STOPPED ? 0 : deliver(decoder, (size_t)(play.next - replay->batch));
	return stop ? stop : result;
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
	int result = prepare(decoder);
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
	return decode_operations(decoder);
}
