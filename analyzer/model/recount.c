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
		size_t likely = profile->whole ? profile->whole->class_count : 0;

		room = profile->class_count + room / 2;
		room = likely > room ? likely : room;
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

static inline void save_share(struct recount_class *class_, uint64_t peak_number)
{
	if (class_->stamp != peak_number) {
		class_->peak_live = class_->live;
		class_->stamp = peak_number;
	}
}

/* Operations other than the two that are counted in the loop below. */
static int count_other(struct recount *recount, struct recount_class *class_,
		       const struct trace_event *event)
{
	struct profile *profile = recount->profile;
	int temporary = event->age_allocations <= recount->temporary_threshold;

	switch (event->operation) {
	case TRACE_OPERATION_UNKNOWN_FREE:
		profile->end[TRACE_END_UNKNOWN_FREES]++;
		return 0;
	case TRACE_OPERATION_INHERITED_FREE:
		profile->end[TRACE_END_INHERITED_FREES]++;
		return 0;
	case FILTER_LATE_DEALLOCATION:
		class_->temporary += temporary;
		profile->threads[event->allocating_thread].temporary += temporary;
		return 0;
	}
	return ERROR_DAMAGED;
}

/* What changes with nearly every event, out of memory's way. */
struct sums {
	uint64_t live_bytes, live_blocks, reallocations;
	uint64_t peak_number, peak_bytes;
};

static inline void allocation(struct recount *recount, struct sums *sums,
			      struct recount_class *class_, const struct trace_event *event)
{
	struct profile *profile = recount->profile;
	struct profile_thread *thread = &profile->threads[event->allocating_thread];
	const uint64_t size = class_->size;

	save_share(class_, sums->peak_number);
	class_->allocations++;
	class_->live++;
	thread->allocations++;
	thread->bytes += size;
	sums->reallocations += event->realloc;
	sums->live_blocks++;
	sums->live_bytes += size;
	if (sums->live_bytes > sums->peak_bytes) {
		sums->peak_number++;
		sums->peak_bytes = sums->live_bytes;
		profile->totals.peak_blocks = sums->live_blocks;
		profile->totals.peak_tick = event->tick;
	}
}

static inline int deallocation(struct recount *recount, struct sums *sums,
			       struct recount_class *class_, const struct trace_event *event)
{
	struct profile_thread *thread = &recount->profile->threads[event->allocating_thread];
	const int temporary = event->age_allocations <= recount->temporary_threshold;

	if (!class_->live || thread->allocations == thread->deallocations)
		return ERROR_DAMAGED;
	save_share(class_, sums->peak_number);
	class_->live--;
	class_->temporary += temporary;
	thread->deallocations++;
	thread->temporary += temporary;
	sums->live_blocks--;
	sums->live_bytes -= class_->size;
	return 0;
}

/* Returns how many were counted: all of them, or *error says why not. */
__attribute__((always_inline)) static inline size_t
count_events(struct recount *recount, struct sums *sums, const struct trace_event *events,
	     size_t count, const uint32_t *ids, int *error)
{
	const size_t threads = recount->profile->thread_count, classes = recount->class_count;
	size_t done;

	for (done = 0; done < count; done++) {
		const struct trace_event *event = &events[done];
		const uint32_t id = ids ? ids[done] : event->class_id;
		struct recount_class *class_ = &recount->classes[id];
		int fault = 0;

		if (id >= classes || event->allocating_thread >= threads)
			fault = ERROR_DAMAGED;
		else if (event->operation == TRACE_OPERATION_ALLOCATION)
			allocation(recount, sums, class_, event);
		else if (event->operation == TRACE_OPERATION_DEALLOCATION)
			fault = deallocation(recount, sums, class_, event);
		else
			fault = count_other(recount, class_, event);
		if (fault) {
			*error = fault;
			break;
		}
	}
	return done;
}

int recount_events(struct recount *recount, const struct trace_event *events, size_t count,
		   const uint32_t *ids)
{
	struct profile *profile = recount->profile;
	struct profile_totals *totals = &profile->totals;
	struct sums sums = {
	    .live_bytes = recount->live_bytes,
	    .live_blocks = recount->live_blocks,
	    .reallocations = totals->reallocations,
	    .peak_number = recount->peak_number,
	    .peak_bytes = totals->peak_bytes,
	};
	int error = reserve_classes(recount);
	size_t done;

	if (error)
		return error;
	done = ids ? count_events(recount, &sums, events, count, ids, &error)
		   : count_events(recount, &sums, events, count, NULL, &error);
	recount->live_bytes = sums.live_bytes;
	recount->live_blocks = sums.live_blocks;
	totals->reallocations = sums.reallocations;
	recount->peak_number = sums.peak_number;
	totals->peak_bytes = sums.peak_bytes;
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
		uint64_t bytes;

		save_share(from, recount->peak_number);
		if (from->temporary > from->allocations ||
		    __builtin_mul_overflow(from->allocations, from->size, &bytes) ||
		    bytes > SUM_MAX - totals->bytes)
			return ERROR_DAMAGED;
		to->allocations = from->allocations;
		to->deallocations = from->allocations - from->live;
		to->temporary = from->temporary;
		to->peak_live = from->peak_live;
		totals->bytes += bytes;
		totals->allocations += from->allocations;
		totals->deallocations += to->deallocations;
		totals->temporary += from->temporary;
	}
	totals->leaked_blocks = recount->live_blocks;
	totals->leaked_bytes = recount->live_bytes;
	return count_doubtful_stacks(profile);
}
