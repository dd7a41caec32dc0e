/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/query/curve.h"

#include <stdlib.h>

#include "analyzer/model/filtered_scan.h"
#include "formats/error.h"

enum { STOP = 1 }; /* of a scan that has seen enough */

struct collecting {
	const struct profile *profile; /* whole */
	const struct curve_options *options;
	struct curve *curve;
	size_t at;     /* the interval that is being filled */
	int has_tick;  /* and one of its ticks is over */
	int inside;    /* the first event behind `from` was seen */
	uint64_t tick; /* of the events being counted */
	uint64_t bytes, blocks;
};

uint64_t curve_column_tick(uint64_t from, uint64_t to, size_t i, size_t count)
{
	return from + (uint64_t)(((unsigned __int128)(to - from) * i + count - 1) / count);
}

/* --- from events ---------------------------------------------------------------------- */

static void end_tick(struct collecting *all, uint64_t tick)
{
	struct curve_interval *interval = &all->curve->intervals[all->at];

	if (all->has_tick && all->bytes <= interval->bytes)
		return;
	interval->tick = tick;
	interval->bytes = all->bytes;
	interval->blocks = all->blocks;
	all->has_tick = 1;
}

/* The present tick is over, and nothing happens until that one. */
static void pass(struct collecting *all, uint64_t tick)
{
	struct curve *curve = all->curve;

	end_tick(all, all->tick);
	while (all->at + 1 < curve->count && curve->intervals[all->at + 1].from <= tick) {
		all->at++;
		all->has_tick = 0;
		curve->intervals[all->at].high = all->bytes;
		if (curve->intervals[all->at].from < tick)
			end_tick(all, curve->intervals[all->at].from);
	}
	all->tick = tick;
}

static void enter(struct collecting *all)
{
	all->inside = 1;
	all->tick = all->curve->from;
	all->curve->intervals[0].high = all->bytes;
}

static int count_event(struct collecting *all, const struct trace_event *event)
{
	uint64_t size;

	if (event->class_id >= all->profile->class_count)
		return ERROR_DAMAGED;
	size = all->profile->classes[event->class_id].size;
	if (event->operation == TRACE_OPERATION_ALLOCATION) {
		all->blocks++;
		return __builtin_add_overflow(all->bytes, size, &all->bytes) ? ERROR_DAMAGED : 0;
	}
	if (!all->blocks || all->bytes < size)
		return ERROR_DAMAGED;
	all->blocks--;
	all->bytes -= size;
	return 0;
}

static int take_event(struct collecting *all, const struct trace_event *event)
{
	struct curve *curve = all->curve;
	int error;

	if (event->operation != TRACE_OPERATION_ALLOCATION &&
	    event->operation != TRACE_OPERATION_DEALLOCATION)
		return 0;
	if (event->tick >= curve->to)
		return STOP;
	if (event->tick >= curve->from && !all->inside)
		enter(all);
	if (all->inside && event->tick > all->tick)
		pass(all, event->tick);
	error = count_event(all, event);
	if (!error && all->inside && all->bytes > curve->intervals[all->at].high)
		curve->intervals[all->at].high = all->bytes;
	return error;
}

static int take_events(void *context, const struct trace_event *events, size_t count)
{
	struct collecting *all = context;
	int result = 0;

	for (size_t i = 0; i < count && !result; i++)
		result = take_event(all, &events[i]);
	return result;
}

static int prepare(struct collecting *all)
{
	struct curve *curve = all->curve;
	uint64_t ticks = curve->to - curve->from;
	size_t count = all->options->intervals;

	if (count > ticks)
		count = (size_t)ticks;
	if (!count)
		count = 1;
	/* (points may follow) */
	curve->intervals = calloc(count + all->profile->point_count + 1, sizeof(*curve->intervals));
	if (!curve->intervals)
		return ERROR_MEMORY;
	curve->count = ticks ? count : 0;
	for (size_t i = 0; i < curve->count; i++)
		curve->intervals[i].from = curve_column_tick(curve->from, curve->to, i, count);
	return 0;
}

/* --- from points ---------------------------------------------------------------------- */

static void add_point(struct curve *curve, const struct trace_point *point)
{
	curve->intervals[curve->count++] = (struct curve_interval){
	    .from = point->tick,
	    .high = point->live_bytes,
	    .tick = point->tick,
	    .bytes = point->live_bytes,
	    .blocks = point->live_blocks,
	};
}

/* From `from` on, which the last point before tells of; of several points of one tick the last
 * has what was behind it. */
