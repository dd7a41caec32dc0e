/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/report/json_parts.h"

#include <stdlib.h>

#include "analyzer/report/histogram.h"
#include "analyzer/report/timeline.h"

static void put_snapshot(struct json *json, const struct timeline_snapshot *snapshot)
{
	json_open(json, NULL, '{');
	json_number(json, "time", (int64_t)snapshot->time);
	json_number(json, "ms", (int64_t)snapshot->tick);
	json_number(json, "heap_bytes", (int64_t)snapshot->heap_bytes);
	json_number(json, "extra_bytes", (int64_t)snapshot->extra_bytes);
	json_number(json, "blocks", (int64_t)snapshot->blocks);
	json_number_if(json, "rss", snapshot->rss != 0, (int64_t)snapshot->rss);
	if (snapshot->peak)
		json_flag(json, "peak", 1);
	json_close(json, '}');
}

static int put_timeline(struct json *json, const char *key, const struct profile *profile,
			enum timeline_axis axis, const struct filter *filter)
{
	static const char *const units[] = {
	    [TIMELINE_MS] = "ms",
	    [TIMELINE_ALLOCATIONS] = "allocations",
	    [TIMELINE_BYTES] = "bytes",
	};
	const struct timeline_options options = {
	    .axis = axis,
	    .snapshots = TIMELINE_GRAPH_COLUMNS + 2, /* as the text */
	    .filter = filter,
	};
	struct timeline timeline;
	int error = timeline_collect(&timeline, profile, &options);

	if (!error) {
		json_open(json, key, '{');
		json_text(json, "unit", units[axis]);
		json_number(json, "end_time", (int64_t)timeline.end_time);
		json_open(json, "snapshots", '[');
		for (size_t i = 0; i < timeline.count; i++)
			put_snapshot(json, &timeline.snapshots[i]);
		json_close(json, ']');
		json_close(json, '}');
	}
	timeline_discard(&timeline);
	return error;
}

int json_timeline(struct json *json, const struct report *report)
{
	const struct timeline_view *view = report->options->timeline;
	const struct profile *profile = report->profile;
	int error;

	if (!report->diff)
		return put_timeline(json, "timeline", profile, view->axis, view->filter);
	json_open(json, "timeline", '{');
	error = put_timeline(json, "base", profile->base, view->axis, view->base_filter);
	if (!error)
		error = put_timeline(json, "new", profile->fresh, view->axis, view->filter);
	json_close(json, '}');
	return error;
}

int json_histogram(struct json *json, const struct profile *profile)
{
	struct histogram_bucket *buckets;
	size_t count;
	int error = histogram_collect(&buckets, &count, profile);

	json_open(json, "histogram", '[');
	for (size_t i = 0; i < count; i++) {
		json_open(json, NULL, '{');
		json_number(json, "size", (int64_t)buckets[i].size);
		json_number(json, "count", buckets[i].count);
		json_close(json, '}');
	}
	json_close(json, ']');
	free(buckets);
	return error;
}
