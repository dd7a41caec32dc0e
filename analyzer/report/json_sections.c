/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/report/json_parts.h"

#include <stdlib.h>

#include "analyzer/report/tree_walk.h"
#include "formats/error.h"

static void put_details(struct json *json, const char *key, const struct profile *profile,
			const struct details *details)
{
	int lived = !(profile->lacks & PROFILE_LACKS_LIFETIMES);

	json_open(json, key, '{');
	json_number(json, "own_peak_bytes", (int64_t)details->own_peak_bytes);
	json_number(json, "own_peak_ms", (int64_t)details->own_peak_tick);
	json_number(json, "first_ms", (int64_t)details->first_tick);
	json_number(json, "last_ms", (int64_t)details->last_tick);
	json_number_if(json, "lifetime_count", lived, (int64_t)details->lifetime_count);
	json_number_if(json, "lifetime_sum_ms", lived, (int64_t)details->lifetime_sum);
	json_number_if(json, "lifetime_least_ms", lived, (int64_t)details->lifetime_least);
	json_number_if(json, "lifetime_most_ms", lived, (int64_t)details->lifetime_most);
	json_number_if(json, "threads", !(profile->lacks & PROFILE_LACKS_THREADS),
		       details->threads);
	if (details->threads && details->thread < profile->thread_count) {
		const struct profile_thread *thread = &profile->threads[details->thread];

		json_open(json, "most_allocations", '{');
		json_count(json, "tid", thread->tid);
		json_text(json, "thread", thread->name);
		json_number(json, "allocations", (int64_t)details->thread_allocations);
		json_close(json, '}');
	}
	json_close(json, '}');
}

static void put_entry_details(struct json *json, const struct report *report, uint32_t entry)
{
	const struct profile *profile = report->profile;

	if (!report->details)
		return;
	if (!report->diff) {
		put_details(json, "details", profile, &report->details[entry]);
		return;
	}
	json_open(json, "details", '{');
	put_details(json, "base", profile->base, &report->base_details[entry]);
	put_details(json, "new", profile->fresh, &report->details[entry]);
	json_close(json, '}');
}

static void put_stack(struct json *json, const struct report *report, uint32_t index, int details)
{
	const struct site_stack *stack = &report->sites.stacks[index];

	json_open(json, NULL, '{');
	json_cost(json, "cost", report, &stack->cost, &stack->base);
	if (stack->similar)
		json_flag(json, "similar", 1);
	if (details)
		put_entry_details(json, report, index);
	json_stack(json, "frames", report->profile, stack->node, stack->frame);
	json_close(json, '}');
}

/* What makes the entry one: depends on --by. */
static void put_place(struct json *json, const struct report *report, const struct site *site)
{
	const struct profile *profile = report->profile;
	enum lens_by by = report->lens ? report->lens->by : LENS_BY_SITE;

	json_open(json, "place", '{');
	if (by == LENS_BY_THREAD) {
		json_number_if(json, "tid", !site_nameless_threads(profile, site),
			       (int64_t)profile->threads[site->thread].tid);
		json_text(json, "thread", profile->threads[site->thread].name);
	} else if (by == LENS_BY_SIZE) {
		json_number(json, "size", (int64_t)site->size);
	} else {
		json_open(json, "frames", '[');
		json_frame(json, profile, site->node, site->frame);
		for (uint32_t i = 1; i < site->shared_frames; i++)
			json_frame(json, profile, site->node, site->frame + i);
		json_close(json, ']');
	}
	json_close(json, '}');
}

static int put_site(struct json *json, const struct report *report, enum cost_kind kind,
		    uint32_t index)
{
	const struct site *site = &report->sites.sites[index];
	size_t count;
	uint32_t *order = report_stacks(report, site, kind, &count);

	if (!order)
		return ERROR_MEMORY;
	json_open(json, NULL, '{');
	json_cost(json, "cost", report, &site->cost, &site->base);
	put_place(json, report, site);
	put_entry_details(json, report, index);
	json_number(json, "stacks_found", (int64_t)count);
	json_open(json, "stacks", '[');
	for (size_t i = 0; i < count && i < report->options->stacks; i++)
		put_stack(json, report, order[i], 0);
	json_close(json, ']');
	json_close(json, '}');
	free(order);
	return 0;
}

static int put_section(struct json *json, const struct report *report,
		       const struct report_kind *section)
{
	size_t found, below;
	uint32_t *order = report_entries(report, section->kind, &found, &below);
	int error = order ? 0 : ERROR_MEMORY;

	json_open(json, section->name, '{');
	json_number(json, "found", (int64_t)found);
	json_number(json, "smaller_changes", (int64_t)below);
	if (report->diff)
		json_number(json, "backtraces_alone",
			    (int64_t)report_shifted(report, section->kind));
	json_open(json, "entries", '[');
	for (size_t i = 0; i < found && i < report->options->entries && !error; i++) {
		if (report->options->merge)
			error = put_site(json, report, section->kind, order[i]);
		else
			put_stack(json, report, order[i], 1);
	}
	json_close(json, ']');
	json_close(json, '}');
	free(order);
	return error;
}

int json_sections(struct json *json, const struct report *report)
{
	int error = 0;

	for (size_t i = 0; i < REPORT_KINDS && !error; i++)
		if (report->options->sections & report_kinds[i].section)
			error = put_section(json, report, &report_kinds[i]);
	return error;
}

struct tree_json {
	struct json *json;
	const struct report *report;
};

static void enter(void *context, const struct tree_node *node, size_t depth)
{
	const struct tree_json *tree = context;
	int root = !depth;

	json_open(tree->json, root ? "root" : NULL, '{');
	json_cost(tree->json, "cost", tree->report, &node->cost, &node->base);
	json_cost(tree->json, "own", tree->report, &node->own, &node->own_base);
	if (!root) {
		json_open(tree->json, "frames", '[');
		json_frame(tree->json, tree->report->profile, node->node, node->frame);
		json_close(tree->json, ']');
	}
	json_open(tree->json, "children", '[');
}

static void others(void *context, const struct tree_others *rest, size_t depth)
{
	const struct tree_json *tree = context;

	(void)depth;
	json_close(tree->json, ']');
	if (!rest->count)
		return;
	json_number(tree->json, "other_children", (int64_t)rest->count);
	json_cost(tree->json, "other_cost", tree->report, &rest->cost, &rest->base);
}

static void leave(void *context, const struct tree_node *node, size_t depth)
{
	const struct tree_json *tree = context;

	(void)node;
	(void)depth;
	json_close(tree->json, '}');
}

int json_trees(struct json *json, struct report *report)
{
	static const struct tree_visitor visitor = {
	    .enter = enter, .others = others, .leave = leave};
	static const char *const names[REPORT_TREES] = {"tree", "callers", "callees"};
	int error = 0;

	for (size_t i = 0; i < REPORT_TREES && !error; i++) {
		struct tree_json context = {json, report};

		if (!report->trees[i].wanted)
			continue;
		json_open(json, names[i], '{');
		json_text(json, "direction",
			  report->trees[i].direction == TREE_TOP_DOWN ? "top-down" : "bottom-up");
		json_text(json, "function", report->trees[i].function);
		error = tree_walk(report, &report->trees[i].tree, report_tree_kind(report), 0,
				  &visitor, &context);
		json_close(json, '}');
	}
	return error;
}
