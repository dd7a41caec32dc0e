/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/model/recount.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/model/filtered_scan.h"
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

#define SUM_MAX    ((uint64_t)INT64_MAX)
#define LINE_BYTES 64

void recount_init(struct recount *recount, struct profile *profile)
{
	*recount = (struct recount){.profile = profile};
}

void recount_release(struct recount *recount)
{
	free(recount->classes);
	recount->classes = NULL;
}

static int reserve_classes(struct recount *recount)
{
	const struct profile *profile = recount->profile;
	size_t room = recount->class_room;
	struct recount_class *classes = recount->classes;

	if (profile->class_count > room) {
		room = profile->class_count + room / 2;
		classes = aligned_alloc(LINE_BYTES, room * sizeof(*classes));
		if (!classes)
			return ERROR_MEMORY;
		if (recount->class_count)
			memcpy(classes, recount->classes, recount->class_count * sizeof(*classes));
		free(recount->classes);
		recount->classes = classes;
		recount->class_room = room;
	}
	/* no peak can have seen a class that is new: its live count was 0 */
	for (size_t i = recount->class_count; i < profile->class_count; i++)
		classes[i] = (struct recount_class){.size = profile->classes[i].size};
	recount->class_count = profile->class_count;
	return 0;
}

static inline void save_share(const struct recount *recount, struct recount_class *class_)
{
	if (class_->stamp == recount->peak_number)
		return;
	class_->stamp = recount->peak_number;
	class_->peak_live = class_->allocations - class_->deallocations;
}

static inline int allocation(struct recount *recount, struct recount_class *class_,
			     const struct trace_event *event)
{
	struct profile_totals *totals = &recount->profile->totals;
	struct profile_thread *thread = &recount->profile->threads[event->allocating_thread];

	if (class_->size > SUM_MAX - totals->bytes)
		return ERROR_DAMAGED;
	save_share(recount, class_);
	class_->allocations++;
	thread->allocations++;
	thread->bytes += class_->size;
	totals->bytes += class_->size;
	totals->reallocations += event->realloc;
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

static inline int deallocation(struct recount *recount, struct recount_class *class_,
			       const struct trace_event *event)
{
	struct profile_thread *thread = &recount->profile->threads[event->allocating_thread];
	int temporary = event->age_allocations <= recount->temporary_threshold;

	class_->temporary += temporary;
	thread->temporary += temporary;
	if (event->operation == FILTER_LATE_DEALLOCATION)
		return 0;
	if (class_->allocations == class_->deallocations ||
	    thread->allocations == thread->deallocations)
		return ERROR_DAMAGED;
	save_share(recount, class_);
	class_->deallocations++;
	thread->deallocations++;
	recount->live_blocks--;
	recount->live_bytes -= class_->size;
	return 0;
}

static void count_free(struct profile *profile, unsigned operation)
{
	profile->end[operation == TRACE_OPERATION_UNKNOWN_FREE ? TRACE_END_UNKNOWN_FREES
							       : TRACE_END_INHERITED_FREES]++;
}

int recount_events(struct recount *recount, const struct trace_event *events, size_t count,
		   const uint32_t *ids)
{
	struct profile *profile = recount->profile;
	int error = reserve_classes(recount);
	size_t done;

	if (error)
		return error;
	for (done = 0; done < count; done++) {
		const struct trace_event *event = &events[done];
		uint32_t id = ids ? ids[done] : event->class_id;

		if (event->operation == TRACE_OPERATION_UNKNOWN_FREE ||
		    event->operation == TRACE_OPERATION_INHERITED_FREE) {
			count_free(profile, event->operation);
			continue;
		}
		error =
		    id >= recount->class_count || event->allocating_thread >= profile->thread_count
			? ERROR_DAMAGED
		    : event->operation == TRACE_OPERATION_ALLOCATION
			? allocation(recount, &recount->classes[id], event)
			: deallocation(recount, &recount->classes[id], event);
		if (error)
			break;
	}
	profile->event_count += done;
	if (done && events[done - 1].tick > recount->last_tick)
		recount->last_tick = events[done - 1].tick;
	return error;
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
	int error = reserve_classes(recount);

	if (error)
		return error;
	for (size_t i = 1; i < profile->class_count; i++) {
		struct recount_class *from = &recount->classes[i];
		struct profile_class *to = &profile->classes[i];

		save_share(recount, from);
		if (from->temporary > from->allocations)
			return ERROR_DAMAGED;
		to->allocations = from->allocations;
		to->deallocations = from->deallocations;
		to->temporary = from->temporary;
		to->peak_live = from->peak_live;
		totals->allocations += from->allocations;
		totals->deallocations += from->deallocations;
		totals->temporary += from->temporary;
	}
	totals->leaked_blocks = recount->live_blocks;
	totals->leaked_bytes = recount->live_bytes;
	return count_doubtful_stacks(profile);
}
