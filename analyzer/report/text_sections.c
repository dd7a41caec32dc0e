/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/report/text_parts.h"

#include <inttypes.h>
#include <stdlib.h>

#include "formats/error.h"

/* heaptrack_print's words (text_words): of an entry, and of a stack below it. */
static const struct {
	const char *entry, *stack;
} words[] = {
    [COST_ALLOCATIONS] = {"%a calls to allocation functions with %p peak consumption from",
			  "%a calls with %p peak consumption from:"},
    [COST_PEAK] = {"%p peak memory consumed over %a calls from", "%p consumed over %a calls from:"},
    [COST_LEAKED] = {"%l leaked over %a calls from", "%l leaked over %a calls from:"},
    [COST_TEMPORARY] = {"%t temporary allocations of %a allocations in total (%r) from",
			"%t temporary allocations of %a allocations in total (%r) from:"},
};

static const char *stack_note(const struct site_stack *stack)
{
	return stack->similar ? "a similar stack" : NULL;
}

static enum lens_by by_of(const struct text *text)
{
	return text->report->lens ? text->report->lens->by : LENS_BY_SITE;
}

/* The rest of a stack behind the frames that its site's entry has shown. */
static void print_callers(struct text *text, const struct site *site,
			  const struct site_stack *stack)
{
	const struct profile *profile = text->report->profile;
	const struct profile_node *node = &profile->nodes[stack->node];
	enum lens_by by = by_of(text);

	if (by != LENS_BY_SITE && by != LENS_BY_ADDRESS)
		frame_print_stack(&text->frames, 4, stack->node, stack->frame);
	else if (profile->locations[node->location].frame_count)
		frame_print_stack(&text->frames, 4, stack->node,
				  stack->frame + site->shared_frames);
	else
		frame_print_stack(&text->frames, 4, node->parent, 0);
}

static void print_rest(const struct text *text, enum cost_kind kind, int64_t rest, size_t places)
{
	const struct report_options *options = text->report->options;

	fprintf(text->out, "  and %s from %zu other places\n",
		report_in_bytes(kind) ? report_bytes_text(options, rest).text
				      : report_count_text(options, rest).text,
		places);
}

static int print_site_stacks(struct text *text, enum cost_kind kind, const struct site *site)
{
	const struct report *report = text->report;
	size_t count, shown;
	uint32_t *order = report_stacks(report, site, kind, &count);
	int64_t rest = report_figure(report, &site->cost, &site->base, kind);

	if (!order)
		return ERROR_MEMORY;
	shown = count < report->options->stacks ? count : report->options->stacks;
	for (size_t i = 0; i < shown; i++) {
		const struct site_stack *stack = &report->sites.stacks[order[i]];

		text_words(text, words[kind].stack, &stack->cost, &stack->base, kind,
			   stack_note(stack));
		print_callers(text, site, stack);
		rest -= report_figure(report, &stack->cost, &stack->base, kind);
	}
	free(order);
	if (count > shown && shown)
		print_rest(text, kind, rest, count - shown);
	return 0;
}

static void print_thread(struct text *text, const struct site *site)
{
	const struct profile *profile = text->report->profile;
	const struct profile_thread *thread = &profile->threads[site->thread];
	const char *nameless = site_nameless_threads(profile, site);

	if (nameless) {
		fprintf(text->out, "%s\n", nameless);
		return;
	}
	frame_print_text(&text->frames, *thread->name ? thread->name : "thread");
	fprintf(text->out, " (%" PRIu64 ")\n", thread->tid);
}

static void print_place(struct text *text, const struct site *site)
{
	switch (by_of(text)) {
	case LENS_BY_THREAD:
		print_thread(text, site);
		return;
	case LENS_BY_SIZE:
		fprintf(text->out, "blocks of %" PRIu64 " bytes\n", site->size);
		return;
	case LENS_BY_FUNCTION:
		frame_print_part(&text->frames, site->node, site->frame, FRAME_FUNCTION);
		return;
	case LENS_BY_LINE:
		frame_print_part(&text->frames, site->node, site->frame, FRAME_LINE);
		return;
	case LENS_BY_FILE:
		frame_print_part(&text->frames, site->node, site->frame, FRAME_FILE);
		return;
	case LENS_BY_MODULE:
		frame_print_part(&text->frames, site->node, site->frame, FRAME_MODULE);
		return;
	case LENS_BY_ADDRESS:
		frame_print_part(&text->frames, site->node, site->frame, FRAME_ADDRESS);
		break;
	case LENS_BY_SITE:
		break;
	}
	frame_print(&text->frames, 0, site->node, site->frame, site->shared_frames);
}

static int print_site(struct text *text, enum cost_kind kind, uint32_t index)
{
	const struct site *site = &text->report->sites.sites[index];

	text_words(text, words[kind].entry, &site->cost, &site->base, kind, NULL);
	print_place(text, site);
	text_details(text, index, &site->cost, &site->base);
	return print_site_stacks(text, kind, site);
}

static void print_stack(struct text *text, enum cost_kind kind, uint32_t index)
{
	const struct site_stack *stack = &text->report->sites.stacks[index];

	text_words(text, words[kind].entry, &stack->cost, &stack->base, kind, stack_note(stack));
	if (stack->node)
		frame_print_stack(&text->frames, 2, stack->node, stack->frame);
	else
		frame_print(&text->frames, 2, 0, 0, 0);
	text_details(text, index, &stack->cost, &stack->base);
}

int text_section(struct text *text, const struct report_kind *section)
{
	const struct report *report = text->report;
	size_t found, below, shifted = report_shifted(report, section->kind);
	uint32_t *order = report_entries(report, section->kind, &found, &below);
	int error = order ? 0 : ERROR_MEMORY;

	fprintf(text->out, "%s\n", section->title);
	for (size_t i = 0; i < found && i < report->options->entries && !error; i++) {
		if (report->options->merge)
			error = print_site(text, section->kind, order[i]);
		else
			print_stack(text, section->kind, order[i]);
		fputc('\n', text->out);
	}
	if (below)
		fprintf(text->out, "%zu smaller changes are left out (--min-change %" PRIu64 ")\n",
			below, report->options->least);
	else if (!found && !shifted && !error)
		fputs(report->diff ? "nothing changed\n" : "none\n", text->out);
	if (shifted)
		fprintf(text->out, "changed in their backtraces alone: %zu (-m0 lists these)\n",
			shifted);
	free(order);
	fputc('\n', text->out);
	return error;
}
