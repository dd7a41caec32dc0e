/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/query/tree_roots.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/query/names.h"
#include "formats/error.h"

/* By step: the number of its entry, from 1 on, where stacks end there. */
static int number_entries(struct tree_growth *growth, const struct profile *profile)
{
	const struct places *places = &growth->places;

	growth->cost_of_step = calloc(places->step_count, sizeof(*growth->cost_of_step));
	growth->below = calloc(places->step_count, sizeof(*growth->below));
	if (!growth->cost_of_step || !growth->below)
		return ERROR_MEMORY;
	for (size_t i = 1; i < profile->class_count; i++) {
		struct place_leaf leaf = places_leaf(places, profile, profile->classes[i].node);
		uint32_t *entry = &growth->cost_of_step[places_step(places, leaf.node, leaf.frame)];

		if (!*entry)
			*entry = (uint32_t)++growth->cost_count;
	}
	for (size_t i = places->step_count; i-- > 0;) {
		growth->below[i] += growth->cost_of_step[i] != 0;
		if (i)
			growth->below[places->steps[i].parent] += growth->below[i];
	}
	return 0;
}

/* (Of calloc() each page would fault twice: it is read before it is written.) */
static struct cost *zeroed_costs(size_t count)
{
	struct cost *costs = reallocarray(NULL, count, sizeof(*costs));

	if (costs)
		memset(costs, 0, count * sizeof(*costs));
	return costs;
}

/* Gathers what the stacks that end in a step cost. */
static int gather_costs(struct tree_growth *growth, const struct profile *profile,
			const struct lens *lens)
{
	const struct places *places = &growth->places;

	growth->costs = zeroed_costs(growth->cost_count + 1);
	if (profile->fresh)
		growth->base_costs = zeroed_costs(growth->cost_count + 1);
	if (!growth->costs || (profile->fresh && !growth->base_costs))
		return ERROR_MEMORY;
	for (size_t i = 1; i < profile->class_count; i++) {
		struct place_leaf leaf = places_leaf(places, profile, profile->classes[i].node);
		uint32_t step = places_step(places, leaf.node, leaf.frame);
		struct cost cost = cost_of_class(profile, lens, (uint32_t)i);

		cost_add((profile->classes[i].base ? growth->base_costs : growth->costs) +
			     growth->cost_of_step[step],
			 &cost);
	}
	return 0;
}

static int link_children(struct tree_growth *growth)
{
	const struct places *places = &growth->places;

	growth->first_child = calloc(places->step_count, sizeof(*growth->first_child));
	growth->next = calloc(places->step_count, sizeof(*growth->next));
	if (!growth->first_child || !growth->next)
		return ERROR_MEMORY;
	for (uint32_t i = 1; i < places->step_count; i++) {
		uint32_t parent = places->steps[i].parent;

		if (!growth->below[i])
			continue;
		growth->next[i] = growth->first_child[parent];
		growth->first_child[parent] = i;
	}
	return 0;
}

/* Each step's entries begin where those of its parent and of siblings before it end. Entries get
 * other numbers. */
static int order_entries(struct tree_growth *growth)
{
	const struct places *places = &growth->places;
	uint32_t *free_from = calloc(places->step_count, sizeof(*free_from));

	growth->start = calloc(places->step_count, sizeof(*growth->start));
	if (!free_from || !growth->start) {
		free(free_from);
		return ERROR_MEMORY;
	}
	for (uint32_t i = 0; i < places->step_count; i++) {
		uint32_t parent = places->steps[i].parent;

		if (i) {
			growth->start[i] = free_from[parent];
			free_from[parent] += growth->below[i];
		}
		free_from[i] = growth->start[i] + (growth->cost_of_step[i] != 0);
		if (growth->cost_of_step[i])
			growth->cost_of_step[i] = growth->start[i] + 1;
	}
	free(free_from);
	return 0;
}

