/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/model/births.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/model/scan.h"
#include "formats/error.h"

/*
 * A bit an allocation, by its thread and its number among those of the thread. At first it
 * is what holds for a block that is never given back.
 *
 * A deallocation of one of the thread's last TRACE_RECENT allocations says which it
 * was. Of an older block it tells class, thread and tick of birth, and of blocks that
 * are alike in this it ends the first. So allocations that are alive when they cease to be
 * recent go into a table of the old: blocks that are alike in a chain, in order. Most
 * blocks never get there, and what the table holds is alive: memory is that of the bits, and
 * some 50 bytes a block for as many as are alive and old at the same time.
 */

struct young { /* class_id 0: given back */
	uint64_t tick;
	uint32_t class_id;
};

struct thread_births {
	uint64_t *words;
	size_t room;
	uint64_t made, asked;
	struct young *recent; /* [number % TRACE_RECENT], as many as are needed */
	size_t recent_room;
};

struct old_block {
	uint64_t number;
	uint32_t next; /* of its chain, or of those that are free; 0: none */
};

struct old_group { /* first 0: no group */
	uint64_t tick;
	uint32_t class_id, thread;
	uint32_t first, last;
};

struct births {
	const struct ranges *lifetime;
	uint64_t end_tick;
	struct thread_births *threads;
	size_t thread_count;
	struct old_block *blocks;       /* from 1 */
	size_t block_count, block_room; /* block 0 is none */
	uint32_t free_block;
	struct old_group *groups;
	size_t group_count, mask; /* at most half full */
};

/* --- blocks that are old ---------------------------------------------------------------- */

static size_t home_of(const struct births *births, const struct old_group *key)
{
	uint64_t hash =
	    (key->tick * UINT64_C(0x9e3779b97f4a7c15)) ^
	    (((uint64_t)key->thread << 32 | key->class_id) * UINT64_C(0xc2b2ae3d27d4eb4f));

	return (size_t)(hash ^ hash >> 32) & births->mask;
}

/* Where the group is, or where it would go. */
static struct old_group *find_group(const struct births *births, const struct old_group *key)
{
	size_t at = home_of(births, key);

	for (;; at = (at + 1) & births->mask) {
		struct old_group *group = &births->groups[at];

		if (!group->first || (group->tick == key->tick && group->thread == key->thread &&
				      group->class_id == key->class_id))
			return group;
	}
}

static int grow_groups(struct births *births)
{
	struct old_group *old = births->groups;
	size_t count = old ? births->mask + 1 : 0, larger = count ? count * 2 : 1024;

	births->groups = calloc(larger, sizeof(*births->groups));
	if (!births->groups) {
		births->groups = old;
		return ERROR_MEMORY;
	}
	births->mask = larger - 1;
	for (size_t i = 0; i < count; i++)
		if (old[i].first)
			*find_group(births, &old[i]) = old[i];
	free(old);
	return 0;
}

/* Moves up what would no longer be found behind the gap. */
static void remove_group(struct births *births, struct old_group *group)
{
	size_t gap = (size_t)(group - births->groups), at = gap;

	for (;;) {
		size_t home;

		at = (at + 1) & births->mask;
		if (!births->groups[at].first)
			break;
		home = home_of(births, &births->groups[at]);
		if (((at - home) & births->mask) < ((at - gap) & births->mask))
			continue;
		births->groups[gap] = births->groups[at];
		gap = at;
	}
	births->groups[gap] = (struct old_group){0};
	births->group_count--;
}

static int new_block(struct births *births, uint64_t number, uint32_t *id)
{
	if (births->free_block) {
		*id = births->free_block;
		births->free_block = births->blocks[*id].next;
	} else {
		if (births->block_count >= births->block_room) {
			size_t room = births->block_room ? births->block_room * 2 : 1024;
			struct old_block *larger =
			    reallocarray(births->blocks, room, sizeof(*larger));

			if (!larger)
				return ERROR_MEMORY;
			births->blocks = larger;
			births->block_room = room;
		}
		if (births->block_count >= UINT32_MAX)
			return ERROR_LIMIT;
		*id = (uint32_t)births->block_count++;
	}
	births->blocks[*id] = (struct old_block){.number = number};
	return 0;
}

static int add_old(struct births *births, uint32_t thread, const struct young *block,
		   uint64_t number)
{
	struct old_group key = {.tick = block->tick, .class_id = block->class_id, .thread = thread};
	struct old_group *group;
	int error = 0;
	uint32_t id;

	if (!births->groups || (births->group_count + 1) * 2 > births->mask + 1)
		error = grow_groups(births);
	if (!error)
		error = new_block(births, number, &id);
	if (error)
		return error;
	group = find_group(births, &key);
	if (!group->first) {
		*group = key;
		group->first = id;
		births->group_count++;
	} else {
		births->blocks[group->last].next = id;
	}
	group->last = id;
	return 0;
}

