/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/query/timeline.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/model/filtered_scan.h"
#include "formats/error.h"

/*
 * One scan finds the largest instant of every interval and what each class had
 * alive then, without a copy of all classes at each new maximum: as in
 * model/recount.c a maximum only takes a new number, and a class that changes
 * afterwards first saves its live count, once for that number (its stamp). When
 * the interval is over the share of a class is what it saved when its stamp is the
 * number of the last maximum, and what is live otherwise.
 *
 * Whether an interval holds the peak of all is known at its end only so far: it is the
 * peak as long as none has more. So the shares of that one are kept beside those
 * of the detailed snapshots, and dropped when a larger one comes.
 *
 * The way not taken: massif thins a growing list of snapshots out as it goes, for
 * it can't know the end of its axis. A trace's totals tell it.
 */

#define ADMIN_BYTES 8
#define ALIGNMENT   16

struct collector {
	const struct profile *profile;
	const struct timeline_options *options;
	struct timeline *timeline;
	struct profile_totals totals; /* of the events */
	uint64_t *live;               /* by class, now */
	uint64_t *saved;              /* by class, at the maximum where stamp says so */
	uint64_t *stamp;
	uint64_t maximum; /* number of the last one */
	struct timeline_snapshot now, largest;
	size_t intervals, interval;
	uint64_t next; /* where the interval after this one begins */
	int idle;      /* nothing has happened in this interval */
	int was_idle;  /* nor in the one before */
	size_t peak;   /* index + 1 in snapshots; 0: none yet */
};

uint64_t timeline_extra_bytes(uint64_t size)
{
	return ADMIN_BYTES + (0 - size) % ALIGNMENT;
}

/* The first unit of the axis that belongs to an interval. */
static uint64_t interval_start(const struct collector *all, size_t interval)
{
	unsigned __int128 end = all->timeline->end_time;

	return (uint64_t)((end * interval + all->intervals - 1) / all->intervals);
}

static void note_maximum(struct collector *all)
{
	all->largest = all->now;
	all->maximum++;
}

static void save_share(struct collector *all, uint32_t class_id)
{
	if (all->stamp[class_id] == all->maximum)
		return;
	all->stamp[class_id] = all->maximum;
	all->saved[class_id] = all->live[class_id];
}

static int copy_shares(const struct collector *all, uint32_t **shares)
{
	size_t count = all->profile->class_count;

	*shares = calloc(count, sizeof(**shares));
	if (!*shares)
		return ERROR_MEMORY;
	for (size_t i = 1; i < count; i++) {
		uint64_t live = all->stamp[i] == all->maximum ? all->saved[i] : all->live[i];

		if (live > UINT32_MAX)
			return ERROR_LIMIT;
		(*shares)[i] = (uint32_t)live;
	}
	return 0;
}

static int is_detailed(const struct collector *all, size_t index)
{
	unsigned every = all->options->detailed_every;

	return every && (index + 1) % every == 0;
}

static void new_peak(struct collector *all, size_t index)
{
	struct timeline_snapshot *snapshots = all->timeline->snapshots;

	if (all->peak) {
		struct timeline_snapshot *old = &snapshots[all->peak - 1];

		old->peak = 0;
		if (!is_detailed(all, all->peak - 1)) {
			free(old->live);
			old->live = NULL;
		}
	}
	snapshots[index].peak = 1;
	all->peak = index + 1;
}

/* The largest instant so far becomes a snapshot. */
static int add_snapshot(struct collector *all)
{
	struct timeline *timeline = all->timeline;
	size_t index = timeline->count++;
	uint64_t before = all->peak ? timeline->snapshots[all->peak - 1].heap_bytes : 0;

	timeline->snapshots[index] = all->largest;
	if (all->largest.heap_bytes > before)
		new_peak(all, index);
	if (!timeline->snapshots[index].peak && !is_detailed(all, index))
		return 0;
	return copy_shares(all, &timeline->snapshots[index].live);
}

/* The state that an interval begins with is its first maximum. */
static void begin_interval(struct collector *all)
{
	uint64_t time = interval_start(all, all->interval);

	all->next = all->interval + 1 < all->intervals ? interval_start(all, all->interval + 1)
						       : UINT64_MAX;
	note_maximum(all);
	all->largest.time = time;
	if (all->options->axis == TIMELINE_MS)
		all->largest.tick = time;
}

