/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/report/json_report.h"

#include <stdlib.h>

#include "analyzer/model/health.h"
#include "analyzer/report/json_parts.h"
#include "formats/error.h"
#include "formats/version.h"

static const char *state_name(enum trace_state state)
{
	switch (state) {
	case TRACE_COMPLETE:
		return "complete";
	case TRACE_RECORDING:
		return "recording";
	case TRACE_CUT:
		return "cut off";
	case TRACE_DAMAGED:
		return "damaged";
	}
	return "unknown";
}

static void put_health(struct json *json, const struct profile *profile)
{
	json_open(json, "health", '[');
	if (profile->lacks & PROFILE_LACKS_BEGINNING) {
		json_open(json, NULL, '{');
		json_text(json, "text", profile_lack_text(profile, PROFILE_LACKS_BEGINNING));
		json_flag(json, "misleading", 1);
		json_close(json, '}');
	}
	for (const struct health_item *item = health_items; item->label; item++) {
		char text[256];

		if (!health_item_text(profile, item, text, sizeof(text)))
			continue;
		json_open(json, NULL, '{');
		json_text(json, "text", text);
		json_text(json, "means", item->sentence);
		if (item->is_tick)
			json_count(json, "upto_ms", health_value(profile, item) - 1);
		else
			json_count(json, "count", health_value(profile, item));
		json_flag(json, "misleading", health_misleads(profile, item));
		json_close(json, '}');
	}
	json_close(json, ']');
}

static void put_nameless(struct json *json, const struct profile *profile)
{
	size_t places, of, module = health_nameless(profile, &places, &of);

	if (!module)
		return;
	json_open(json, "nameless", '{');
	json_text(json, "module", profile->modules[module].path);
	json_number(json, "places", (int64_t)places);
	json_number(json, "of_places", (int64_t)of);
	json_close(json, '}');
}

/* Of a selection, how much of the whole it is. */
static int put_selection(struct json *json, const struct profile *part, const struct filter *filter)
{
	char *conditions;

	if (!part->whole || !filter || filter_is_empty(filter))
		return 0;
	conditions = report_conditions(filter);
	if (!conditions)
		return ERROR_MEMORY;
	json_open(json, "selected", '{');
	json_text(json, "conditions", conditions);
	json_number(json, "allocations", (int64_t)part->totals.allocations);
	json_number(json, "of_allocations", (int64_t)part->whole->totals.allocations);
	json_number(json, "bytes", (int64_t)part->totals.bytes);
	json_number(json, "of_bytes", (int64_t)part->whole->totals.bytes);
	json_close(json, '}');
	free(conditions);
	return 0;
}

/* 0: the file does not say. */
static void put_known(struct json *json, const char *key, uint64_t number)
{
	if (number)
		json_count(json, key, number);
	else
		json_text(json, key, NULL);
}

static int put_trace(struct json *json, const char *key, const struct profile *profile,
		     const char *path, const struct filter *filter)
{
	char *command = profile_command(profile), text[256];
	int error;

	if (!command)
		return ERROR_MEMORY;
	json_open(json, key, '{');
	json_text(json, "file", path);
	json_text(json, "kind", profile->kind == PROFILE_HEAPTRACK ? "heaptrack" : "mallograph");
	json_text(json, "state", state_name(profile->state));
	if (health_state_text(profile, text, sizeof(text)))
		json_text(json, "state_text", text);
	json_number(json, "used_bytes", (int64_t)profile->used_bytes);
	json_number(json, "file_bytes", (int64_t)profile->file_bytes);
	json_text(json, "program", profile->program);
	json_text(json, "command", command);
	json_text(json, "host", profile->host);
	put_known(json, "pid", profile->pid);
	put_known(json, "start_ns", profile->start_nanoseconds);
	put_health(json, profile);
	put_nameless(json, profile);
	error = put_selection(json, profile, filter);
	json_close(json, '}');
	free(command);
	return error;
}

