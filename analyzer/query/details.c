/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/query/details.h"

#include <stdlib.h>

#include "analyzer/model/filtered_scan.h"
#include "analyzer/model/parts.h"
#include "formats/error.h"

/* How often a thread allocated in a group: only pairs that occur. */
struct pair {
	uint32_t group, thread;
	uint64_t allocations;
};

struct gathering {
	const struct profile *profile;
	const uint32_t *group_of;
	struct details *details;
	uint64_t *live;      /* by group: bytes */
	uint32_t *last_pair; /* by group */
	struct parts parts;
	struct pair *pairs; /* from 1 */
	size_t pair_count, pair_room;
	struct id_table pair_ids;
	int has_threads, has_lifetimes;
};

static int is_pair(const void *context, const void *key, uint32_t id)
{
	const struct gathering *all = context;
	const struct pair *pair = &all->pairs[id], *wanted = key;

	return pair->group == wanted->group && pair->thread == wanted->thread;
}

static int find_pair(struct gathering *all, uint32_t group, uint32_t thread)
{
	struct pair key = {.group = group, .thread = thread};
	uint64_t hash = id_table_hash(id_table_hash(0, group), thread);
	uint32_t id = id_table_find(&all->pair_ids, hash, is_pair, all, &key);

	if (!id) {
		if (all->pair_count >= all->pair_room) {
			size_t room = all->pair_room ? all->pair_room * 2 : 256;
			struct pair *larger = reallocarray(all->pairs, room, sizeof(*larger));

			if (!larger)
				return ERROR_MEMORY;
			all->pairs = larger;
			all->pair_room = room;
		}
		if (all->pair_count >= UINT32_MAX)
			return ERROR_LIMIT;
		id = (uint32_t)all->pair_count++;
		all->pairs[id] = key;
		if (id_table_add(&all->pair_ids, hash, id))
			return ERROR_MEMORY;
		all->details[group].threads++;
	}
	all->last_pair[group] = id;
	return 0;
}

static int allocation(struct gathering *all, const struct trace_event *event, uint32_t group,
		      uint64_t size)
{
	struct details *details = &all->details[group];

	all->live[group] += size;
	if (all->live[group] > details->own_peak_bytes) {
		details->own_peak_bytes = all->live[group];
		details->own_peak_tick = event->tick;
	}
	if (event->tick < details->first_tick)
		details->first_tick = event->tick;
	details->last_tick = event->tick;
	if (!all->has_threads)
		return 0;
	if ((!all->last_pair[group] || all->pairs[all->last_pair[group]].thread != event->thread) &&
	    find_pair(all, group, event->thread))
		return ERROR_MEMORY;
	all->pairs[all->last_pair[group]].allocations++;
	return 0;
}

static int deallocation(struct gathering *all, const struct trace_event *event, uint32_t group,
			uint64_t size)
{
	struct details *details = &all->details[group];

	if (event->operation != FILTER_LATE_DEALLOCATION) {
		if (all->live[group] < size)
			return ERROR_DAMAGED;
		all->live[group] -= size;
	}
	if (!all->has_lifetimes)
		return 0;
	details->lifetime_count++;
	if (__builtin_add_overflow(details->lifetime_sum, event->age_ticks,
				   &details->lifetime_sum) ||
	    details->lifetime_sum > INT64_MAX)
		details->lifetime_sum = INT64_MAX;
	if (event->age_ticks < details->lifetime_least)
		details->lifetime_least = event->age_ticks;
	if (event->age_ticks > details->lifetime_most)
		details->lifetime_most = event->age_ticks;
	return 0;
}

static int gather_events(void *context, const struct trace_event *events, size_t count)
{
	struct gathering *all = context;
	int error = 0;

	for (size_t i = 0; i < count && !error; i++) {
		const struct trace_event *event = &events[i];
		uint32_t id = all->parts.split ? parts_find(&all->parts, event) : event->class_id;
		uint32_t group = id ? all->group_of[id] : UINT32_MAX;

		if (group == UINT32_MAX || (event->operation != TRACE_OPERATION_ALLOCATION &&
					    event->operation != TRACE_OPERATION_DEALLOCATION &&
					    event->operation != FILTER_LATE_DEALLOCATION))
			continue;
		error = event->operation == TRACE_OPERATION_ALLOCATION
			    ? allocation(all, event, group, all->profile->classes[id].size)
			    : deallocation(all, event, group, all->profile->classes[id].size);
	}
	return error;
}

/* The least that begins as the greatest is 0 where there was nothing; the main thread is
 * the one with the smaller id where two allocated as often. */
static void finish_details(struct gathering *all, size_t groups)
{
	for (size_t i = 0; i < groups; i++) {
		struct details *details = &all->details[i];

		if (details->first_tick == UINT64_MAX)
			details->first_tick = 0;
		if (!details->lifetime_count)
			details->lifetime_least = 0;
	}
	for (size_t i = 1; i < all->pair_count; i++) {
		const struct pair *pair = &all->pairs[i];
		struct details *details = &all->details[pair->group];

		if (pair->allocations < details->thread_allocations ||
		    (pair->allocations == details->thread_allocations &&
		     pair->thread > details->thread))
			continue;
		details->thread = pair->thread;
		details->thread_allocations = pair->allocations;
	}
}

int details_collect(struct details **details, const struct profile *profile,
		    const struct filter *filter, const uint32_t *group_of, size_t groups)
{
	struct gathering all = {
	    .profile = profile,
	    .group_of = group_of,
	    .details = calloc(groups + 1, sizeof(*all.details)),
	    .live = calloc(groups + 1, sizeof(*all.live)),
	    .last_pair = calloc(groups + 1, sizeof(*all.last_pair)),
	    .pair_count = 1,
	    .has_threads = !(profile->lacks & PROFILE_LACKS_THREADS),
	    .has_lifetimes = !(profile->lacks & PROFILE_LACKS_LIFETIMES),
	};
	int error = all.details && all.live && all.last_pair ? 0 : ERROR_MEMORY;

	for (size_t i = 0; i < groups && !error; i++)
		all.details[i].first_tick = all.details[i].lifetime_least = UINT64_MAX;
	if (!error && parts_are_of(profile))
		error = parts_init(&all.parts, profile);
	if (!error)
		error = filtered_scan(profile, filter, gather_events, &all, NULL, 0);
	if (!error)
		finish_details(&all, groups);
	parts_release(&all.parts);
	id_table_release(&all.pair_ids);
	free(all.pairs);
	free(all.live);
	free(all.last_pair);
	if (error) {
		free(all.details);
		all.details = NULL;
	}
	*details = all.details;
	return error;
}
