/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/report/text.h"

#include <inttypes.h>
#include <stdlib.h>

#include "analyzer/model/health.h"
#include "analyzer/query/sites.h"
#include "analyzer/report/frames.h"
#include "formats/error.h"
#include "formats/numbers.h"

struct report {
	FILE *out;
	const struct profile *profile;
	const struct text_options *options;
	struct sites sites;
	struct frame_printer frames;
};

struct section {
	enum text_section bit;
	enum cost_kind kind;
	const char *title;
	/* one entry's first line, and that of a stack below it */
	void (*entry)(const struct report *report, const struct cost *cost);
	void (*stack)(const struct report *report, const struct cost *cost);
};

static struct number_text bytes_text(const struct text_options *options, uint64_t bytes)
{
	return options->plain_bytes ? number_plain((int64_t)bytes) : number_bytes((int64_t)bytes);
}

static void allocations_entry(const struct report *report, const struct cost *cost)
{
	fprintf(report->out,
		"%" PRIu64 " calls to allocation functions with %s peak consumption from\n",
		cost->allocations, bytes_text(report->options, cost->peak_bytes).text);
}

static void allocations_stack(const struct report *report, const struct cost *cost)
{
	fprintf(report->out, "%" PRIu64 " calls with %s peak consumption from:\n",
		cost->allocations, bytes_text(report->options, cost->peak_bytes).text);
}

static void peak_entry(const struct report *report, const struct cost *cost)
{
	fprintf(report->out, "%s peak memory consumed over %" PRIu64 " calls from\n",
		bytes_text(report->options, cost->peak_bytes).text, cost->allocations);
}

static void peak_stack(const struct report *report, const struct cost *cost)
{
	fprintf(report->out, "%s consumed over %" PRIu64 " calls from:\n",
		bytes_text(report->options, cost->peak_bytes).text, cost->allocations);
}

static void leaks_entry(const struct report *report, const struct cost *cost)
{
	fprintf(report->out, "%s leaked over %" PRIu64 " calls from\n",
		bytes_text(report->options, cost->leaked_bytes).text, cost->allocations);
}

static void leaks_stack(const struct report *report, const struct cost *cost)
{
	fprintf(report->out, "%s leaked over %" PRIu64 " calls from:\n",
		bytes_text(report->options, cost->leaked_bytes).text, cost->allocations);
}

static void temporary_line(const struct report *report, const struct cost *cost, const char *end)
{
	fprintf(report->out,
		"%" PRIu64 " temporary allocations of %" PRIu64
		" allocations in total (%s) from%s\n",
		cost->temporary, cost->allocations,
		number_percent((int64_t)cost->temporary, (int64_t)cost->allocations).text, end);
}

static void temporary_entry(const struct report *report, const struct cost *cost)
{
	temporary_line(report, cost, "");
}

static void temporary_stack(const struct report *report, const struct cost *cost)
{
	temporary_line(report, cost, ":");
}

static const struct section sections[] = {
    {
	.bit = TEXT_ALLOCATIONS,
	.kind = COST_ALLOCATIONS,
	.title = "MOST CALLS TO ALLOCATION FUNCTIONS",
	.entry = allocations_entry,
	.stack = allocations_stack,
    },
    {
	.bit = TEXT_PEAK,
	.kind = COST_PEAK,
	.title = "PEAK MEMORY CONSUMERS",
	.entry = peak_entry,
	.stack = peak_stack,
    },
    {
	.bit = TEXT_LEAKS,
	.kind = COST_LEAKED,
	.title = "MEMORY LEAKS",
	.entry = leaks_entry,
	.stack = leaks_stack,
    },
    {
	.bit = TEXT_TEMPORARY,
	.kind = COST_TEMPORARY,
	.title = "MOST TEMPORARY ALLOCATIONS",
	.entry = temporary_entry,
	.stack = temporary_stack,
    },
};

/* The rest of a stack behind the frames that its site's entry has shown. */
static void print_callers(struct report *report, const struct site_stack *stack, uint32_t shown)
{
	const struct profile_node *node = &report->profile->nodes[stack->node];

	if (report->profile->locations[node->location].frame_count)
		frame_print_stack(&report->frames, 4, stack->node, stack->frame + shown);
	else
		frame_print_stack(&report->frames, 4, node->parent, 0);
}

static int print_site_stacks(struct report *report, const struct section *section,
			     const struct site *site)
{
	struct ordering ordering = {.kind = section->kind, .sort_by = -1};
	size_t count;
	uint32_t *order = sites_sorted_stacks(&report->sites, site->first_stack, site->stack_count,
					      &ordering, &count);
	uint64_t rest = cost_of(&site->cost, section->kind);
	size_t shown = count < report->options->stacks ? count : report->options->stacks;

	if (!order)
		return ERROR_MEMORY;
	for (size_t i = 0; i < shown; i++) {
		const struct site_stack *stack = &report->sites.stacks[order[i]];

		section->stack(report, &stack->cost);
		print_callers(report, stack, site->shared_frames);
		rest -= cost_of(&stack->cost, section->kind);
	}
	free(order);
	if (count > shown) {
		int in_bytes = section->kind == COST_PEAK || section->kind == COST_LEAKED;

		fprintf(report->out, "  and %s from %zu other places\n",
			in_bytes ? bytes_text(report->options, rest).text
				 : number_plain((int64_t)rest).text,
			count - shown);
	}
	return 0;
}

