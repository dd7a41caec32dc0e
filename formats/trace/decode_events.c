/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * EVENTS, the one payload whose length follows the length of the run.
 *
 * Most operations come out of the table of guesses (guess.h), the others out of the
 * columns, which are read side by side with a cursor each. The allocations of
 * the block are remembered, because deallocations refer to them; what a
 * file can make us remember is bounded by TRACE_OPERATIONS_MOST.
 */
#include <stdlib.h>

#include "formats/trace/decode.h"
#include "formats/trace/guess.h"

struct allocation {      /* of this block, by number; class_id 0: deallocated */
	uint64_t number; /* how many its thread had made with this one */
	uint64_t tick;
	uint32_t class_id, thread;
};

struct trace_replay {
	struct trace_guess guess;
	struct allocation *allocations; /* [count], from 1 */
	size_t count, capacity;
	uint64_t *made; /* [thread]: allocations so far, of this block and those before */
	size_t made_capacity;

	/* of the block that is being read */
	struct trace_cursor column[TRACE_EVENT_COLUMNS];
	uint64_t left; /* operations */
	uint64_t recent;
	uint64_t place, born;
	struct trace_event event;
};

void trace_replay_free(struct trace_replay *replay)
{
	if (!replay)
		return;
	free(replay->allocations);
	free(replay->made);
	free(replay);
}

static int get(struct trace_replay *replay, enum trace_event_column column, uint64_t *value)
{
	struct trace_cursor *cursor = &replay->column[column];
	struct trace_cursor *more;
	unsigned first;

	if (cursor->at == cursor->end)
		return ERROR_DAMAGED;
	first = *cursor->at++;
	*value = first;
	if (first < TRACE_SHORT_END)
		return 0;
	more = &replay->column[first < 255 ? TRACE_COLUMN_LOW : TRACE_COLUMN_LARGE];
	if (first < 255) {
		if (more->at == more->end)
			return ERROR_DAMAGED;
		*value = TRACE_SHORT_END + ((first - TRACE_SHORT_END) << 8) + *more->at++;
		return 0;
	}
	if (trace_get_varint(more, value) || *value < TRACE_LOW_COUNT ||
	    *value > UINT64_MAX - TRACE_SHORT_END)
		return ERROR_DAMAGED;
	*value += TRACE_SHORT_END;
	return 0;
}

/* --- operations ------------------------------------------------------------------ */

static int remember(struct trace_replay *replay, const struct allocation *allocation)
{
	if (replay->count + 1 >= replay->capacity) {
		size_t capacity = replay->capacity ? replay->capacity * 2 : 1024;
		struct allocation *grown =
		    realloc(replay->allocations, capacity * sizeof(*replay->allocations));

		if (!grown)
			return ERROR_MEMORY;
		replay->allocations = grown;
		replay->capacity = capacity;
	}
	replay->allocations[++replay->count] = *allocation;
	return 0;
}

static int allocate(struct trace_decoder *decoder, uint64_t id, unsigned operation)
{
	struct trace_replay *replay = decoder->replay;
	struct trace_event *event = &replay->event;
	int temporary = (operation & TRACE_OPERATION_MASK) == TRACE_OPERATION_TEMPORARY;
	int result;

	if (operation & ~(TRACE_OPERATION_MASK | TRACE_OPERATION_REALLOC))
		return trace_fault(decoder, "the flags of an event");
	if (id - 1 >= decoder->class_count)
		return trace_fault(decoder, "the class of an event");
	decoder->event_bytes += decoder->classes[id - 1].size;
	if (decoder->event_bytes > TRACE_SUM_MAX)
		return trace_fault(decoder, "a sum of sizes over the limit");
	result = remember(replay, &(struct allocation){.number = ++replay->made[event->thread],
						       .tick = event->tick,
						       .class_id = temporary ? 0 : (uint32_t)id,
						       .thread = event->thread});
	if (result)
		return result;
	decoder->classes[id - 1].live += !temporary;
	event->operation = TRACE_OPERATION_ALLOCATION;
	event->realloc = (operation & TRACE_OPERATION_REALLOC) != 0;
	event->class_id = (uint32_t)id;
	event->allocating_thread = event->thread;
	event->age_ticks = 0;
	event->age_allocations = 0;
	result = trace_happened(decoder, event);
	if (!result && temporary) {
		event->operation = TRACE_OPERATION_DEALLOCATION;
		event->realloc = 0;
		result = trace_happened(decoder, event);
	}
	return result;
}

static int deallocate(struct trace_decoder *decoder, uint32_t class_id, unsigned operation)
{
	struct trace_event *event = &decoder->replay->event;
	struct trace_class_state *class_ = &decoder->classes[class_id - 1];

	if (class_->live-- == 0)
		return trace_fault(decoder, "a deallocation without its allocation");
	event->operation = TRACE_OPERATION_DEALLOCATION;
	event->realloc = (operation & TRACE_OPERATION_REALLOC) != 0;
	event->class_id = class_id;
	return trace_happened(decoder, event);
}