static void sum_costs(struct cost *costs, size_t count)
{
	for (size_t i = 1; i <= count; i++)
		cost_add(&costs[i], &costs[i - 1]);
}

void tree_add_costs(const struct tree_growth *growth, struct cost *cost, struct cost *base,
		    uint32_t first, uint32_t count)
{
	if (!count)
		return;
	cost_add(cost, &growth->costs[first + count]);
	cost_subtract(cost, &growth->costs[first]);
	if (growth->base_costs) {
		cost_add(base, &growth->base_costs[first + count]);
		cost_subtract(base, &growth->base_costs[first]);
	}
}

/* --- a function ------------------------------------------------------------ */

static uint32_t function_of(const struct tree_growth *growth, const struct profile *profile,
			    uint32_t step)
{
	const struct places_step *at = &growth->places.steps[step];

	return places_names(&growth->places, profile, at->node, at->frame).function;
}

static int is_called(const char *name, const char *function)
{
	char *bare;
	int same;

	if (!strcmp(name, function))
		return 1;
	bare = malloc(strlen(name) + 1);
	if (!bare)
		return 0;
	name_bare(bare, name);
	same = !strcmp(bare, function);
	free(bare);
	return same;
}

static int is_of_identifier(char letter)
{
	return letter == '_' || isalnum((unsigned char)letter);
}

/* What every name that is called that, or has that as a part, must hold as it is: templates and
 * arguments are left out behind an identifier, never inside of one. */
static const char *last_identifier(const char *function)
{
	const char *at = function + strlen(function);

	while (at > function && is_of_identifier(at[-1]))
		at--;
	return at;
}

/* By function number: 2 where it is called that, 1 where that is part of its name. */
static unsigned char *compare_functions(const struct tree_growth *growth,
					const struct profile *profile, const char *function)
{
	const struct places *places = &growth->places;
	unsigned char *like = calloc(places->function_names.text_count + 1, 1);
	const char *identifier = last_identifier(function);

	if (!like)
		return NULL;
	for (size_t i = 0; i < profile->frame_count; i++) {
		const char *name = profile->frames[i].function;
		unsigned char *at = &like[places->function[i]];

		if (!name || *at == 2 || !strstr(name, identifier))
			continue;
		if (is_called(name, function))
			*at = 2;
		else if (!*at)
			*at = name_has(name, function);
	}
	for (uint32_t i = 1; i <= places->function_names.text_count; i++)
		if (strstr(name_text(&places->function_names, i), identifier) &&
		    is_called(name_text(&places->function_names, i), function))
			like[i] = 2;
	return like;
}

/* By step: it is the function. NULL when out of memory; *found: whether any is. */
static unsigned char *find_function(const struct tree_growth *growth, const struct profile *profile,
				    const char *function, int *found)
{
	size_t steps = growth->places.step_count;
	unsigned char *like = compare_functions(growth, profile, function);
	unsigned char *is = calloc(steps, 1), best = 0;

	*found = 0;
	for (uint32_t i = 1; like && is && i < steps; i++) {
		is[i] = growth->below[i] ? like[function_of(growth, profile, i)] : 0;
		best = is[i] > best ? is[i] : best;
	}
	for (uint32_t i = 1; like && is && i < steps; i++)
		is[i] = best && is[i] == best;
	*found = best != 0;
	free(like);
	return is;
}

/* Top-down the outermost calls, bottom-up for each stack the innermost. */
static int add_calls(struct tree_growth *growth, const unsigned char *is)
{
	const struct places_step *steps = growth->places.steps;
	size_t count = growth->places.step_count;
	uint32_t *inner = calloc(count, sizeof(*inner));
	int error = inner ? 0 : ERROR_MEMORY;

	for (uint32_t i = 1; i < count && !error; i++) {
		inner[i] = is[i] ? i : inner[steps[i].parent];
		if (growth->direction == TREE_TOP_DOWN) {
			if (is[i] && !inner[steps[i].parent])
				error = tree_add_member(growth, i, growth->cost_of_step[i]);
		} else if (inner[i] && growth->cost_of_step[i]) {
			error = tree_add_member(growth, inner[i], growth->cost_of_step[i]);
		}
	}
	free(inner);
	return error;
}

