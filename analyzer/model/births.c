/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/model/births.h"

#include <stdlib.h>
#include <string.h>

#include "formats/error.h"

/*
 * A deallocation of one of a thread's last TRACE_RECENT allocations says which it
 * was. Of an older block it tells class, thread and tick of birth, and of blocks that
 * are alike in this it ends the first. So allocations that are alive when they cease to be
 * recent go into a table of the old: blocks that are alike in a chain, in order. Most
 * blocks never get there, and what the table holds is alive: memory is some 50 bytes a block
 * for as many as are alive and old at the same time. A group whose blocks were all given back
 * stays until the table is full: more of its like often follow.
 */

struct old_block {
	uint64_t id;
	uint32_t next; /* of its chain, or of those that are free; 0: none */
};

struct old_group {
	uint64_t tick, class_thread; /* class_thread 0: no group */
	uint32_t first, last;        /* first 0: all were given back */
};

struct old_blocks {
	struct old_block *blocks;       /* from 1 */
	size_t block_count, block_room; /* block 0 is none */
	uint32_t free_block;
	struct old_group *groups;
	size_t group_count, mask; /* at most half full, empty groups included */
};

/* --- blocks that are old ---------------------------------------------------------------- */

static uint64_t class_thread(uint32_t class_id, uint32_t thread)
{
	return (uint64_t)thread << 32 | class_id;
}

/* Where the group is, or where it would go: best in place of an empty one. */
static struct old_group *find_group(const struct old_blocks *old, uint64_t tick, uint64_t of)
{
	uint64_t hash = (tick * UINT64_C(0x9e3779b97f4a7c15)) ^ (of * UINT64_C(0xc2b2ae3d27d4eb4f));
	struct old_group *empty = NULL;

	for (size_t at = hash ^ hash >> 32;; at++) {
		struct old_group *group = &old->groups[at & old->mask];

		if (group->class_thread == of && group->tick == tick)
			return group;
		if (!group->class_thread)
			return empty ? empty : group;
		if (!group->first && !empty)
			empty = group;
	}
}

/* Leaves out the empty ones. */
static int grow_groups(struct old_blocks *old)
{
	struct old_group *groups = old->groups;
	size_t room = groups ? old->mask + 1 : 0, kept = 0, larger = 4096;

	for (size_t i = 0; i < room; i++)
		kept += groups[i].first != 0;
	while (larger < 4 * kept)
		larger *= 2;
	old->groups = calloc(larger, sizeof(*old->groups));
	if (!old->groups) {
		old->groups = groups;
		return ERROR_MEMORY;
	}
	old->mask = larger - 1;
	old->group_count = kept;
	for (size_t i = 0; i < room; i++)
		if (groups[i].first)
			*find_group(old, groups[i].tick, groups[i].class_thread) = groups[i];
	free(groups);
	return 0;
}

static int new_block(struct old_blocks *old, uint64_t id, uint32_t *block)
{
	if (old->free_block) {
		*block = old->free_block;
		old->free_block = old->blocks[*block].next;
	} else {
		if (old->block_count >= old->block_room) {
			size_t room = old->block_room ? old->block_room * 2 : 1024;
			struct old_block *larger = reallocarray(old->blocks, room, sizeof(*larger));

			if (!larger)
				return ERROR_MEMORY;
			old->blocks = larger;
			old->block_room = room;
		}
		if (old->block_count >= UINT32_MAX)
			return ERROR_LIMIT;
		*block = (uint32_t)old->block_count++;
	}
	old->blocks[*block] = (struct old_block){.id = id};
	return 0;
}

int births_grow_old(struct births *births, uint32_t thread, const struct births_young *young)
{
	struct old_blocks *old = births->old;
	const uint64_t of = class_thread(young->class_id, thread);
	struct old_group *group;
	int error = 0;
	uint32_t block;

	if (!old->groups || (old->group_count + 1) * 2 > old->mask + 1)
		error = grow_groups(old);
	if (!error)
		error = new_block(old, young->id, &block);
	if (error)
		return error;
	group = find_group(old, young->tick, of);
	if (!group->first) {
		old->group_count += !group->class_thread;
		*group =
		    (struct old_group){.tick = young->tick, .class_thread = of, .first = block};
	} else {
		old->blocks[group->last].next = block;
	}
	group->last = block;
	return 0;
}

uint64_t births_take_old(struct births *births, const struct trace_event *event)
{
	struct old_blocks *old = births->old;
	struct old_group *group =
	    old->groups ? find_group(old, event->tick - event->age_ticks,
				     class_thread(event->class_id, event->allocating_thread))
			: NULL;
	struct old_block *block;
	uint32_t first;

	if (!group || !group->first)
		return BIRTHS_NONE;
	first = group->first;
	block = &old->blocks[first];
	group->first = block->next;
	block->next = old->free_block;
	old->free_block = first;
	return block->id;
}

/* --- all blocks --------------------------------------------------------------------------- */

int births_reserve(struct births_thread *thread)
{
	size_t room = thread->room ? thread->room * 4 : TRACE_RECENT / 16;
	struct births_young *larger = reallocarray(thread->recent, room, sizeof(*larger));

	if (!larger)
		return ERROR_MEMORY;
	memset(larger + thread->room, 0, (room - thread->room) * sizeof(*larger));
	thread->recent = larger;
	thread->room = room;
	return 0;
}

int births_init(struct births *births, const struct profile *profile)
{
	*births = (struct births){.thread_count = profile->thread_count};
	births->threads = calloc(profile->thread_count, sizeof(*births->threads));
	births->old = calloc(1, sizeof(*births->old));
	if (!births->threads || !births->old)
		return ERROR_MEMORY;
	births->old->block_count = 1;
	return 0;
}

void births_release(struct births *births)
{
	for (size_t i = 0; births->threads && i < births->thread_count; i++)
		free(births->threads[i].recent);
	free(births->threads);
	if (births->old) {
		free(births->old->groups);
		free(births->old->blocks);
	}
	free(births->old);
	*births = (struct births){0};
}
