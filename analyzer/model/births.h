/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_BIRTHS_H
#define MALLOGRAPH_BIRTHS_H

/* Which allocation a deallocation ends. Whoever asks gives each allocation that matters an id,
 * and gets it back. Private to the model. */

#include "analyzer/model/profile.h"

#define BIRTHS_NONE UINT64_MAX /* no id */

struct births {
	uint64_t known; /* ids below need not be told any more: set by whoever asks */
	struct births_thread {
		struct births_young {
			uint64_t tick, id;
			uint32_t class_id; /* 0: given back, or none that matters */
		} * recent;                /* [number % TRACE_RECENT], as many as are needed */
		size_t room;
		uint64_t made;
	} * threads;
	size_t thread_count;
	struct old_blocks *old; /* births.c */
};

/* ERROR_MEMORY or 0; release in every case. */
int births_init(struct births *births, const struct profile *profile);
void births_release(struct births *births);

/* For the two below. */
int births_reserve(struct births_thread *thread);
int births_grow_old(struct births *births, uint32_t thread, const struct births_young *block);
uint64_t births_take_old(struct births *births, const struct trace_event *event);

/* An allocation; id BIRTHS_NONE: one that does not matter. ids go up. ERROR_MEMORY,
 * ERROR_LIMIT or 0. */
static inline int births_add(struct births *births, const struct trace_event *event, uint64_t id)
{
	struct births_thread *thread = &births->threads[event->thread];
	struct births_young *young;
	int error = 0;

	if (thread->made >= thread->room && thread->room < TRACE_RECENT)
		error = births_reserve(thread);
	if (error)
		return error;
	young = &thread->recent[thread->made++ % TRACE_RECENT];
	if (young->class_id && young->id >= births->known)
		error = births_grow_old(births, event->thread, young);
	*young = (struct births_young){
	    .tick = event->tick, .id = id, .class_id = id == BIRTHS_NONE ? 0 : event->class_id};
	return error;
}

/* The id of the block that a deallocation ends, or BIRTHS_NONE. */
static inline uint64_t births_take(struct births *births, const struct trace_event *event)
{
	struct births_thread *thread = &births->threads[event->allocating_thread];
	struct births_young *young;

	if (event->age_allocations >= TRACE_RECENT)
		return births_take_old(births, event);
	if (event->age_allocations >= thread->made)
		return BIRTHS_NONE;
	young = &thread->recent[(thread->made - 1 - event->age_allocations) % TRACE_RECENT];
	if (!young->class_id)
		return BIRTHS_NONE;
	young->class_id = 0;
	return young->id;
}

#endif