/* --- everything ------------------------------------------------------------ */

int tree_add_leaves(struct tree_growth *growth)
{
	int error = 0;

	for (uint32_t i = 1; i < growth->places.step_count && !error; i++)
		if (growth->cost_of_step[i])
			error = tree_add_member(growth, i, growth->cost_of_step[i]);
	return error;
}

/* Top-down the root is a step, too; bottom-up it is none, but has everything's cost. */
static int root_of_all(struct tree *tree)
{
	struct tree_growth *growth = tree->growth;
	int error = tree_add_member(growth, 0, growth->cost_of_step[0]);

	if (!error)
		error = tree_add_node(tree, 0, (struct tree_range){.count = 1});
	if (error || growth->direction == TREE_TOP_DOWN)
		return error;
	growth->from_leaves = 1;
	for (size_t i = 1; i <= growth->cost_count; i++) {
		if (i == growth->cost_of_step[0])
			continue;
		cost_add(&tree->nodes[0].cost, &growth->costs[i]);
		if (growth->base_costs)
			cost_add(&tree->nodes[0].base, &growth->base_costs[i]);
	}
	return 0;
}

static int root_of_function(struct tree *tree, const unsigned char *is)
{
	struct tree_growth *growth = tree->growth;
	int error = add_calls(growth, is);

	if (!error)
		error = tree_add_node(tree, 0,
				      (struct tree_range){.count = (uint32_t)growth->member_count});
	return error;
}

static int find_roots(struct tree *tree, const struct profile *profile, const struct lens *lens,
		      const char *function)
{
	struct tree_growth *growth = tree->growth;
	int error = places_init(&growth->places, profile, lens), found;
	unsigned char *is;

	if (!error)
		error = number_entries(growth, profile);
	if (!error && growth->direction == TREE_TOP_DOWN)
		error = link_children(growth);
	if (!error && growth->direction == TREE_TOP_DOWN)
		error = order_entries(growth);
	if (!error)
		error = gather_costs(growth, profile, lens);
	if (!error && growth->direction == TREE_TOP_DOWN) {
		sum_costs(growth->costs, growth->cost_count);
		if (growth->base_costs)
			sum_costs(growth->base_costs, growth->cost_count);
	}
	if (error || !function)
		return error ? error : root_of_all(tree);
	is = find_function(growth, profile, function, &found);
	error = !is ? ERROR_MEMORY : found ? root_of_function(tree, is) : ERROR_EMPTY;
	free(is);
	return error;
}

int tree_find_roots(struct tree *tree, const struct profile *profile, const struct lens *lens,
		    const char *function)
{
	int error = find_roots(tree, profile, lens, function);
	struct wrappers *none;
	struct lens naked = {0};
	enum tree_direction direction = tree->growth->direction;

	if (error != ERROR_EMPTY)
		return error;
	none = wrappers_new(0);
	if (!none)
		return ERROR_MEMORY;
	if (lens)
		naked = *lens;
	naked.wrappers = none;
	naked.places = NULL;
	tree_growth_release(tree->growth);
	tree->growth->direction = direction;
	error = find_roots(tree, profile, &naked, function);
	wrappers_free(none);
	return error;
}

void tree_growth_release(struct tree_growth *growth)
{
	places_release(&growth->places);
	free(growth->costs);
	free(growth->base_costs);
	free(growth->cost_of_step);
	free(growth->below);
	free(growth->first_child);
	free(growth->next);
	free(growth->start);
	free(growth->members);
	free(growth->ranges);
	*growth = (struct tree_growth){0};
}