static int end_interval(struct collector *all)
{
	int empty = all->interval == 0 && all->largest.blocks == 0;
	int error = empty || (all->idle && all->was_idle) ? 0 : add_snapshot(all);

	all->interval++;
	all->was_idle = all->idle;
	all->idle = 1;
	return error;
}

static int advance(struct collector *all, uint64_t time)
{
	while (time >= all->next) {
		int error = end_interval(all);

		if (error)
			return error;
		begin_interval(all);
	}
	/* (events that go on behind the totals' end are no trace of ours) */
	all->now.time = time < all->timeline->end_time ? time : all->timeline->end_time;
	return 0;
}

static uint64_t time_of(const struct collector *all, const struct trace_event *event, uint64_t size)
{
	switch (all->options->axis) {
	case TIMELINE_MS:
		return event->tick;
	case TIMELINE_ALLOCATIONS:
		return all->now.time + (event->operation == TRACE_OPERATION_ALLOCATION);
	case TIMELINE_BYTES:
		return all->now.time + size;
	}
	return 0;
}

static void allocate(struct collector *all, uint32_t class_id, uint64_t size)
{
	save_share(all, class_id);
	all->live[class_id]++;
	all->now.blocks++;
	all->now.heap_bytes += size;
	all->now.extra_bytes += timeline_extra_bytes(size);
	if (all->now.heap_bytes > all->largest.heap_bytes)
		note_maximum(all);
}

static int deallocate(struct collector *all, uint32_t class_id, uint64_t size)
{
	if (!all->live[class_id])
		return ERROR_DAMAGED;
	save_share(all, class_id);
	all->live[class_id]--;
	all->now.blocks--;
	all->now.heap_bytes -= size;
	all->now.extra_bytes -= timeline_extra_bytes(size);
	return 0;
}

static int take_event(struct collector *all, const struct trace_event *event)
{
	int allocation = event->operation == TRACE_OPERATION_ALLOCATION;
	uint64_t size;
	int error;

	if (!allocation && event->operation != TRACE_OPERATION_DEALLOCATION)
		return 0;
	if (event->class_id >= all->profile->class_count)
		return ERROR_DAMAGED;
	size = all->profile->classes[event->class_id].size;
	error = advance(all, time_of(all, event, size));
	if (error)
		return error;
	all->idle = 0;
	all->now.tick = event->tick;
	if (!allocation)
		return deallocate(all, event->class_id, size);
	allocate(all, event->class_id, size);
	return 0;
}

static int take_events(void *context, const struct trace_event *events, size_t count)
{
	int error = 0;

	for (size_t i = 0; i < count && !error; i++)
		error = take_event(context, &events[i]);
	return error;
}

