/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/model/select.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/model/filtered_scan.h"
#include "analyzer/model/parts.h"
#include "analyzer/model/recount.h"
#include "formats/error.h"

/*
 * A selection is counted by the engine that counts a trace without an end
 * (recount.c), from the events that pass the filter. Its classes are those of
 * the whole profile, or by thread the parts that appear.
 */

enum { AT_ONCE = 256 };

struct selecting {
	struct profile *selected;
	struct recount recount;
	int by_thread;
	struct parts parts;
	size_t class_room;
	size_t next_point;
};

/* --- classes by thread ---------------------------------------------------------------- */

static int add_part(struct selecting *all, const struct trace_event *event, uint32_t *id)
{
	struct profile *selected = all->selected;

	if (selected->class_count == all->class_room) {
		size_t room = all->class_room * 2;
		struct profile_class *larger =
		    reallocarray(selected->classes, room, sizeof(*larger));

		if (!larger)
			return ERROR_MEMORY;
		selected->classes = larger;
		all->class_room = room;
	}
	if (selected->class_count >= UINT32_MAX)
		return ERROR_LIMIT;
	*id = (uint32_t)selected->class_count++;
	selected->classes[*id] = (struct profile_class){
	    .node = selected->whole->classes[event->class_id].node,
	    .function = selected->whole->classes[event->class_id].function,
	    .size = selected->whole->classes[event->class_id].size,
	    .thread = event->allocating_thread,
	    .whole = event->class_id,
	};
	return parts_add(&all->parts, *id);
}

static int count_parts(struct selecting *all, const struct trace_event *events, size_t count)
{
	uint32_t ids[AT_ONCE];
	int error = 0;

	while (count && !error) {
		size_t slice = count < AT_ONCE ? count : AT_ONCE;

		for (size_t i = 0; i < slice && !error; i++) {
			ids[i] = parts_find(&all->parts, &events[i]);
			if (!ids[i])
				error = events[i].operation == TRACE_OPERATION_ALLOCATION
					    ? add_part(all, &events[i], &ids[i])
					    : ERROR_DAMAGED;
		}
		if (!error)
			error = recount_events(&all->recount, events, slice, ids);
		events += slice;
		count -= slice;
	}
	return error;
}

/* --- events --------------------------------------------------------------------------- */

/* Points of a trace were taken behind the events of their tick, heaptrack's before. */
static int is_behind(const struct selecting *all, const struct trace_event *event)
{
	uint64_t tick = all->selected->points[all->next_point].tick;

	return all->selected->kind == PROFILE_HEAPTRACK ? event->tick >= tick : event->tick > tick;
}

static void take_point(struct selecting *all)
{
	struct trace_point *point = &all->selected->points[all->next_point++];

	point->live_bytes = all->recount.live_bytes;
	point->live_blocks = all->recount.live_blocks;
}

static int select_events(void *context, const struct trace_event *events, size_t count)
{
	struct selecting *all = context;
	int error = 0;

	while (count && !error) {
		size_t before = count;

		if (all->next_point < all->selected->point_count &&
		    is_behind(all, &events[count - 1])) {
			for (before = 0; !is_behind(all, &events[before]);)
				before++;
			if (!before) {
				take_point(all);
				continue;
			}
		}
		error = all->by_thread ? count_parts(all, events, before)
				       : recount_events(&all->recount, events, before, NULL);
		events += before;
		count -= before;
	}
	return error;
}

/* --- the profile ---------------------------------------------------------------------- */

static void *copy_of(const void *array, size_t count, size_t element)
{
	void *copy = reallocarray(NULL, count + 1, element);

	if (copy && count)
		memcpy(copy, array, count * element);
	return copy;
}

static struct profile *borrow(const struct profile *whole)
{
	struct profile *selected = copy_of(whole, 1, sizeof(*whole));

	if (!selected)
		return NULL;
	selected->whole = whole;
	selected->classes = copy_of(whole->classes, whole->class_count, sizeof(*whole->classes));
	selected->threads = copy_of(whole->threads, whole->thread_count, sizeof(*whole->threads));
	selected->points = copy_of(whole->points, whole->point_count, sizeof(*whole->points));
	if (selected->classes && selected->threads && selected->points)
		return selected;
	profile_free(selected);
	return NULL;
}

static void clear_figures(struct profile *selected)
{
	for (size_t i = 0; i < selected->class_count; i++) {
		const struct profile_class *class_ = &selected->classes[i];

		selected->classes[i] = (struct profile_class){
		    .node = class_->node, .function = class_->function, .size = class_->size};
	}
	for (size_t i = 0; i < selected->thread_count; i++)
		selected->threads[i] = (struct profile_thread){.tid = selected->threads[i].tid,
							       .name = selected->threads[i].name};
	selected->totals = (struct profile_totals){.peak_rss = selected->totals.peak_rss,
						   .end_tick = selected->totals.end_tick};
	selected->end[TRACE_END_STACKS_UNKNOWN] = 0;
	selected->end[TRACE_END_STACKS_INCOMPLETE] = 0;
	selected->end[TRACE_END_STACKS_CUT] = 0;
	selected->end[TRACE_END_STACKS_GUESSED] = 0;
	selected->rebuilt = 1;
	selected->event_count = 0;
}

/* The timeline ends where the selection does. */
static void finish_points(struct selecting *all, const struct filter *filter)
{
	struct profile *selected = all->selected;
	uint64_t end = filter_range_end(filter);
	size_t kept = 0;

	if (filter->instant == FILTER_AT_TICK && filter->tick < end)
		end = filter->tick + 1;
	if (filter->instant == FILTER_AT_PEAK && selected->whole->totals.peak_tick < end)
		end = selected->whole->totals.peak_tick + 1;
	while (all->next_point < selected->point_count)
		take_point(all);
	while (kept < selected->point_count && selected->points[kept].tick < end)
		kept++;
	selected->point_count = kept;
}

int profile_select(struct profile **selected, const struct profile *profile,
		   const struct filter *filter, unsigned flags, char *complaint,
		   size_t complaint_bytes)
{
	struct selecting all = {.by_thread = (flags & SELECT_BY_THREAD) != 0};
	const char *lack = all.by_thread ? profile_lack_text(profile, PROFILE_LACKS_THREADS) : NULL;
	int error = 0;

	*selected = NULL;
	if (complaint_bytes)
		*complaint = '\0';
	if (lack) {
		snprintf(complaint, complaint_bytes, "%s", lack);
		return ERROR_UNSUPPORTED;
	}
	all.selected = borrow(profile->whole ? profile->whole : profile);
	if (!all.selected)
		return ERROR_MEMORY;
	if (filter_is_empty(filter) && !all.by_thread) {
		*selected = all.selected;
		return 0;
	}
	clear_figures(all.selected);
	all.class_room = all.selected->class_count;
	if (all.by_thread) {
		all.selected->class_count = 1;
		error = parts_init(&all.parts, all.selected);
	}
	recount_init(&all.recount, all.selected);
	all.recount.temporary_threshold = filter->temporary_threshold;
	if (!error)
		error =
		    filtered_scan(profile, filter, select_events, &all, complaint, complaint_bytes);
	if (!error)
		error = recount_finish(&all.recount);
	if (!error)
		finish_points(&all, filter);
	recount_release(&all.recount);
	parts_release(&all.parts);
	if (error)
		profile_free(all.selected);
	else
		*selected = all.selected;
	return error;
}