/* less NULL: the side itself. lacks: what any of the two lacks. */
static void put_totals(struct json *json, const char *key, const struct report_totals *side,
		       const struct report_totals *less, unsigned lacks)
{
	static const struct profile_totals nothing;
	static const struct report_totals none = {.totals = &nothing};
	const struct profile_totals *a = side->totals, *b = less ? less->totals : &nothing;
	int known = a->peak_rss && (!less || b->peak_rss);

	if (!less)
		less = &none;
	json_open(json, key, '{');
	json_number(json, "runtime_ms", (int64_t)(a->end_tick - b->end_tick));
	json_number(json, "allocations", (int64_t)(a->allocations - b->allocations));
	json_number(json, "deallocations", (int64_t)(a->deallocations - b->deallocations));
	json_number_if(json, "reallocations", !(lacks & PROFILE_LACKS_REALLOCATIONS),
		       (int64_t)(a->reallocations - b->reallocations));
	json_number(json, "temporary", (int64_t)(a->temporary - b->temporary));
	json_number(json, "bytes", (int64_t)(a->bytes - b->bytes));
	json_number(json, "peak_bytes", (int64_t)(a->peak_bytes - b->peak_bytes));
	json_number(json, "peak_blocks", (int64_t)(a->peak_blocks - b->peak_blocks));
	json_number(json, "peak_ms", (int64_t)(a->peak_tick - b->peak_tick));
	json_number_if(json, "peak_rss", known, (int64_t)(a->peak_rss - b->peak_rss));
	json_number(json, "leaked_blocks", (int64_t)(side->leaked_blocks - less->leaked_blocks));
	json_number(json, "leaked_bytes", (int64_t)(side->leaked_bytes - less->leaked_bytes));
	json_number(json, "suppressed_blocks",
		    (int64_t)(side->suppressed_blocks - less->suppressed_blocks));
	json_number(json, "suppressed_bytes",
		    (int64_t)(side->suppressed_bytes - less->suppressed_bytes));
	json_close(json, '}');
}

static void put_summary(struct json *json, const struct report *report)
{
	const struct profile *profile = report->profile;
	unsigned fresh, base;

	if (!report->diff) {
		put_totals(json, "totals", &report->fresh, NULL, profile->lacks);
		return;
	}
	fresh = profile->fresh->lacks;
	base = profile->base->lacks;
	json_open(json, "totals", '{');
	put_totals(json, "base", &report->base, NULL, base);
	put_totals(json, "new", &report->fresh, NULL, fresh);
	put_totals(json, "difference", &report->fresh, &report->base, fresh | base);
	json_close(json, '}');
}

static void put_suppressions(struct json *json, const struct suppressions *all, int diff)
{
	static const char *const origins[] = {
	    [SUPPRESSION_BUILTIN] = "built-in",
	    [SUPPRESSION_EMBEDDED] = "embedded",
	    [SUPPRESSION_FILE] = "file",
	};

	json_open(json, "suppressions", '[');
	for (size_t i = 0; all && i < all->count; i++) {
		const struct suppression *rule = &all->rules[i];

		if (!rule->matches && !rule->base_matches)
			continue;
		json_open(json, NULL, '{');
		json_text(json, "pattern", rule->pattern);
		json_text(json, "origin", origins[rule->origin]);
		json_number(json, "matches", (int64_t)rule->matches);
		json_number(json, "leaked_bytes", (int64_t)rule->leaked_bytes);
		if (diff) {
			json_number(json, "base_matches", (int64_t)rule->base_matches);
			json_number(json, "base_leaked_bytes", (int64_t)rule->base_leaked_bytes);
		}
		json_close(json, '}');
	}
	json_close(json, ']');
}

int json_report(FILE *out, struct report *report, const char *path, const char *base_path)
{
	struct json json = {.out = out};
	const struct profile *profile = report->profile;
	const struct report_options *options = report->options;
	int error;

	json_open(&json, NULL, '{');
	json_number(&json, "schema", JSON_SCHEMA);
	json_text(&json, "mallograph", MALLOGRAPH_VERSION);
	error = put_trace(&json, "trace", report->diff ? profile->fresh : profile, path,
			  options->filter);
	if (!error && report->diff)
		error = put_trace(&json, "base", profile->base, base_path, options->base_filter);
	if (options->per > 1)
		json_number(&json, "per", (int64_t)options->per);
	if (options->sections & REPORT_SUMMARY)
		put_summary(&json, report);
	if (!error)
		error = json_sections(&json, report);
	if (!error)
		error = json_trees(&json, report);
	if (!error && options->sections & REPORT_TIMELINE)
		error = json_timeline(&json, report);
	if (!error && options->sections & REPORT_HISTOGRAM)
		error = json_histogram(&json, profile);
	if (!error && options->suppressions)
		put_suppressions(&json, report->lens ? report->lens->suppressions : NULL,
				 report->diff);
	json_close(&json, '}');
	return error;
}
