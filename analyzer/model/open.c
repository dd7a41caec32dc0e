/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/model/profile.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/model/load_heaptrack.h"
#include "analyzer/model/load_trace.h"
#include "analyzer/model/scan.h"
#include "formats/error.h"
#include "formats/heaptrack/input.h"
#include "formats/trace/source.h"

/*
 * A trace with its end is read without its events: the counters of its classes
 * are there. They are believed only when they add up to the totals of the END
 * block; otherwise, and without an end, the file is read once more and
 * everything is counted from the events.
 */

/* Adds blocks of a size to a sum of bytes; no figure may pass 2^63 - 1. */
static int add_bytes(uint64_t *sum, uint64_t blocks, uint64_t size)
{
	uint64_t bytes;

	if (__builtin_mul_overflow(blocks, size, &bytes) ||
	    __builtin_add_overflow(*sum, bytes, sum) || *sum > INT64_MAX)
		return ERROR_DAMAGED;
	return 0;
}

/* Whether the counters of the classes add up to the totals of the END block. */
static int counters_agree(const struct loader *loader)
{
	const struct profile *profile = loader->profile;
	const uint64_t *end = profile->end;
	struct profile_totals sum = {0};

	if (loader->class_counters != profile->class_count - 1)
		return 0;
	for (size_t i = 1; i < profile->class_count; i++) {
		const struct profile_class *class_ = &profile->classes[i];
		uint64_t leaked = class_->allocations - class_->deallocations;

		if (class_->deallocations > class_->allocations ||
		    class_->temporary > class_->deallocations ||
		    class_->peak_live > class_->allocations ||
		    class_->allocations > INT64_MAX - sum.allocations ||
		    add_bytes(&sum.bytes, class_->allocations, class_->size) ||
		    add_bytes(&sum.leaked_bytes, leaked, class_->size) ||
		    add_bytes(&sum.peak_bytes, class_->peak_live, class_->size))
			return 0;
		sum.allocations += class_->allocations;
		sum.deallocations += class_->deallocations;
		sum.temporary += class_->temporary;
		sum.leaked_blocks += leaked;
		sum.peak_blocks += class_->peak_live;
	}
	return sum.allocations == end[TRACE_END_ALLOCATIONS] &&
	       sum.deallocations == end[TRACE_END_DEALLOCATIONS] &&
	       sum.temporary == end[TRACE_END_TEMPORARY] && sum.bytes == end[TRACE_END_BYTES] &&
	       sum.leaked_blocks == end[TRACE_END_LEAKED_BLOCKS] &&
	       sum.leaked_bytes == end[TRACE_END_LEAKED_BYTES] &&
	       sum.peak_blocks == end[TRACE_END_PEAK_BLOCKS] &&
	       sum.peak_bytes == end[TRACE_END_PEAK_BYTES];
}

/* Ticks and RSS are in no sum; views still may take them for signed. */
static void clamp(uint64_t *value)
{
	if (*value > INT64_MAX)
		*value = INT64_MAX;
}

static void clamp_unsummed(struct profile_totals *totals)
{
	clamp(&totals->peak_rss);
	clamp(&totals->peak_tick);
	clamp(&totals->end_tick);
}

static void totals_from_end(struct profile *profile)
{
	const uint64_t *end = profile->end;

	profile->totals = (struct profile_totals){
	    .allocations = end[TRACE_END_ALLOCATIONS],
	    .deallocations = end[TRACE_END_DEALLOCATIONS],
	    .reallocations = end[TRACE_END_REALLOCATIONS],
	    .temporary = end[TRACE_END_TEMPORARY],
	    .bytes = end[TRACE_END_BYTES],
	    .peak_bytes = end[TRACE_END_PEAK_BYTES],
	    .peak_blocks = end[TRACE_END_PEAK_BLOCKS],
	    .peak_tick = end[TRACE_END_PEAK_TICK],
	    .leaked_blocks = end[TRACE_END_LEAKED_BLOCKS],
	    .leaked_bytes = end[TRACE_END_LEAKED_BYTES],
	    .peak_rss = end[TRACE_END_PEAK_RSS],
	    .end_tick = end[TRACE_END_TICK],
	};
	clamp(&profile->totals.reallocations);
	clamp_unsummed(&profile->totals);
}

/* What events can't tell comes from the END block where there is one. */
static int finish_recount(struct loader *loader)
{
	struct profile *profile = loader->profile;
	struct profile_totals *totals = &profile->totals;
	int error = recount_finish(&loader->recount);

	if (error)
		return error;
	totals->peak_rss = profile->end[TRACE_END_PEAK_RSS];
	for (size_t i = 0; i < profile->point_count; i++)
		if (profile->points[i].rss > totals->peak_rss)
			totals->peak_rss = profile->points[i].rss;
	totals->end_tick = profile->end[TRACE_END_TICK];
	if (loader->recount.last_tick > totals->end_tick)
		totals->end_tick = loader->recount.last_tick;
	if (loader->last_tick > totals->end_tick)
		totals->end_tick = loader->last_tick;
	clamp_unsummed(totals);
	profile->rebuilt = 1;
	return 0;
}

