/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Nothing here may depend on which of the two traces is fresh, or the difference of B and A
 * would not be that of A and B: all orders are by what stacks are made of.
 *
 * The work is bounded: each of L stacks is in 4 groups, of a group 16 are compared with 16,
 * and a comparison looks at 256 frames at most from each end.
 */
#include "analyzer/query/similar.h"

#include <stdlib.h>

#include "analyzer/model/id_table.h"
#include "formats/error.h"

#define GROUPS     4
#define GROUP_MOST 16
#define LOOK_MOST  256
#define LIKE_UNIT  1000000
#define LIKE_LEAST (LIKE_UNIT / 2)

struct leftover {
	uint32_t stack, step;
	int base;
	uint64_t allocations, hash;
};

struct member {
	uint64_t group;
	const struct leftover *leftover;
};

struct pair {
	uint32_t likeness;
	const struct leftover *fresh, *base;
};

struct matcher {
	const struct places *places;
	const struct sites *sites;
	int same_site;
	uint32_t *depth; /* by step */
	uint64_t *hash;  /* by step: of the names from there outward */
	struct leftover *leftovers;
	size_t leftover_count;
	struct member *members;
	size_t member_count;
	struct pair *pairs;
	size_t pair_count, pair_room;
};

static int describe_steps(struct matcher *all, const struct profile *profile)
{
	const struct places *places = all->places;

	all->depth = calloc(places->step_count, sizeof(*all->depth));
	all->hash = calloc(places->step_count, sizeof(*all->hash));
	if (!all->depth || !all->hash)
		return ERROR_MEMORY;
	for (size_t i = 1; i < places->step_count; i++) {
		const struct places_step *step = &places->steps[i];

		all->depth[i] = all->depth[step->parent] + 1;
		all->hash[i] = id_table_hash(all->hash[step->parent],
					     places_hash(places, profile, step->node, step->frame));
	}
	return 0;
}

/* Of the stack and its costs: stacks that are the same in both are exchangeable. */
static uint64_t describe_stack(const struct matcher *all, const struct site_stack *stack,
			       uint32_t step)
{
	struct cost cost = stack->cost;
	uint64_t hash = all->hash[step];

	cost_add(&cost, &stack->base);
	hash = id_table_hash(id_table_hash(hash, cost.allocations), cost.temporary);
	hash = id_table_hash(id_table_hash(hash, cost.bytes), cost.peak_bytes);
	return id_table_hash(id_table_hash(hash, cost.leaked_bytes), cost.leaked_blocks);
}

static int find_leftovers(struct matcher *all, const uint32_t *steps)
{
	const struct sites *sites = all->sites;

	all->leftovers = calloc(sites->stack_count + 1, sizeof(*all->leftovers));
	if (!all->leftovers)
		return ERROR_MEMORY;
	for (size_t i = 0; i < sites->stack_count; i++) {
		const struct site_stack *stack = &sites->stacks[i];

		if (!stack->cost.allocations == !stack->base.allocations || !steps[i])
			continue;
		all->leftovers[all->leftover_count++] = (struct leftover){
		    .stack = (uint32_t)i,
		    .step = steps[i],
		    .base = !stack->cost.allocations,
		    .allocations = stack->cost.allocations + stack->base.allocations,
		    .hash = describe_stack(all, stack, steps[i]),
		};
	}
	return 0;
}

static int compare_members(const void *a, const void *b)
{
	const struct member *left = a, *right = b;
	const struct leftover *one = left->leftover, *other = right->leftover;

	if (left->group != right->group)
		return left->group < right->group ? -1 : 1;
	if (one->base != other->base)
		return one->base - other->base;
	if (one->allocations != other->allocations)
		return one->allocations > other->allocations ? -1 : 1;
	if (one->hash != other->hash)
		return one->hash < other->hash ? -1 : 1;
	return one->stack < other->stack ? -1 : one->stack > other->stack;
}

/* The function that allocates, and its first callers. */
static int find_groups(struct matcher *all)
{
	const struct places *places = all->places;

	all->members = calloc(all->leftover_count + 1, GROUPS * sizeof(*all->members));
	if (!all->members)
		return ERROR_MEMORY;
	for (size_t i = 0; i < all->leftover_count; i++) {
		const struct leftover *leftover = &all->leftovers[i];
		uint32_t step = leftover->step;
		uint64_t salt = all->same_site ? all->sites->stacks[leftover->stack].site : 0;

		for (unsigned group = 0; group < GROUPS && step; group++) {
			uint32_t what = group ? step : places->steps[step].place;

			all->members[all->member_count++] = (struct member){
			    id_table_hash(id_table_hash(0, salt * 2 + (group != 0)), what),
			    leftover};
			step = places->steps[step].parent;
		}
	}
	qsort(all->members, all->member_count, sizeof(*all->members), compare_members);
	return 0;
}

