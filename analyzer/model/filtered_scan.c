/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/model/filtered_scan.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/model/filter_judge.h"
#include "analyzer/model/lifetimes.h"
#include "formats/error.h"

/*
 * Most terms hold for a class or a thread, whatever the event: they are decided
 * before the scan, and an event asks for two bytes. The tick of an allocation
 * goes up through the file, so whether it is in range is known until the next
 * bound. A deallocation tells when its allocation was.
 *
 * Only an allocation cannot know its lifetime: it waits until that is known (lifetimes.c).
 */

enum { SLICE = 256, STOP = 1 };

struct filtering {
	const struct profile *profile;
	const struct filter *filter;
	struct judgement judgement;
	scan_events events;
	void *context;
	int result; /* of the callback, or an error of ours */

	uint64_t next_tick; /* the two below hold until then */
	uint8_t late;       /* what FILTER_LATE_DEALLOCATION adds: the range is over */
	int ended;          /* the instant is reached */

	uint64_t range_end, end_tick;
	uint64_t live_bytes; /* of all blocks, up to the peak */
	struct lifetimes *lifetimes;
	uint8_t verdict[SLICE]; /* 1: selected */
	struct trace_event kept[SLICE];
};

static int finish(struct filtering *all, int result)
{
	all->result = result;
	return STOP;
}

/* --- events ------------------------------------------------------------------------- */

static void bound(uint64_t *next, uint64_t candidate, uint64_t tick)
{
	if (candidate > tick && candidate < *next)
		*next = candidate;
}

static void cross(struct filtering *all, uint64_t tick)
{
	all->late = tick >= all->range_end ? FILTER_LATE_DEALLOCATION : 0;
	all->next_tick = UINT64_MAX;
	bound(&all->next_tick, all->range_end, tick);
	if (all->filter->instant == FILTER_AT_TICK) {
		all->ended = tick > all->filter->tick;
		bound(&all->next_tick, all->filter->tick + 1, tick);
	}
}

static size_t judge_times(struct filtering *all, const struct trace_event *events, size_t count)
{
	const struct ranges *ranges = &all->judgement.time;
	size_t selected = 0;

	for (size_t i = 0; i < count; i++) {
		all->verdict[i] &=
		    (uint8_t)ranges_hold(ranges, events[i].tick - events[i].age_ticks);
		selected += all->verdict[i];
	}
	return selected;
}

/* Of all events alike, whatever they are: an allocation's age is 0, and a free of an unknown
 * block has class 0, which is never in. No branch depends on an event, since most of them could not
 * be foreseen. Returns how many are selected. */
static size_t judge(struct filtering *all, const struct trace_event *events, size_t count)
{
	const struct judgement *judgement = &all->judgement;
	const uint8_t *classes = judgement->classes, *threads = judgement->threads;
	uint8_t *verdict = all->verdict;
	size_t selected = 0;

	for (size_t i = 0; i < count; i++) {
		verdict[i] = classes[events[i].class_id] & threads[events[i].allocating_thread];
		selected += verdict[i];
	}
	return judgement->timed ? judge_times(all, events, count) : selected;
}

/* Whether the event makes the peak of all blocks: nothing of what follows counts. */
static int is_peak(struct filtering *all, const struct trace_event *event)
{
	uint64_t size = all->profile->classes[event->class_id].size;

	if (event->operation == TRACE_OPERATION_ALLOCATION)
		all->live_bytes += size;
	else if (event->operation == TRACE_OPERATION_DEALLOCATION)
		all->live_bytes -= size;
	return all->live_bytes == all->profile->totals.peak_bytes;
}

/* Up to and with the event that makes the peak: how many. */
static size_t find_peak(struct filtering *all, const struct trace_event *events, size_t count)
{
	size_t before = 0;

	while (before < count && !all->ended)
		all->ended = is_peak(all, &events[before++]);
	return before;
}

/* How many come before what cross() has to look at. */
static size_t find_crossing(const struct filtering *all, const struct trace_event *events,
			    size_t count)
{
	size_t before = 0;

	if (events[count - 1].tick < all->next_tick)
		return count;
	while (events[before].tick < all->next_tick)
		before++;
	return before;
}

/* Copied only where some are left out, or are late. */
static const struct trace_event *keep(struct filtering *all, const struct trace_event *events,
				      size_t count, size_t selected)
{
	size_t kept = 0;

	if (selected == count && !all->late)
		return events;
	for (size_t i = 0; i < count; i++) {
		all->kept[kept] = events[i];
		kept += all->verdict[i];
	}
	for (size_t i = 0; i < kept && all->late; i++)
		if (all->kept[i].operation == TRACE_OPERATION_DEALLOCATION)
			all->kept[i].operation |= all->late;
	return all->kept;
}

/* At most SLICE, between two crossings. */
static int filter_slice(struct filtering *all, const struct trace_event *events, size_t count)
{
	size_t selected = judge(all, events, count);

	if (all->lifetimes)
		return lifetimes_take(all->lifetimes, events, count, all->verdict, all->late);
	return selected ? all->events(all->context, keep(all, events, count, selected), selected)
			: 0;
}

