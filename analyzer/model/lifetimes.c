/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/model/lifetimes.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/model/births.h"
#include "formats/error.h"

/*
 * Events wait in a line until it is known whether the one in front is selected. An
 * allocation is known when its block is given back, or when it has lived so long that no bound of
 * a range lies between its age and the end of the trace; a deallocation at once, and only one that
 * is selected gets in line. So the line is as long as the bounds are late, whatever the length of
 * the trace: for "lifetime=1ms..10ms" the events of the last 10 ms.
 *
 * Where that are more than LINE_MOST, the line becomes a bit an event: whether it is selected.
 * The bits are filled to the end of the trace; a second scan puts the same events in line,
 * and gives those whose bits are set.
 *
 * An event's id is how many got in line before it.
 */

enum {
	LINE_LEAST = 4096,
	LINE_MOST = 1 << 21, /* 64 MiB; a power of two, as the other */
	GIVEN = 256,
	/* trace_event.operation of one that is in line: */
	UNKNOWN = 254,
	OUT = 255
};

struct lifetimes {
	const struct ranges *ranges;
	uint64_t end_tick;
	scan_events events;
	void *context;
	struct births births;

	/* those in line: line[id % room] for ids from front to back; when it has become bits,
	 * all before front were given */
	struct trace_event *line;
	size_t room; /* 0: the line is bits */
	uint64_t front, back;

	uint64_t *bits; /* bit id - front; all zero from back on */
	size_t words;
	int again;      /* this is the second scan */
	uint64_t first; /* ids that the first one gave */

	uint64_t last_tick; /* of an allocation in front of the line, and what holds for it: */
	int last_known, last_verdict;

	size_t given;
	struct trace_event batch[GIVEN];
};

/* --- what is known -------------------------------------------------------------------- */

/* How long a block lives that is never given back. */
static uint64_t longest(const struct lifetimes *all, uint64_t tick)
{
	return all->end_tick > tick ? all->end_tick - tick : 0;
}

/* Whether all ages from one to another are alike, whatever they are. */
static int are_alike(const struct ranges *ranges, uint64_t age, uint64_t most)
{
	for (size_t i = 0; i < ranges->count; i++) {
		uint64_t from = ranges->list[i].from, to = from + ranges->list[i].length;

		if ((from > age && from <= most) || (to > age && to <= most))
			return 0;
	}
	return 1;
}

/* An allocation whose block is alive. Those of a tick follow each other. */
static int is_known(struct lifetimes *all, uint64_t tick, uint64_t now)
{
	if (all->last_tick != tick || !all->last_known) {
		uint64_t most = longest(all, tick);

		all->last_tick = tick;
		all->last_known = are_alike(all->ranges, now - tick, most);
		all->last_verdict = ranges_hold(all->ranges, most);
	}
	return all->last_known;
}

/* --- bits ------------------------------------------------------------------------------- */

static int reserve_bits(struct lifetimes *all, uint64_t id)
{
	uint64_t word = (id - all->front) / 64;
	size_t words = all->words;
	uint64_t *larger;

	if (word < words)
		return 0;
	if (word >= SIZE_MAX / 32)
		return ERROR_LIMIT;
	while (words <= word)
		words = words ? words * 2 : LINE_MOST / 32;
	larger = reallocarray(all->bits, words, sizeof(*larger));
	if (!larger)
		return ERROR_MEMORY;
	memset(larger + all->words, 0, (words - all->words) * sizeof(*larger));
	all->bits = larger;
	all->words = words;
	return 0;
}

static void set_bit(struct lifetimes *all, uint64_t id, int verdict)
{
	const uint64_t at = id - all->front, bit = UINT64_C(1) << at % 64;
	uint64_t *word = &all->bits[at / 64];

	*word = verdict ? *word | bit : *word & ~bit;
}

static int bit_of(const struct lifetimes *all, uint64_t id)
{
	const uint64_t at = id - all->front;

	return (int)(all->bits[at / 64] >> at % 64 & 1);
}

/* As if no block in line were ever given back. */
static int become_bits(struct lifetimes *all)
{
	int error = reserve_bits(all, all->back);

	if (error)
		return error;
	for (uint64_t id = all->front; id < all->back; id++) {
		const struct trace_event *event = &all->line[id & (all->room - 1)];

		set_bit(all, id,
			event->operation == UNKNOWN
			    ? ranges_hold(all->ranges, longest(all, event->tick))
			    : event->operation != OUT);
	}
	free(all->line);
	all->line = NULL;
	all->room = 0;
	return 0;
}

/* --- the line ---------------------------------------------------------------------------- */

static int give(struct lifetimes *all)
{
	size_t count = all->given;

	all->given = 0;
	return count ? all->events(all->context, all->batch, count) : 0;
}

/* What is known in front. */
static int give_front(struct lifetimes *all, uint64_t now)
{
	int result = 0;

	if (!all->room)
		return 0;
	all->last_known = 0;
	while (all->front < all->back && !result) {
		const struct trace_event *event = &all->line[all->front & (all->room - 1)];
		struct trace_event *to = &all->batch[all->given];
		uint8_t operation = event->operation;

		if (operation == UNKNOWN) {
			if (!is_known(all, event->tick, now))
				break;
			operation = all->last_verdict ? TRACE_OPERATION_ALLOCATION : OUT;
		}
		*to = *event;
		to->operation = operation;
		all->given += operation != OUT;
		all->front++;
		if (all->given == GIVEN)
			result = give(all);
	}
	all->births.known = all->front;
	return result;
}