/* How many frames the two have in common on the side of who allocates. */
static uint32_t common_inside(const struct places *places, uint32_t a, uint32_t b)
{
	uint32_t count = 0;

	while (a && b && count < LOOK_MOST && places->steps[a].place == places->steps[b].place) {
		a = places->steps[a].parent;
		b = places->steps[b].parent;
		count++;
	}
	return count;
}

/* And on that of main: what they have in common there are the same steps. */
static uint32_t common_outside(const struct matcher *all, uint32_t a, uint32_t b)
{
	const struct places_step *steps = all->places->steps;

	for (unsigned looks = 0; a != b && looks < LOOK_MOST; looks++) {
		uint32_t deeper_a = all->depth[a] >= all->depth[b];
		uint32_t deeper_b = all->depth[b] >= all->depth[a];

		if (deeper_a)
			a = steps[a].parent;
		if (deeper_b)
			b = steps[b].parent;
	}
	return a == b ? all->depth[a] : 0;
}

static uint32_t likeness(const struct matcher *all, const struct leftover *a,
			 const struct leftover *b)
{
	uint32_t of_a = all->depth[a->step], of_b = all->depth[b->step];
	uint32_t least = of_a < of_b ? of_a : of_b;
	uint32_t common =
	    common_inside(all->places, a->step, b->step) + common_outside(all, a->step, b->step);

	/* where frames repeat, both ends may claim the same ones */
	if (common > least)
		common = least;
	return (uint32_t)((uint64_t)common * 2 * LIKE_UNIT / ((uint64_t)of_a + of_b));
}

static int add_pair(struct matcher *all, const struct leftover *fresh, const struct leftover *base)
{
	uint32_t like = likeness(all, fresh, base);

	if (like < LIKE_LEAST)
		return 0;
	if (all->pair_count == all->pair_room) {
		size_t room = all->pair_room ? all->pair_room * 2 : 1024;
		struct pair *larger = reallocarray(all->pairs, room, sizeof(*larger));

		if (!larger)
			return ERROR_MEMORY;
		all->pairs = larger;
		all->pair_room = room;
	}
	all->pairs[all->pair_count++] = (struct pair){like, fresh, base};
	return 0;
}

/* Members from first to end are one group: fresh's, then base's. */
static int compare_group(struct matcher *all, size_t first, size_t end)
{
	size_t middle = first;
	int error = 0;

	while (middle < end && !all->members[middle].leftover->base)
		middle++;
	for (size_t i = first; i < middle && i < first + GROUP_MOST; i++)
		for (size_t j = middle; j < end && j < middle + GROUP_MOST && !error; j++)
			error = add_pair(all, all->members[i].leftover, all->members[j].leftover);
	return error;
}

static int compare_pairs(const void *a, const void *b)
{
	const struct pair *left = a, *right = b;
	uint64_t one = left->fresh->hash + left->base->hash;
	uint64_t other = right->fresh->hash + right->base->hash;

	if (left->likeness != right->likeness)
		return left->likeness > right->likeness ? -1 : 1;
	if (one != other)
		return one < other ? -1 : 1;
	if (left->fresh->stack != right->fresh->stack)
		return left->fresh->stack < right->fresh->stack ? -1 : 1;
	return left->base->stack < right->base->stack ? -1 : left->base->stack > right->base->stack;
}

static int find_pairs(struct matcher *all)
{
	size_t first = 0;
	int error = 0;

	for (size_t i = 1; i <= all->member_count && !error; i++)
		if (i == all->member_count || all->members[i].group != all->members[first].group) {
			error = compare_group(all, first, i);
			first = i;
		}
	if (all->pair_count)
		qsort(all->pairs, all->pair_count, sizeof(*all->pairs), compare_pairs);
	return error;
}

/* Fresh's stacks were gathered first, so a partner comes before. */
static int take_pairs(const struct matcher *all, uint32_t *into)
{
	unsigned char *taken = calloc(all->sites->stack_count + 1, 1);

	if (!taken)
		return ERROR_MEMORY;
	for (size_t i = 0; i < all->pair_count; i++) {
		uint32_t fresh = all->pairs[i].fresh->stack, base = all->pairs[i].base->stack;

		if (taken[fresh] || taken[base])
			continue;
		taken[fresh] = taken[base] = 1;
		into[base] = fresh;
	}
	free(taken);
	return 0;
}

int similar_stacks(const struct profile *profile, const struct places *places,
		   const struct sites *sites, const uint32_t *steps, int same_site, uint32_t *into)
{
	struct matcher all = {.places = places, .sites = sites, .same_site = same_site};
	int error = describe_steps(&all, profile);

	if (!error)
		error = find_leftovers(&all, steps);
	if (!error)
		error = find_groups(&all);
	if (!error)
		error = find_pairs(&all);
	if (!error)
		error = take_pairs(&all, into);
	free(all.depth);
	free(all.hash);
	free(all.leftovers);
	free(all.members);
	free(all.pairs);
	return error;
}