static int print_merged(struct report *report, const struct section *section)
{
	struct ordering ordering = {.kind = section->kind, .sort_by = -1};
	size_t count;
	uint32_t *order = sites_sorted(&report->sites, &ordering, &count);
	int error = order ? 0 : ERROR_MEMORY;

	for (size_t i = 0; i < count && i < report->options->entries && !error; i++) {
		const struct site *site = &report->sites.sites[order[i]];

		section->entry(report, &site->cost);
		frame_print(&report->frames, 0, site->node, site->frame, site->shared_frames);
		error = print_site_stacks(report, section, site);
		fputc('\n', report->out);
	}
	free(order);
	return error;
}

static int print_stacks(struct report *report, const struct section *section)
{
	struct ordering ordering = {.kind = section->kind, .sort_by = -1};
	size_t count;
	uint32_t *order =
	    sites_sorted_stacks(&report->sites, 0, report->sites.stack_count, &ordering, &count);

	if (!order)
		return ERROR_MEMORY;
	for (size_t i = 0; i < count && i < report->options->entries; i++) {
		const struct site_stack *stack = &report->sites.stacks[order[i]];

		section->entry(report, &stack->cost);
		if (stack->node)
			frame_print_stack(&report->frames, 2, stack->node, stack->frame);
		else
			frame_print(&report->frames, 2, 0, 0, 0);
		fputc('\n', report->out);
	}
	free(order);
	return 0;
}

static uint64_t per_second(uint64_t count, uint64_t ticks)
{
	/* what took less than a tick took one */
	return (uint64_t)((unsigned __int128)count * TRACE_TICKS_PER_SECOND / (ticks ? ticks : 1));
}

static void print_summary(const struct report *report)
{
	const struct profile_totals *totals = &report->profile->totals;
	FILE *out = report->out;

	fprintf(out, "total runtime: %ss.\n",
		number_fixed((int64_t)totals->end_tick, TRACE_TICKS_PER_SECOND,
			     totals->end_tick < TRACE_TICKS_PER_SECOND ? 3 : 2)
		    .text);
	fprintf(out, "calls to allocation functions: %" PRIu64 " (%" PRIu64 "/s)\n",
		totals->allocations, per_second(totals->allocations, totals->end_tick));
	fprintf(out, "temporary memory allocations: %" PRIu64 " (%" PRIu64 "/s)\n",
		totals->temporary, per_second(totals->temporary, totals->end_tick));
	fprintf(out, "peak heap memory consumption: %s\n",
		bytes_text(report->options, totals->peak_bytes).text);
	fprintf(out, "peak RSS (including %s overhead): %s\n",
		report->profile->kind == PROFILE_HEAPTRACK ? "heaptrack" : "mallograph",
		totals->peak_rss ? bytes_text(report->options, totals->peak_rss).text : "unknown");
	fprintf(out, "total memory leaked: %s\n",
		bytes_text(report->options, totals->leaked_bytes).text);
}

/* Whatever is left out of the report, this is not. */
static void print_health(const struct report *report)
{
	const struct profile *profile = report->profile;
	char state[256];

	if (health_state_text(profile, state, sizeof(state)))
		fprintf(report->out, "trace %s\n", state);
	for (const struct health_item *item = health_items; item->label; item++) {
		char text[256];

		if (health_misleads(profile, item) &&
		    health_item_text(profile, item, text, sizeof(text)))
			fprintf(report->out, "%s\n", text);
	}
}

void text_report_head(FILE *out, const struct profile *profile, const char *path)
{
	struct frame_printer printer;
	char *command = profile_command(profile);

	frame_printer_init(&printer, out, profile, 0);
	fputs("reading file \"", out);
	frame_print_text(&printer, path);
	fputs("\" - please wait, this might take some time...\nDebuggee command was: ", out);
	frame_print_text(&printer, command ? command : "");
	fputs("\nfinished reading file, now analyzing data:\n\n", out);
	free(command);
	frame_printer_release(&printer);
}

int text_report(FILE *out, const struct profile *profile, const struct text_options *options)
{
	struct report report = {.out = out, .profile = profile, .options = options};
	int error = sites_init(&report.sites, profile, NULL);

	frame_printer_init(&report.frames, out, profile, options->shorten);
	for (size_t i = 0; i < sizeof(sections) / sizeof(*sections) && !error; i++) {
		if (!(options->sections & sections[i].bit))
			continue;
		fprintf(out, "%s\n", sections[i].title);
		error = options->merge ? print_merged(&report, &sections[i])
				       : print_stacks(&report, &sections[i]);
		fputc('\n', out);
	}
	if (!error && options->sections & TEXT_SUMMARY)
		print_summary(&report);
	if (!error)
		print_health(&report);
	if (!error && options->sections & TEXT_SUMMARY && !(options->sections & TEXT_LEAKS) &&
	    profile->totals.leaked_blocks)
		fprintf(out, "%" PRIu64 " blocks leaked; -l lists them\n",
			profile->totals.leaked_blocks);
	if (report.frames.failed)
		error = ERROR_MEMORY;
	frame_printer_release(&report.frames);
	sites_release(&report.sites);
	return error;
}