/* Of a block of this EVENTS block. */
static int deallocate_recent(struct trace_decoder *decoder, uint64_t value, unsigned operation)
{
	struct trace_replay *replay = decoder->replay;
	struct trace_event *event = &replay->event;
	struct allocation *allocation;
	uint64_t number;
	uint32_t class_id;

	if (operation & ~(TRACE_OPERATION_MASK | TRACE_OPERATION_REALLOC | TRACE_OPERATION_STEP))
		return trace_fault(decoder, "the flags of an event");
	number = operation & TRACE_OPERATION_STEP ? replay->recent + (uint64_t)trace_unzigzag(value)
						  : replay->count - value;
	if (number - 1 >= replay->count || replay->allocations[number].class_id == 0)
		return trace_fault(decoder, "a deallocation without its allocation");
	replay->recent = number;
	allocation = &replay->allocations[number];
	event->allocating_thread = allocation->thread;
	event->age_ticks = event->tick - allocation->tick;
	event->age_allocations = replay->made[allocation->thread] - allocation->number;
	class_id = allocation->class_id;
	allocation->class_id = 0;
	return deallocate(decoder, class_id, operation);
}

/* Of a block of an earlier one. */
static int deallocate_old(struct trace_decoder *decoder, uint64_t id, unsigned operation)
{
	struct trace_replay *replay = decoder->replay;
	struct trace_event *event = &replay->event;
	uint64_t thread = event->thread, born = 0, place = trace_zigzag(1);

	if (((operation & TRACE_OPERATION_OTHER_THREAD) &&
	     get(replay, TRACE_COLUMN_THREADS, &thread)) ||
	    (!(operation & TRACE_OPERATION_NEXT) &&
	     (get(replay, TRACE_COLUMN_TICKS, &born) || get(replay, TRACE_COLUMN_AGES, &place))))
		return trace_fault(decoder, "a column of events");
	if (id - 1 >= decoder->class_count)
		return trace_fault(decoder, "the class of an event");
	if (thread - 1 >= decoder->threads)
		return trace_fault(decoder, "the thread of an event");
	replay->born += (uint64_t)trace_unzigzag(born);
	replay->place += (uint64_t)trace_unzigzag(place);
	if (replay->born > event->tick)
		return trace_fault(decoder, "the age of a block");
	event->allocating_thread = (uint32_t)thread;
	event->age_ticks = event->tick - replay->born;
	event->age_allocations = replay->count - replay->place;
	return deallocate(decoder, (uint32_t)id, operation);
}

static int unknown_free(struct trace_decoder *decoder, unsigned operation)
{
	struct trace_event *event = &decoder->replay->event;

	if (operation & ~TRACE_OPERATION_MASK)
		return trace_fault(decoder, "the flags of an event");
	*event = (struct trace_event){
	    .operation = (uint8_t)operation, .thread = event->thread, .tick = event->tick};
	return trace_happened(decoder, event);
}

static int switch_thread(struct trace_decoder *decoder, uint64_t thread, unsigned operation)
{
	if (operation & ~TRACE_OPERATION_MASK)
		return trace_fault(decoder, "the flags of an event");
	if (thread - 1 >= decoder->threads)
		return trace_fault(decoder, "the thread of an event");
	decoder->replay->event.thread = (uint32_t)thread;
	return 0;
}

static int happen(struct trace_decoder *decoder, unsigned operation, uint64_t value)
{
	switch (operation & TRACE_OPERATION_MASK) {
	case TRACE_OPERATION_ALLOCATION:
	case TRACE_OPERATION_TEMPORARY:
		return allocate(decoder, value, operation);
	case TRACE_OPERATION_RECENT:
		return deallocate_recent(decoder, value, operation);
	case TRACE_OPERATION_DEALLOCATION:
		return deallocate_old(decoder, value, operation);
	case TRACE_OPERATION_THREAD:
		return switch_thread(decoder, value, operation);
	default:
		return unknown_free(decoder, operation);
	}
}

/* --- what was guessed, and what was not --------------------------------------------- */

static int guessed(struct trace_decoder *decoder, uint64_t run)
{
	struct trace_guess *guess = &decoder->replay->guess;

	if (run > decoder->replay->left)
		return trace_fault(decoder, "more operations than there are");
	decoder->replay->left -= run;
	while (run-- > 0) {
		uint32_t symbol = *trace_guess_slot(guess);
		int result;

		if (symbol == 0)
			return trace_fault(decoder, "a guess of nothing");
		trace_guess_happened(guess, symbol);
		result = happen(decoder, symbol & ((1u << (32 - TRACE_GUESS_VALUE_BITS)) - 1),
				symbol >> (32 - TRACE_GUESS_VALUE_BITS));
		if (result)
			return result;
	}
	return 0;
}

static int advance(struct trace_decoder *decoder)
{
	struct trace_replay *replay = decoder->replay;
	uint64_t ticks;

	if (get(replay, TRACE_COLUMN_TICKS, &ticks))
		return trace_fault(decoder, "a column of events");
	if (ticks == 0 || ticks > TRACE_SUM_MAX - replay->event.tick)
		return trace_fault(decoder, "the time of an event");
	replay->event.tick += ticks;
	return 0;
}