/* Where no totals tell what the events add up to. */
static int count_events(void *context, const struct trace_event *events, size_t count)
{
	struct collector *all = context;
	struct profile_totals *totals = &all->totals;

	for (size_t i = 0; i < count; i++) {
		int allocation = events[i].operation == TRACE_OPERATION_ALLOCATION;
		uint64_t size;

		if (events[i].class_id >= all->profile->class_count ||
		    (!allocation && events[i].operation != TRACE_OPERATION_DEALLOCATION))
			continue;
		size = all->profile->classes[events[i].class_id].size;
		totals->allocations += (uint64_t)allocation;
		totals->bytes += allocation ? size : 0;
		totals->leaked_bytes += allocation ? size : 0 - size;
		if (totals->leaked_bytes > totals->peak_bytes)
			totals->peak_bytes = totals->leaked_bytes;
	}
	return 0;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* A selection ends with its time range, or at its instant. */
static uint64_t find_end(const struct profile *profile, const struct filter *filter)
{
	const struct profile *whole = profile->whole ? profile->whole : profile;
	uint64_t stopped = profile->end[TRACE_END_EVENTS_STOPPED];
	uint64_t end = stopped ? stopped - 1 : profile->totals.end_tick;

	if (!filter)
		return end;
	if (filter->instant == FILTER_AT_TICK)
		end = least(end, filter->tick);
	if (filter->instant == FILTER_AT_PEAK)
		end = least(end, whole->totals.peak_tick);
	return least(end, filter_range_end(filter));
}

/* Those of a selection are of its events alone, and so are those of a whole profile, unless
 * recording events had stopped before the counters did. */
static int find_totals(struct collector *all, const struct profile *profile)
{
	const struct filter *filter = all->options->filter;
	int error = 0;

	all->totals = profile->totals;
	if (profile->end[TRACE_END_EVENTS_STOPPED] ||
	    (!profile->whole && filter && !filter_is_empty(filter))) {
		all->totals = (struct profile_totals){0};
		error = filtered_scan(profile, filter, count_events, all, NULL, 0);
	}
	all->totals.end_tick = find_end(profile, filter);
	return error;
}

static uint64_t end_of_axis(const struct profile_totals *totals, enum timeline_axis axis)
{
	switch (axis) {
	case TIMELINE_MS:
		return totals->end_tick;
	case TIMELINE_ALLOCATIONS:
		return totals->allocations;
	case TIMELINE_BYTES:
		return totals->bytes + (totals->bytes - totals->leaked_bytes);
	}
	return 0;
}

static int prepare(struct collector *all)
{
	size_t classes = all->profile->class_count;
	size_t most = all->options->snapshots;

	if (most < TIMELINE_LEAST_SNAPSHOTS)
		most = TIMELINE_LEAST_SNAPSHOTS;
	all->timeline->end_time = end_of_axis(&all->totals, all->options->axis);
	all->timeline->class_count = classes;
	all->intervals = most - 2;
	if (all->intervals > all->timeline->end_time)
		all->intervals = all->timeline->end_time ? all->timeline->end_time : 1;
	all->timeline->snapshots = calloc(most, sizeof(*all->timeline->snapshots));
	all->live = calloc(classes, sizeof(*all->live));
	all->saved = calloc(classes, sizeof(*all->saved));
	all->stamp = calloc(classes, sizeof(*all->stamp));
	return all->timeline->snapshots && all->live && all->saved && all->stamp ? 0 : ERROR_MEMORY;
}

static void find_rss(struct timeline *timeline, const struct profile *profile)
{
	size_t point = 0;
	uint64_t rss = 0;

	for (size_t i = 0; i < timeline->count; i++) {
		for (; point < profile->point_count &&
		       profile->points[point].tick <= timeline->snapshots[i].tick;
		     point++)
			if (profile->points[point].rss)
				rss = profile->points[point].rss;
		timeline->snapshots[i].rss = rss;
	}
}

/* What is left behind the last event. */
static int finish(struct collector *all)
{
	int error = 0;

	while (all->interval < all->intervals && !error) {
		error = end_interval(all);
		if (all->interval < all->intervals)
			begin_interval(all);
	}
	note_maximum(all);
	all->largest.time = all->timeline->end_time;
	all->largest.tick = all->totals.end_tick;
	return error ? error : add_snapshot(all);
}

/* Counters and events of a file may each be sound, and contradict each other. */
static int check_totals(const struct collector *all)
{
	const struct timeline *timeline = all->timeline;
	uint64_t peak = all->peak ? timeline->snapshots[all->peak - 1].heap_bytes : 0;

	return peak == all->totals.peak_bytes && all->now.heap_bytes == all->totals.leaked_bytes
		   ? 0
		   : ERROR_DAMAGED;
}

int timeline_collect(struct timeline *timeline, const struct profile *profile,
		     const struct timeline_options *options)
{
	struct collector all = {
	    .profile = profile->whole ? profile->whole : profile,
	    .options = options,
	    .timeline = timeline,
	    .idle = 1,
	    .was_idle = 1, /* the first snapshot says so */
	};
	int error;

	*timeline = (struct timeline){0};
	error = find_totals(&all, profile);
	if (!error)
		error = prepare(&all);
	if (!error)
		error = add_snapshot(&all);
	if (!error) {
		begin_interval(&all);
		error = filtered_scan(profile, options->filter, take_events, &all, NULL, 0);
	}
	if (!error)
		error = finish(&all);
	if (!error)
		error = check_totals(&all);
	if (!error)
		find_rss(timeline, all.profile);
	free(all.live);
	free(all.saved);
	free(all.stamp);
	return error;
}

void timeline_discard(struct timeline *timeline)
{
	for (size_t i = 0; i < timeline->count; i++)
		free(timeline->snapshots[i].live);
	free(timeline->snapshots);
	*timeline = (struct timeline){0};
}