static int lengthen(struct lifetimes *all)
{
	size_t room = all->room * 2;
	struct trace_event *longer;

	if (room > LINE_MOST)
		return become_bits(all);
	longer = reallocarray(NULL, room, sizeof(*longer));
	if (!longer)
		return become_bits(all);
	for (uint64_t id = all->front; id < all->back; id++)
		longer[id & (room - 1)] = all->line[id & (all->room - 1)];
	free(all->line);
	all->line = longer;
	all->room = room;
	return 0;
}

/* As a bit: what it is unless its block is given back. */
static int get_in_as_bit(struct lifetimes *all, const struct trace_event *event, uint8_t operation)
{
	int error = reserve_bits(all, all->back);

	if (!error)
		set_bit(all, all->back++,
			operation != UNKNOWN ||
			    ranges_hold(all->ranges, longest(all, event->tick)));
	return error;
}

static int get_in(struct lifetimes *all, const struct trace_event *event, uint8_t operation)
{
	struct trace_event *last;

	if (all->room && all->back - all->front == all->room) {
		int error = lengthen(all);

		if (error)
			return error;
	}
	if (!all->room)
		return get_in_as_bit(all, event, operation);
	last = &all->line[all->back++ & (all->room - 1)];
	*last = *event;
	last->operation = operation;
	return 0;
}

static int take_allocation(struct lifetimes *all, const struct trace_event *event)
{
	uint64_t id = all->back;
	int error = get_in(all, event, UNKNOWN);

	return error ? error : births_add(&all->births, event, id);
}

/* Tells the allocation. */
static void decide(struct lifetimes *all, const struct trace_event *event, int verdict)
{
	uint64_t id = births_take(&all->births, event);

	if (id == BIRTHS_NONE || id < all->front)
		return;
	if (all->room)
		all->line[id & (all->room - 1)].operation =
		    verdict ? TRACE_OPERATION_ALLOCATION : OUT;
	else
		set_bit(all, id, verdict);
}

static int take_deallocation(struct lifetimes *all, const struct trace_event *event, uint8_t late)
{
	int verdict = ranges_hold(all->ranges, event->age_ticks);

	decide(all, event, verdict);
	return verdict ? get_in(all, event, event->operation | late) : 0;
}

/* --- the second scan ---------------------------------------------------------------------- */

static int take_again(struct lifetimes *all, const struct trace_event *events, size_t count,
		      const uint8_t *verdict, uint8_t late)
{
	int result = 0;

	for (size_t i = 0; i < count && !result; i++) {
		const struct trace_event *event = &events[i];
		int dies = event->operation == TRACE_OPERATION_DEALLOCATION;
		uint64_t id;

		if (!verdict[i] || (dies && !ranges_hold(all->ranges, event->age_ticks)))
			continue;
		id = all->back++;
		if (id >= all->first)
			return ERROR_FOREIGN; /* the file is another by now */
		if (id < all->front || !bit_of(all, id))
			continue;
		all->batch[all->given] = *event;
		if (dies)
			all->batch[all->given].operation |= late;
		if (++all->given == GIVEN)
			result = give(all);
	}
	return result;
}

/* --- for the caller ----------------------------------------------------------------------- */

int lifetimes_take(struct lifetimes *all, const struct trace_event *events, size_t count,
		   const uint8_t *verdict, uint8_t late)
{
	int result = 0;

	if (all->again)
		return take_again(all, events, count, verdict, late);
	for (size_t i = 0; i < count && !result; i++)
		if (events[i].operation != TRACE_OPERATION_ALLOCATION)
			result = verdict[i] ? take_deallocation(all, &events[i], late) : 0;
		else if (verdict[i])
			result = take_allocation(all, &events[i]);
		else
			result = births_add(&all->births, &events[i], BIRTHS_NONE);
	return result ? result : give_front(all, events[count - 1].tick);
}

int lifetimes_look_at(struct lifetimes *all, const struct trace_event *events, size_t count)
{
	int result = 0;

	for (size_t i = 0; i < count && !result; i++)
		if (events[i].operation == TRACE_OPERATION_ALLOCATION)
			result = births_add(&all->births, &events[i], BIRTHS_NONE);
		else if (events[i].operation == TRACE_OPERATION_DEALLOCATION)
			decide(all, &events[i], ranges_hold(all->ranges, events[i].age_ticks));
	return result ? result : give_front(all, events[count - 1].tick);
}

int lifetimes_are_told(const struct lifetimes *all)
{
	return all->again || (all->room && all->front == all->back);
}

int lifetimes_finish(struct lifetimes *all, int *again)
{
	int result;

	*again = !all->room && !all->again && all->front < all->back;
	/* what is alive now was never given back */
	result = give_front(all, UINT64_MAX);
	if (!result)
		result = give(all);
	if (*again) {
		births_release(&all->births);
		all->again = 1;
		all->first = all->back;
		all->back = 0;
	}
	return result;
}

int lifetimes_new(struct lifetimes **lifetimes, const struct profile *profile,
		  const struct ranges *ranges, uint64_t end_tick, scan_events events, void *context)
{
	struct lifetimes *all = calloc(1, sizeof(*all));

	*lifetimes = all;
	if (!all)
		return ERROR_MEMORY;
	all->ranges = ranges;
	all->end_tick = end_tick;
	all->events = events;
	all->context = context;
	all->room = LINE_LEAST;
	all->line = reallocarray(NULL, all->room, sizeof(*all->line));
	return all->line ? births_init(&all->births, profile) : ERROR_MEMORY;
}

void lifetimes_free(struct lifetimes *all)
{
	if (!all)
		return;
	births_release(&all->births);
	free(all->line);
	free(all->bits);
	free(all);
}
