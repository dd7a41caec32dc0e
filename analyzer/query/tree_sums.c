/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A walk through the steps (places.h) from outermost to innermost. `open` counts for each group
 * the frames of it on the way from the root: where the first one is entered, all stacks that end
 * there or below pass through the group, and their costs are the difference of two running sums
 * (tree.c). Whoever is deeper inside has been counted.
 */
#include "analyzer/query/tree_sums.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/query/tree_roots.h"
#include "formats/error.h"

#define UNASKED (UINT32_MAX - 1)

struct summing {
	const struct tree_growth *growth;
	struct tree_sum *sums;
	uint32_t *of_place; /* its group */
	uint32_t *open;     /* by group */
};

static uint32_t group_of(const struct summing *all, uint32_t step)
{
	return step ? all->of_place[all->growth->places.steps[step].place] : TREE_NO_GROUP;
}

static void enter(struct summing *all, uint32_t step)
{
	const struct tree_growth *growth = all->growth;
	uint32_t group = group_of(all, step);
	struct tree_sum *sum;

	if (group == TREE_NO_GROUP)
		return;
	sum = &all->sums[group];
	tree_add_costs(growth, &sum->own, &sum->own_base, growth->start[step],
		       growth->cost_of_step[step] != 0);
	if (!all->open[group]++)
		tree_add_costs(growth, &sum->cost, &sum->base, growth->start[step],
			       growth->below[step]);
}

static void leave(struct summing *all, uint32_t step)
{
	uint32_t group = group_of(all, step);

	if (group != TREE_NO_GROUP)
		all->open[group]--;
}

/* Stacks may be deeper than ours. */
static void walk(struct summing *all, uint32_t root)
{
	const struct tree_growth *growth = all->growth;
	uint32_t step = root;

	enter(all, step);
	for (;;) {
		if (growth->first_child[step]) {
			step = growth->first_child[step];
		} else {
			leave(all, step);
			while (step != root && !growth->next[step]) {
				step = growth->places.steps[step].parent;
				leave(all, step);
			}
			if (step == root)
				return;
			step = growth->next[step];
		}
		enter(all, step);
	}
}

/* By place, of all that stacks pass through. Asked for in the order of the steps, which is that of
 * nodes and frames: a walk goes to and fro. */
static uint32_t *ask_groups(const struct tree_growth *growth, tree_group group, void *context)
{
	const struct places *places = &growth->places;
	uint32_t most = 0, *of_place;

	for (size_t i = 0; i < places->step_count; i++)
		if (places->steps[i].place > most)
			most = places->steps[i].place;
	of_place = reallocarray(NULL, (size_t)most + 1, sizeof(*of_place));
	for (size_t i = 0; of_place && i <= most; i++)
		of_place[i] = UNASKED;
	for (size_t i = 1; of_place && i < places->step_count; i++) {
		const struct places_step *at = &places->steps[i];

		if (growth->below[i] && of_place[at->place] == UNASKED)
			of_place[at->place] = group(context, at->node, at->frame);
	}
	return of_place;
}

int tree_sum_groups(const struct tree *tree, uint32_t root, tree_group group, void *context,
		    struct tree_sum *sums, size_t groups)
{
	const struct tree_growth *growth = tree->growth;
	const struct tree_range *range = &growth->ranges[root];
	struct summing all = {
	    .growth = growth,
	    .sums = sums,
	    .of_place = ask_groups(growth, group, context),
	    .open = calloc(groups + 1, sizeof(*all.open)),
	};

	memset(sums, 0, groups * sizeof(*sums));
	if (all.of_place && all.open)
		for (uint32_t i = 0; i < range->count; i++)
			walk(&all, growth->members[range->first + i].step);
	free(all.open);
	if (!all.of_place || !all.open) {
		free(all.of_place);
		return ERROR_MEMORY;
	}
	free(all.of_place);
	return 0;
}