/* The END block, as far as events may rebuild it, gives way to what they say. */
static int load_end_beside_events(void *context, const struct trace_field *field)
{
	switch (field->tag) {
	case TRACE_END_UNKNOWN_FREES:
	case TRACE_END_INHERITED_FREES:
	case TRACE_END_STACKS_UNKNOWN:
	case TRACE_END_STACKS_INCOMPLETE:
	case TRACE_END_STACKS_CUT:
	case TRACE_END_STACKS_GUESSED:
		return 0;
	}
	return loader_visitor.end(context, field);
}

static int read_trace(struct loader *loader, struct trace_reader *reader, int events)
{
	struct profile *profile = loader->profile;
	struct trace_visitor visitor = loader_visitor;
	int error;

	if (events) {
		visitor.class_counters = NULL;
		visitor.thread_counters = NULL;
		visitor.end = load_end_beside_events;
	} else {
		visitor.events = NULL;
	}
	loader->reader = reader;
	error = trace_reader_read(reader, &visitor, loader, &profile->state);
	profile->fault = trace_reader_fault(reader);
	if (error == ERROR_DAMAGED) {
		profile->state = TRACE_DAMAGED;
		profile->fault = "an event contradicts the ones before";
		error = 0;
	}
	profile->used_bytes = trace_reader_used(reader);
	profile->file_bytes = trace_reader_size(reader);
	if (!error && events)
		error = finish_recount(loader);
	return error;
}

static int load_file(struct profile **profile, const char *path, int from_events)
{
	struct trace_reader *reader = NULL;
	struct loader loader = {.path = path};
	struct trace_source source;
	int error = trace_source_open(&source, path);
	int contradiction = 0, again = !error && source.fd >= 0 && strcmp(path, "-") != 0;

	*profile = NULL;
	if (error)
		return error;
	error = trace_reader_open_source(&reader, &source);
	if (error == ERROR_FOREIGN) {
		error = load_heaptrack(&loader, &source);
		goto out;
	}
	if (error) {
		trace_source_release(&source);
		return error;
	}
	error = loader_init(&loader);
	if (!error && !from_events && trace_reader_complete(reader)) {
		error = read_trace(&loader, reader, 0);
		if (error)
			goto out;
		if (loader.profile->state == TRACE_COMPLETE && counters_agree(&loader)) {
			totals_from_end(loader.profile);
			goto out;
		}
		/* a writer that leaves all counters out contradicts nothing */
		contradiction = loader.class_counters != 0;
		loader_release(&loader);
		error = loader_init(&loader);
	}
	if (!error)
		error = read_trace(&loader, reader, 1);
	if (!error && contradiction && loader.profile->state == TRACE_COMPLETE) {
		loader.profile->state = TRACE_DAMAGED;
		loader.profile->fault = "its counters contradict its totals";
	}
	if (!error && loader.profile->state == TRACE_DAMAGED &&
	    loader.profile->used_bytes <= TRACE_HEADER_BYTES)
		error = ERROR_DAMAGED;
out:
	if (!error && again) {
		loader.profile->path = strdup(path);
		error = loader.profile->path ? 0 : ERROR_MEMORY;
	}
	if (!error) {
		*profile = loader.profile;
		loader.profile = NULL;
	}
	loader_release(&loader);
	trace_reader_close(reader);
	return error;
}

static int load(struct profile **profile, const char *path, int from_events)
{
	int error = load_file(profile, path, from_events);

	scan_watch_tell(NULL, 0, 0);
	return error;
}

int profile_is_known(const void *bytes, size_t size)
{
	return !memcmp(bytes, TRACE_MAGIC, size < TRACE_MAGIC_BYTES ? size : TRACE_MAGIC_BYTES) ||
	       heaptrack_input_is_known(bytes, size);
}

int profile_load(struct profile **profile, const char *path)
{
	return load(profile, path, 0);
}

int profile_load_from_events(struct profile **profile, const char *path)
{
	return load(profile, path, 1);
}

struct check {
	const char *path;
	const struct trace_reader *reader;
};

static int ignore_events(void *context, const struct trace_event *events, size_t count)
{
	const struct check *check = context;

	(void)events;
	(void)count;
	scan_watch_tell(check->path, trace_reader_used(check->reader),
			trace_reader_size(check->reader));
	return 0;
}

void profile_check_events(struct profile *profile, const char *path)
{
	static const struct trace_visitor visitor = {.events = ignore_events};
	struct check check = {.path = path};
	enum trace_state state = TRACE_COMPLETE;
	struct trace_reader *reader;
	int error;

	if (profile->state != TRACE_COMPLETE || profile->rebuilt || strcmp(path, "-") == 0 ||
	    trace_reader_open(&reader, path))
		return;
	check.reader = reader;
	error = trace_reader_read(reader, &visitor, &check, &state);
	scan_watch_tell(NULL, 0, 0);
	if (error || state != TRACE_COMPLETE)
		profile->events_fault =
		    trace_reader_fault(reader) ? trace_reader_fault(reader) : "unreadable";
	trace_reader_close(reader);
}
