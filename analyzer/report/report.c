/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/report/report.h"

#include <stdlib.h>
#include <string.h>

#include "formats/error.h"
#include "formats/trace/reader.h"

const struct report_kind report_kinds[REPORT_KINDS] = {
    {
	.section = REPORT_ALLOCATIONS,
	.kind = COST_ALLOCATIONS,
	.name = "allocations",
	.title = "MOST CALLS TO ALLOCATION FUNCTIONS",
    },
    {
	.section = REPORT_PEAK,
	.kind = COST_PEAK,
	.name = "peak",
	.title = "PEAK MEMORY CONSUMERS",
    },
    {
	.section = REPORT_LEAKS,
	.kind = COST_LEAKED,
	.name = "leaks",
	.title = "MEMORY LEAKS",
    },
    {
	.section = REPORT_TEMPORARY,
	.kind = COST_TEMPORARY,
	.name = "temporary",
	.title = "MOST TEMPORARY ALLOCATIONS",
    },
};

static void set_leaked(struct report_totals *side, uint64_t suppressed_blocks,
		       uint64_t suppressed_bytes)
{
	side->suppressed_blocks = suppressed_blocks;
	side->suppressed_bytes = suppressed_bytes;
	side->leaked_blocks = side->totals->leaked_blocks - side->suppressed_blocks;
	side->leaked_bytes = side->totals->leaked_bytes - side->suppressed_bytes;
}

static int gather_trees(struct report *report)
{
	const struct report_options *options = report->options;
	int error = 0;

	report->trees[REPORT_TREE] = (struct report_tree){
	    .wanted = options->tree != 0,
	    .direction = options->tree == 1 + TREE_BOTTOM_UP ? TREE_BOTTOM_UP : TREE_TOP_DOWN,
	};
	report->trees[REPORT_CALLERS] = (struct report_tree){
	    .wanted = options->callers != NULL,
	    .direction = TREE_BOTTOM_UP,
	    .function = options->callers,
	};
	report->trees[REPORT_CALLEES] = (struct report_tree){
	    .wanted = options->callees != NULL,
	    .direction = TREE_TOP_DOWN,
	    .function = options->callees,
	};
	for (size_t i = 0; i < REPORT_TREES && !error; i++) {
		struct report_tree *tree = &report->trees[i];

		if (!tree->wanted)
			continue;
		error = tree_init(&tree->tree, report->profile, report->lens, tree->direction,
				  tree->function);
		if (error == ERROR_EMPTY)
			report->missing = tree->function;
	}
	return error;
}

/* Of one side. Its classes are side_classes of the profile's, behind `first` of them. */
static int collect_details(struct details **details, const struct report *report,
			   const struct profile *side, const struct filter *filter, size_t first)
{
	const struct sites *sites = &report->sites;
	size_t groups = report->options->merge ? sites->site_count : sites->stack_count;
	uint32_t *group_of = calloc(side->class_count, sizeof(*group_of));
	int error;

	if (!group_of)
		return ERROR_MEMORY;
	group_of[0] = UINT32_MAX;
	for (size_t i = 1; i < side->class_count; i++) {
		uint32_t stack = sites->stack_of_class[first + i];

		group_of[i] = report->options->merge && stack != UINT32_MAX
				  ? sites->stacks[stack].site
				  : stack;
	}
	error = details_collect(details, side, filter, group_of, groups);
	free(group_of);
	return error;
}

static int gather_details(struct report *report)
{
	const struct profile *profile = report->profile;
	const struct report_options *options = report->options;
	int error;

	if (!options->details)
		return 0;
	if (!report->diff)
		return collect_details(&report->details, report, profile, options->filter, 0);
	error = collect_details(&report->details, report, profile->fresh, options->filter, 0);
	if (!error)
		error = collect_details(&report->base_details, report, profile->base,
					options->base_filter, profile->fresh->class_count - 1);
	return error;
}

int report_init(struct report *report, const struct profile *profile, const struct lens *lens,
		const struct report_options *options)
{
	static const struct suppressions none;
	const struct suppressions *suppressed =
	    lens && lens->suppressions ? lens->suppressions : &none;
	int error;

	*report = (struct report){
	    .profile = profile,
	    .options = options,
	    .lens = lens,
	    .diff = profile->base != NULL,
	    .fresh.totals = &profile->totals,
	    .base.totals = &profile->base_totals,
	};
	set_leaked(&report->fresh, suppressed->leaked_blocks, suppressed->leaked_bytes);
	set_leaked(&report->base, suppressed->base_leaked_blocks, suppressed->base_leaked_bytes);
	error = sites_init(&report->sites, profile, lens);
	if (!error)
		error = gather_details(report);
	if (!error)
		error = gather_trees(report);
	return error;
}