static void add_points(struct curve *curve, const struct profile *profile, uint64_t from)
{
	struct trace_point first = {0};
	size_t i = 0;

	for (; i < profile->point_count && profile->points[i].tick <= from; i++)
		first = profile->points[i];
	first.tick = from;
	add_point(curve, &first);
	for (; i < profile->point_count && profile->points[i].tick < curve->to; i++) {
		if (curve->intervals[curve->count - 1].from == profile->points[i].tick)
			curve->count--;
		add_point(curve, &profile->points[i]);
	}
}

static void add_peak(struct curve *curve, const struct profile_totals *totals)
{
	struct curve_interval *interval;

	if (!curve->count || totals->peak_tick < curve->from || totals->peak_tick >= curve->to)
		return;
	interval = &curve->intervals[curve_find(curve, totals->peak_tick)];
	if (interval->high < totals->peak_bytes)
		interval->high = totals->peak_bytes;
}

int curve_from_points(struct curve *curve, const struct profile *profile)
{
	const struct profile_totals *totals = &profile->totals;
	const struct trace_point end = {
	    .tick = totals->end_tick,
	    .live_bytes = totals->leaked_bytes,
	    .live_blocks = totals->leaked_blocks,
	};

	*curve = (struct curve){.to = totals->end_tick + 1};
	curve->intervals = calloc(profile->point_count + 2, sizeof(*curve->intervals));
	if (!curve->intervals)
		return ERROR_MEMORY;
	add_points(curve, profile, 0);
	if (curve->intervals[curve->count - 1].from == end.tick)
		curve->count--;
	add_point(curve, &end);
	add_peak(curve, totals);
	return 0;
}

/* Behind where events stopped. */
static void go_on_with_points(struct curve *curve, const struct profile *profile, uint64_t stopped)
{
	if (stopped >= curve->to)
		return;
	curve->exact_to = stopped > curve->from ? stopped : curve->from;
	while (curve->count && curve->intervals[curve->count - 1].from >= curve->exact_to)
		curve->count--;
	add_points(curve, profile, curve->exact_to);
	if (profile->totals.peak_tick >= curve->exact_to)
		add_peak(curve, &profile->totals);
}

int curve_collect(struct curve *curve, const struct profile *profile,
		  const struct curve_options *options)
{
	struct collecting all = {
	    .profile = profile->whole ? profile->whole : profile,
	    .options = options,
	    .curve = curve,
	};
	uint64_t stopped = all.profile->end[TRACE_END_EVENTS_STOPPED];
	int error;

	*curve = (struct curve){.from = options->from, .to = options->to, .exact_to = options->to};
	error = prepare(&all);
	if (error || !curve->count)
		return error;
	error = filtered_scan(profile, options->filter, take_events, &all, NULL, 0);
	if (error == STOP)
		error = 0;
	if (error)
		return error;
	if (!all.inside)
		enter(&all);
	pass(&all, curve->to);
	if (stopped && (!options->filter || filter_is_empty(options->filter)))
		go_on_with_points(curve, all.profile, stopped - 1);
	return 0;
}

void curve_release(struct curve *curve)
{
	free(curve->intervals);
	*curve = (struct curve){0};
}

/* --- for drawing ---------------------------------------------------------------------- */

/* How many intervals begin before a tick. */
static size_t count_before(const struct curve *curve, uint64_t tick)
{
	size_t low = 0, high = curve->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (curve->intervals[middle].from < tick)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

size_t curve_find(const struct curve *curve, uint64_t tick)
{
	size_t before = tick == UINT64_MAX ? curve->count : count_before(curve, tick + 1);

	return before ? before - 1 : 0;
}

void curve_columns(const struct curve *curve, uint64_t from, uint64_t to,
		   struct curve_column *columns, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t start = curve_column_tick(from, to, i, count);
		uint64_t end = curve_column_tick(from, to, i + 1, count);
		struct curve_column *column = &columns[i];
		size_t last = count_before(curve, end);

		column->first = count_before(curve, start);
		if (column->first == last) {
			/* (a tick that is wider than a column began in one before) */
			column->first = last ? last - 1 : 0;
			last = column->first + 1;
		}
		column->count = curve->count ? last - column->first : 0;
		column->highest = column->best = column->first;
		for (size_t k = column->first; k < column->first + column->count; k++) {
			if (curve->intervals[k].high > curve->intervals[column->highest].high)
				column->highest = k;
			if (curve->intervals[k].bytes > curve->intervals[column->best].bytes)
				column->best = k;
		}
	}
}

uint64_t curve_rss(const struct profile *profile, uint64_t from, uint64_t to)
{
	size_t low = 0, high = profile->point_count;
	uint64_t rss = 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (profile->points[middle].tick < from)
			low = middle + 1;
		else
			high = middle;
	}
	for (; high < profile->point_count && profile->points[high].tick < to; high++)
		if (profile->points[high].rss > rss)
			rss = profile->points[high].rss;
	while (!rss && low--)
		rss = profile->points[low].rss;
	return rss;
}
