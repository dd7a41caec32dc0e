/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/model/recount.h"

#include <stdlib.h>
#include <string.h>

#include "formats/error.h"

/*
 * The share of each class in the peak, in one pass and without a copy of all
 * classes at each new maximum: a maximum only takes a new number. A class that
 * changes afterwards first saves its live count, once for that number (its
 * stamp). At the end the share of a class is what it saved when its stamp is the
 * number of the last maximum, and what is live otherwise: it has not changed.
 *
 * Number 0 is the start, when nothing lives: its shares are 0.
 */

#define SUM_MAX ((uint64_t)INT64_MAX)

void recount_init(struct recount *recount, struct profile *profile)
{
	*recount = (struct recount){.profile = profile};
}

void recount_release(struct recount *recount)
{
	free(recount->stamp);
	recount->stamp = NULL;
}

static int reserve_stamps(struct recount *recount)
{
	size_t count = recount->profile->class_count;
	uint64_t *stamp;

	if (recount->stamp_count >= count)
		return 0;
	count += count / 2 + 64;
	stamp = realloc(recount->stamp, count * sizeof(*stamp));
	if (!stamp)
		return ERROR_MEMORY;
	/* no peak can have seen a class that is new: its live count was 0 */
	for (size_t i = recount->stamp_count; i < count; i++)
		stamp[i] = 0;
	recount->stamp = stamp;
	recount->stamp_count = count;
	return 0;
}

static uint64_t live(const struct profile_class *class_)
{
	return class_->allocations - class_->deallocations;
}

static void save_share(struct recount *recount, uint32_t id)
{
	struct profile_class *class_ = &recount->profile->classes[id];

	if (recount->stamp[id] == recount->peak_number)
		return;
	recount->stamp[id] = recount->peak_number;
	class_->peak_live = live(class_);
}

static int allocation(struct recount *recount, const struct trace_event *event)
{
	struct profile *profile = recount->profile;
	struct profile_totals *totals = &profile->totals;
	struct profile_class *class_ = &profile->classes[event->class_id];
	struct profile_thread *thread = &profile->threads[event->thread];

	if (class_->size > SUM_MAX - totals->bytes)
		return ERROR_DAMAGED;
	save_share(recount, event->class_id);
	class_->allocations++;
	thread->allocations++;
	thread->bytes += class_->size;
	totals->allocations++;
	totals->bytes += class_->size;
	totals->reallocations += event->realloc != 0;
	recount->live_blocks++;
	recount->live_bytes += class_->size;
	if (recount->live_bytes > totals->peak_bytes) {
		recount->peak_number++;
		totals->peak_bytes = recount->live_bytes;
		totals->peak_blocks = recount->live_blocks;
		totals->peak_tick = event->tick;
	}
	return 0;
}

static int deallocation(struct recount *recount, const struct trace_event *event)
{
	struct profile *profile = recount->profile;
	struct profile_class *class_ = &profile->classes[event->class_id];
	struct profile_thread *thread = &profile->threads[event->allocating_thread];
	int temporary = event->age_allocations == 0;

	if (!live(class_) || thread->allocations == thread->deallocations)
		return ERROR_DAMAGED;
	save_share(recount, event->class_id);
	class_->deallocations++;
	class_->temporary += temporary;
	thread->deallocations++;
	thread->temporary += temporary;
	profile->totals.deallocations++;
	profile->totals.temporary += temporary;
	recount->live_blocks--;
	recount->live_bytes -= class_->size;
	return 0;
}

int recount_event(struct recount *recount, const struct trace_event *event)
{
	struct profile *profile = recount->profile;
	int error = reserve_stamps(recount);

	if (error)
		return error;
	if (event->tick > recount->last_tick)
		recount->last_tick = event->tick;
	switch (event->operation) {
	case TRACE_OPERATION_ALLOCATION:
		if (event->class_id >= profile->class_count ||
		    event->thread >= profile->thread_count)
			return ERROR_DAMAGED;
		return allocation(recount, event);
	case TRACE_OPERATION_DEALLOCATION:
		if (event->class_id >= profile->class_count ||
		    event->allocating_thread >= profile->thread_count)
			return ERROR_DAMAGED;
		return deallocation(recount, event);
	case TRACE_OPERATION_UNKNOWN_FREE:
		profile->end[TRACE_END_UNKNOWN_FREES]++;
		return 0;
	case TRACE_OPERATION_INHERITED_FREE:
		profile->end[TRACE_END_INHERITED_FREES]++;
		return 0;
	}
	return 0;
}

/* A doubtful stack counts once for each allocation, whatever it has of a kind. */
static int count_doubtful_stacks(struct profile *profile)
{
	unsigned char *flags = calloc(profile->node_count, 1);

	if (!flags)
		return ERROR_MEMORY;
	for (size_t i = 1; i < profile->node_count; i++)
		flags[i] =
		    (unsigned char)(flags[profile->nodes[i].parent] | profile->nodes[i].flags);
	for (size_t i = 1; i < profile->class_count; i++) {
		const struct profile_class *class_ = &profile->classes[i];
		unsigned found = flags[class_->node];

		if (!class_->node)
			profile->end[TRACE_END_STACKS_UNKNOWN] += class_->allocations;
		if (found & TRACE_NODE_INCOMPLETE)
			profile->end[TRACE_END_STACKS_INCOMPLETE] += class_->allocations;
		if (found & TRACE_NODE_CUT)
			profile->end[TRACE_END_STACKS_CUT] += class_->allocations;
		if (found & TRACE_NODE_GUESSED)
			profile->end[TRACE_END_STACKS_GUESSED] += class_->allocations;
	}
	free(flags);
	return 0;
}

int recount_finish(struct recount *recount)
{
	struct profile *profile = recount->profile;
	struct profile_totals *totals = &profile->totals;
	int error = reserve_stamps(recount);

	if (error)
		return error;
	for (size_t i = 1; i < profile->class_count; i++)
		save_share(recount, (uint32_t)i);
	totals->leaked_blocks = recount->live_blocks;
	totals->leaked_bytes = recount->live_bytes;
	return count_doubtful_stacks(profile);
}