void report_release(struct report *report)
{
	sites_release(&report->sites);
	for (size_t i = 0; i < REPORT_TREES; i++)
		tree_release(&report->trees[i].tree);
	free(report->details);
	free(report->base_details);
}

char *report_conditions(const struct filter *filter)
{
	size_t length = (size_t)filter_text(filter, NULL, 0);
	char *conditions = malloc(length + 1);

	if (conditions)
		filter_text(filter, conditions, length + 1);
	return conditions;
}

enum cost_kind report_tree_kind(const struct report *report)
{
	int by = report->options->sort_by;

	return by >= 0 ? (enum cost_kind)by : COST_PEAK;
}

static struct ordering ordering_of(const struct report *report, enum cost_kind kind)
{
	return (struct ordering){
	    .kind = kind,
	    .sort_by = report->options->sort_by,
	    .difference = report->diff,
	};
}

static uint32_t *sort_entries(const struct report *report, const struct ordering *ordering,
			      size_t *found)
{
	const struct sites *sites = &report->sites;

	return report->options->merge
		   ? sites_sorted(sites, ordering, found)
		   : sites_sorted_stacks(sites, 0, sites->stack_count, ordering, found);
}

uint32_t *report_entries(const struct report *report, enum cost_kind kind, size_t *found,
			 size_t *below)
{
	struct ordering ordering = ordering_of(report, kind);
	uint32_t *order = sort_entries(report, &ordering, found);
	uint64_t per = report->options->per ? report->options->per : 1;
	size_t all = *found;

	*below = 0;
	if (!order || !report->diff || !report->options->least)
		return order;
	if (__builtin_mul_overflow(report->options->least, per, &ordering.least))
		ordering.least = UINT64_MAX;
	free(order);
	order = sort_entries(report, &ordering, found);
	*below = all - *found;
	return order;
}

static int is_shifted(const struct report *report, const struct site *site,
		      const struct ordering *ordering)
{
	const struct site_stack *stacks = &report->sites.stacks[site->first_stack];
	struct cost_rank rank;

	if (cost_rank(&rank, &site->cost, &site->base, ordering, 0))
		return 0;
	for (uint32_t i = 0; i < site->stack_count; i++)
		if (cost_rank(&rank, &stacks[i].cost, &stacks[i].base, ordering, 0))
			return 1;
	return 0;
}

size_t report_shifted(const struct report *report, enum cost_kind kind)
{
	struct ordering ordering = ordering_of(report, kind);
	size_t shifted = 0;

	for (size_t i = 0; report->diff && report->options->merge && i < report->sites.site_count;
	     i++)
		shifted += (size_t)is_shifted(report, &report->sites.sites[i], &ordering);
	return shifted;
}

uint32_t *report_stacks(const struct report *report, const struct site *site, enum cost_kind kind,
			size_t *found)
{
	struct ordering ordering = ordering_of(report, kind);

	return sites_sorted_stacks(&report->sites, site->first_stack, site->stack_count, &ordering,
				   found);
}

int report_in_bytes(enum cost_kind kind)
{
	return kind == COST_PEAK || kind == COST_LEAKED || kind == COST_BYTES;
}

int64_t report_figure(const struct report *report, const struct cost *cost, const struct cost *base,
		      enum cost_kind kind)
{
	return report->diff ? cost_difference(cost, base, kind) : (int64_t)cost_of(cost, kind);
}

struct number_text report_count_text(const struct report_options *options, int64_t count)
{
	return options->per > 1 ? number_fixed(count, options->per, 2) : number_plain(count);
}

struct number_text report_bytes_text(const struct report_options *options, int64_t bytes)
{
	uint64_t size = bytes < 0 ? -(uint64_t)bytes : (uint64_t)bytes;
	struct number_text text;
	int64_t quotient;

	if (options->plain_bytes)
		return report_count_text(options, bytes);
	if (options->per <= 1)
		return number_bytes(bytes);
	if (size / options->per < 1000) {
		text = number_fixed(bytes, options->per, 2);
		strcat(text.text, "B");
		return text;
	}
	quotient = (int64_t)((size + (unsigned __int128)options->per / 2) / options->per);
	return number_bytes(bytes < 0 ? -quotient : quotient);
}

uint64_t report_per_second(uint64_t count, uint64_t ticks)
{
	return (uint64_t)((unsigned __int128)count * TRACE_TICKS_PER_SECOND / (ticks ? ticks : 1));
}