static int not_guessed(struct trace_decoder *decoder, unsigned operation)
{
	static const uint8_t columns[] = {
	    [TRACE_OPERATION_ALLOCATION] = TRACE_COLUMN_CLASSES,
	    [TRACE_OPERATION_DEALLOCATION] = TRACE_COLUMN_CLASSES,
	    [TRACE_OPERATION_THREAD] = TRACE_COLUMN_THREADS,
	    [TRACE_OPERATION_TEMPORARY] = TRACE_COLUMN_CLASSES,
	    [TRACE_OPERATION_RECENT] = TRACE_COLUMN_AGES,
	};
	struct trace_replay *replay = decoder->replay;
	unsigned kind = operation & TRACE_OPERATION_MASK;
	uint64_t value = 0;
	uint32_t symbol;

	if (replay->left-- == 0)
		return trace_fault(decoder, "more operations than there are");
	if (operation >= 64 || operation == TRACE_OPERATION_TICKS)
		return operation < 64 ? advance(decoder)
				      : trace_fault(decoder, "an unknown operation");
	if (kind == TRACE_OPERATION_TICKS)
		return trace_fault(decoder, "the flags of an event");
	if (kind != TRACE_OPERATION_UNKNOWN_FREE && kind != TRACE_OPERATION_INHERITED_FREE &&
	    get(replay,
		kind == TRACE_OPERATION_RECENT && operation & TRACE_OPERATION_STEP
		    ? TRACE_COLUMN_STEPS
		    : (enum trace_event_column)columns[kind],
		&value))
		return trace_fault(decoder, "a column of events");
	symbol = trace_guess_symbol(operation, value);
	if (trace_guess_possible(value))
		*trace_guess_slot(&replay->guess) = symbol;
	trace_guess_happened(&replay->guess, symbol);
	return happen(decoder, operation, value);
}

static int decode_operations(struct trace_decoder *decoder)
{
	struct trace_replay *replay = decoder->replay;
	struct trace_cursor *operations = &replay->column[TRACE_COLUMN_OPERATIONS];

	for (;;) {
		uint64_t run;
		int result;

		if (trace_get_varint(&replay->column[TRACE_COLUMN_RUNS], &run))
			return trace_fault(decoder, "a column of events");
		result = guessed(decoder, run);
		if (!result && !trace_left(operations))
			break;
		if (!result)
			result = not_guessed(decoder, *operations->at++);
		if (result)
			return result;
	}
	if (replay->left)
		return trace_fault(decoder, "fewer operations than there should be");
	for (unsigned i = 0; i < TRACE_EVENT_COLUMNS; i++)
		if (trace_left(&replay->column[i]))
			return trace_fault(decoder, "bytes behind the last event");
	decoder->event_tick = replay->event.tick;
	return 0;
}

/* --- the block ------------------------------------------------------------------------ */

int trace_split_columns(struct trace_cursor *payload, struct trace_cursor *column, unsigned columns)
{
	uint64_t length[TRACE_EVENT_COLUMNS], count;
	uint64_t other = 0, sum = 0;

	if (trace_get_varint(payload, &count) || count < columns || count > trace_left(payload))
		return ERROR_DAMAGED;
	for (uint64_t i = 0; i < count; i++) {
		uint64_t *value = i < columns ? &length[i] : &other;

		if (trace_get_varint(payload, value) || *value > TRACE_BLOCK_MAX)
			return ERROR_DAMAGED;
		sum += *value;
	}
	if (sum != trace_left(payload))
		return ERROR_DAMAGED;
	for (unsigned i = 0; i < columns; i++) {
		column[i].at = payload->at;
		payload->at += length[i];
		column[i].end = payload->at;
	}
	return 0;
}

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
	memset(&replay->guess, 0, sizeof(replay->guess));
	replay->event = (struct trace_event){0};
	replay->count = 0;
	replay->recent = 0;
	replay->place = 0;
	return 0;
}

int trace_decode_events(struct trace_decoder *decoder, uint64_t first_tick,
			struct trace_cursor payload)
{
	int error = prepare(decoder);
	struct trace_replay *replay = decoder->replay;
	struct trace_event *event = error ? NULL : &replay->event;

	if (error)
		return error;
	if (trace_get_varint(&payload, &replay->left) ||
	    trace_get_varint32(&payload, &event->thread) ||
	    trace_get_varint(&payload, &event->tick))
		return trace_fault(decoder, "the start of events");
	if (replay->left > TRACE_OPERATIONS_MOST)
		return trace_fault(decoder, "too many operations in a block");
	if (trace_split_columns(&payload, replay->column, TRACE_EVENT_COLUMNS))
		return trace_fault(decoder, "the columns of events");
	if (event->thread - 1 >= decoder->threads)
		return trace_fault(decoder, "the thread of an event");
	if (event->tick != first_tick || event->tick < decoder->event_tick ||
	    event->tick > TRACE_SUM_MAX)
		return trace_fault(decoder, "the first tick of events");
	replay->born = event->tick;
	return decode_operations(decoder);
}