/* Behind the instant. */
static int filter_nothing(struct filtering *all, const struct trace_event *events, size_t count)
{
	const int told = !all->lifetimes || lifetimes_are_told(all->lifetimes);
	int result = told || !count ? 0 : lifetimes_look_at(all->lifetimes, events, count);

	return told || result ? finish(all, result) : 0;
}

static int filter_events(void *context, const struct trace_event *events, size_t count)
{
	struct filtering *all = context;
	int result = 0;

	while (count && !result && !all->ended) {
		size_t slice = find_crossing(all, events, count < SLICE ? count : SLICE);

		if (!slice) {
			cross(all, events->tick);
			continue;
		}
		if (all->filter->instant == FILTER_AT_PEAK)
			slice = find_peak(all, events, slice);
		result = filter_slice(all, events, slice);
		events += slice;
		count -= slice;
	}
	if (result)
		return finish(all, result);
	return all->ended ? filter_nothing(all, events, count) : 0;
}

/* --- what a file lacks, and the whole ------------------------------------------------ */

uint64_t filter_range_end(const struct filter *filter)
{
	uint64_t end = 0;

	if (filter_holds(filter, FILTER_TIME, UINT64_MAX - 1))
		return UINT64_MAX;
	for (size_t i = 0; i < filter->count; i++) {
		const struct filter_term *term = &filter->terms[i];
		uint64_t bounds[2] = {term->from, term->to};

		for (unsigned j = 0; j < 2 && term->key == FILTER_TIME; j++)
			if (bounds[j] > end && filter_holds(filter, FILTER_TIME, bounds[j] - 1))
				end = bounds[j];
	}
	return end;
}

static int is_missing(const struct profile *profile, const struct filter *filter, char *complaint,
		      size_t complaint_bytes)
{
	unsigned needed = filter->temporary_threshold ? PROFILE_LACKS_LIFETIMES : 0;
	const char *lack;

	for (size_t i = 0; i < filter->count; i++)
		switch (filter->terms[i].key) {
		case FILTER_TIME:
		case FILTER_LIFETIME:
			needed |= PROFILE_LACKS_LIFETIMES;
			break;
		case FILTER_THREAD:
			needed |= PROFILE_LACKS_THREADS;
			break;
		default:
			break;
		}
	lack = profile_lack_text(profile, needed);
	if (!profile->path)
		lack = "filters read the trace again, but a pipe can be read only once: save it "
		       "to a file";
	if (filter->temporary_threshold >= TRACE_RECENT)
		lack = "traces tell how many allocations a block lived for up to 255 only: take a "
		       "smaller threshold for temporary ones";
	if (lack)
		snprintf(complaint, complaint_bytes, "%s", lack);
	return lack != NULL;
}

/* Only counters saw the peak of a trace whose events had stopped before. */
static int peak_is_missing(const struct profile *profile, char *complaint, size_t complaint_bytes)
{
	uint64_t stopped = profile->end[TRACE_END_EVENTS_STOPPED];

	if (!stopped)
		return ERROR_DAMAGED;
	snprintf(complaint, complaint_bytes,
		 "the peak came at tick %" PRIu64 ", but events were recorded up to tick %" PRIu64
		 " (milliseconds) only",
		 profile->totals.peak_tick, stopped - 1);
	return ERROR_UNSUPPORTED;
}

static int scan_once(struct filtering *all)
{
	int error;

	all->next_tick = all->live_bytes = 0;
	all->late = 0;
	all->ended = 0;
	error = profile_scan(all->profile, filter_events, all);
	return error == STOP ? all->result : error;
}

static int scan_selected(struct filtering *all)
{
	int again = 0, error = 0;

	if (!all->judgement.lived)
		return scan_once(all);
	error = lifetimes_new(&all->lifetimes, all->profile, &all->judgement.lifetime,
			      all->end_tick, all->events, all->context);
	do {
		if (!error)
			error = scan_once(all);
		if (!error)
			error = lifetimes_finish(all->lifetimes, &again);
	} while (!error && again);
	return error;
}

int filtered_scan(const struct profile *profile, const struct filter *filter, scan_events events,
		  void *context, char *complaint, size_t complaint_bytes)
{
	static const struct filter everything;
	struct filtering all = {.profile = profile->whole ? profile->whole : profile,
				.filter = filter ? filter : &everything,
				.events = events,
				.context = context};
	int error;

	profile = all.profile;
	if (complaint_bytes)
		*complaint = '\0';
	if (is_missing(profile, all.filter, complaint, complaint_bytes))
		return ERROR_UNSUPPORTED;
	if (all.filter->instant == FILTER_AT_PEAK && !profile->totals.peak_bytes)
		return 0;
	all.range_end = filter_range_end(all.filter);
	all.end_tick = profile->end[TRACE_END_EVENTS_STOPPED]
			   ? profile->end[TRACE_END_EVENTS_STOPPED] - 1
			   : profile->totals.end_tick;
	error = judgement_init(&all.judgement, profile, all.filter, complaint, complaint_bytes);
	if (!error)
		error = scan_selected(&all);
	if (!error && all.filter->instant == FILTER_AT_PEAK && !all.ended)
		error = peak_is_missing(profile, complaint, complaint_bytes);
	lifetimes_free(all.lifetimes);
	judgement_release(&all.judgement);
	return error;
}