static int take_old(struct births *births, const struct trace_event *event, uint64_t *number)
{
	struct old_group key = {.tick = event->tick - event->age_ticks,
				.class_id = event->class_id,
				.thread = event->allocating_thread};
	struct old_group *group = births->groups ? find_group(births, &key) : NULL;
	uint32_t id;

	if (!group || !group->first)
		return ERROR_DAMAGED;
	id = group->first;
	*number = births->blocks[id].number;
	group->first = births->blocks[id].next;
	if (!group->first)
		remove_group(births, group);
	births->blocks[id].next = births->free_block;
	births->free_block = id;
	return 0;
}

/* --- all blocks --------------------------------------------------------------------------- */

static int add_bit(struct thread_births *thread, int value)
{
	size_t word = (size_t)(thread->made / 64);
	uint64_t bit = UINT64_C(1) << thread->made % 64;

	if (word >= thread->room) {
		size_t room = thread->room ? thread->room * 2 : 4;
		uint64_t *larger = reallocarray(thread->words, room, sizeof(*larger));

		if (!larger)
			return ERROR_MEMORY;
		thread->words = larger;
		thread->room = room;
	}
	/* pages that are not needed yet stay untouched */
	if (bit == 1)
		thread->words[word] = 0;
	if (value)
		thread->words[word] |= bit;
	thread->made++;
	return 0;
}

static int reserve_recent(struct thread_births *thread)
{
	size_t room = thread->recent_room ? thread->recent_room * 4 : TRACE_RECENT / 16;
	struct young *larger;

	if (thread->made < thread->recent_room || thread->recent_room == TRACE_RECENT)
		return 0;
	larger = reallocarray(thread->recent, room, sizeof(*larger));
	if (!larger)
		return ERROR_MEMORY;
	thread->recent = larger;
	thread->recent_room = room;
	return 0;
}

static int add_birth(struct births *births, const struct trace_event *event)
{
	struct thread_births *thread = &births->threads[event->thread];
	uint64_t left = births->end_tick > event->tick ? births->end_tick - event->tick : 0;
	int error = reserve_recent(thread);
	struct young *young;

	if (error)
		return error;
	young = &thread->recent[thread->made % TRACE_RECENT];
	if (thread->made >= TRACE_RECENT && young->class_id)
		error = add_old(births, event->thread, young, thread->made - TRACE_RECENT);
	*young = (struct young){.tick = event->tick, .class_id = event->class_id};
	return error ? error : add_bit(thread, ranges_hold(births->lifetime, left));
}

static int add_death(struct births *births, const struct trace_event *event)
{
	struct thread_births *thread = &births->threads[event->allocating_thread];
	uint64_t number, bit;
	int error = 0;

	if (event->age_allocations >= TRACE_RECENT) {
		error = take_old(births, event, &number);
	} else if (event->age_allocations >= thread->made) {
		error = ERROR_DAMAGED;
	} else {
		number = thread->made - 1 - event->age_allocations;
		thread->recent[number % TRACE_RECENT].class_id = 0;
	}
	if (error)
		return error;
	bit = UINT64_C(1) << number % 64;
	if (ranges_hold(births->lifetime, event->age_ticks))
		thread->words[number / 64] |= bit;
	else
		thread->words[number / 64] &= ~bit;
	return 0;
}

static int look_at_events(void *context, const struct trace_event *events, size_t count)
{
	struct births *births = context;
	int error = 0;

	for (size_t i = 0; i < count && !error; i++) {
		if (events[i].operation == TRACE_OPERATION_ALLOCATION)
			error = add_birth(births, &events[i]);
		else if (events[i].operation == TRACE_OPERATION_DEALLOCATION)
			error = add_death(births, &events[i]);
	}
	return error;
}

/* What only the first scan needs. */
static void release_blocks(struct births *births)
{
	for (size_t i = 0; i < births->thread_count; i++) {
		free(births->threads[i].recent);
		births->threads[i].recent = NULL;
	}
	free(births->groups);
	free(births->blocks);
	births->groups = NULL;
	births->blocks = NULL;
}

int births_new(struct births **births, const struct profile *profile, const struct ranges *lifetime,
	       uint64_t end_tick)
{
	struct births *made = calloc(1, sizeof(*made));
	int error = ERROR_MEMORY;

	*births = made;
	if (!made)
		return ERROR_MEMORY;
	made->lifetime = lifetime;
	made->end_tick = end_tick;
	made->block_count = 1;
	made->threads = calloc(profile->thread_count, sizeof(*made->threads));
	if (made->threads) {
		made->thread_count = profile->thread_count;
		error = profile_scan(profile, look_at_events, made);
	}
	release_blocks(made);
	return error;
}

void births_free(struct births *births)
{
	if (!births)
		return;
	release_blocks(births);
	for (size_t i = 0; i < births->thread_count; i++)
		free(births->threads[i].words);
	free(births->threads);
	free(births);
}

int births_next(struct births *births, uint32_t thread)
{
	struct thread_births *of = &births->threads[thread];
	uint64_t number = of->asked++;

	return number < of->made && of->words[number / 64] >> number % 64 & 1;
}
