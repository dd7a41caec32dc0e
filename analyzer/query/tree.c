/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * All stacks of a profile are already a tree of steps from main to who allocates
 * (places.h). A node of the tree here stands for a set of members, each of them a step. One
 * level further down are the children of these steps (top-down) or their parents
 * (bottom-up), and those of them that are one place are one node. So both directions
 * and both kinds of roots, everything and one function, are grown by the same few lines; they
 * differ in what the root's members are.
 *
 * Costs lie with the steps where stacks end, one entry each. Bottom-up a member carries
 * the entry of the stack that it belongs to, and the cost of a node is the sum over its members.
 * Top-down it is the sum of all entries that end there or below; these are side by
 * side when entries are put in the order of a walk through the steps, so that the difference of
 * two running sums tells it.
 */
#include "analyzer/query/tree.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/query/places.h"
#include "analyzer/query/tree_roots.h"
#include "formats/error.h"

static int reserve_members(struct tree_growth *growth, size_t more)
{
	size_t wanted = growth->member_count + more;
	struct tree_member *larger;

	if (wanted >= UINT32_MAX)
		return ERROR_LIMIT;
	if (wanted <= growth->member_room)
		return 0;
	wanted += wanted / 2 + 64;
	larger = reallocarray(growth->members, wanted, sizeof(*larger));
	if (!larger)
		return ERROR_MEMORY;
	growth->members = larger;
	growth->member_room = wanted;
	return 0;
}

int tree_add_member(struct tree_growth *growth, uint32_t step, uint32_t cost)
{
	int error = reserve_members(growth, 1);

	if (!error)
		growth->members[growth->member_count++] = (struct tree_member){
		    .place = growth->places.steps[step].place, .step = step, .cost = cost};
	return error;
}

static int reserve_nodes(struct tree *tree, size_t more)
{
	struct tree_growth *growth = tree->growth;
	size_t wanted = tree->count + more, room = growth->node_room ? growth->node_room * 2 : 64;
	struct tree_node *nodes;
	struct tree_range *ranges;

	if (wanted <= growth->node_room)
		return 0;
	if (wanted >= UINT32_MAX / 2)
		return ERROR_LIMIT;
	room = room < wanted ? wanted : room;
	nodes = reallocarray(tree->nodes, room, sizeof(*nodes));
	if (!nodes)
		return ERROR_MEMORY;
	tree->nodes = nodes;
	ranges = reallocarray(growth->ranges, room, sizeof(*ranges));
	if (!ranges)
		return ERROR_MEMORY;
	growth->ranges = ranges;
	growth->node_room = room;
	return 0;
}

/* Bottom-up a stack ends here when nothing calls it; top-down each step may be an end. */
static void add_costs(const struct tree_growth *growth, struct tree_node *node,
		      const struct tree_range *range)
{
	int top_down = growth->direction == TREE_TOP_DOWN;

	for (uint32_t i = range->first; i < range->first + range->count; i++) {
		const struct tree_member *member = &growth->members[i];
		uint32_t step = member->step, entry = member->cost;

		if (top_down) {
			tree_add_costs(growth, &node->cost, &node->base, growth->start[step],
				       growth->below[step]);
			tree_add_costs(growth, &node->own, &node->own_base, growth->start[step],
				       growth->cost_of_step[step] != 0);
			continue;
		}
		cost_add(&node->cost, &growth->costs[entry]);
		if (growth->base_costs)
			cost_add(&node->base, &growth->base_costs[entry]);
		if (growth->places.steps[step].parent)
			continue;
		cost_add(&node->own, &growth->costs[entry]);
		if (growth->base_costs)
			cost_add(&node->own_base, &growth->base_costs[entry]);
	}
}

int tree_add_node(struct tree *tree, uint32_t parent, struct tree_range range)
{
	struct tree_growth *growth = tree->growth;
	int error = reserve_nodes(tree, 1);
	struct tree_node *node;

	if (error)
		return error;
	node = &tree->nodes[tree->count];
	*node = (struct tree_node){.parent = parent};
	if (range.count) {
		const struct places_step *step =
		    &growth->places.steps[growth->members[range.first].step];

		node->node = step->node;
		node->frame = step->frame;
	}
	add_costs(growth, node, &range);
	growth->ranges[tree->count] = range;
	if (tree->count) {
		node->next = tree->nodes[parent].first_child;
		tree->nodes[parent].first_child = (uint32_t)tree->count;
	}
	tree->count++;
	return 0;
}

static int compare_members(const void *a, const void *b)
{
	const struct tree_member *left = a, *right = b;

	if (left->place != right->place)
		return left->place < right->place ? -1 : 1;
	return left->step < right->step ? -1 : left->step > right->step;
}

/* Most come in order: places and steps are numbered as a trace brings them. Returns how many
 * places they have. */
static size_t sort_members(struct tree_member *members, size_t count)
{
	size_t places = count != 0, sorted = 1;

	while (sorted < count && compare_members(&members[sorted - 1], &members[sorted]) <= 0)
		sorted++;
	if (sorted < count)
		qsort(members, count, sizeof(*members), compare_members);
	for (size_t i = 1; i < count; i++)
		places += members[i].place != members[i - 1].place;
	return places;
}

/* The members from first on are those one level further than parent's. */
static int add_children(struct tree *tree, uint32_t parent, size_t first)
{
	struct tree_growth *growth = tree->growth;
	size_t end = growth->member_count;
	int error = reserve_nodes(tree, sort_members(growth->members + first, end - first));

	while (first < end && !error) {
		size_t next = first + 1;

		growth->ranges[parent].children++;
		while (next < end && growth->members[next].place == growth->members[first].place)
			next++;
		error = tree_add_node(tree, parent,
				      (struct tree_range){.first = (uint32_t)first,
							  .count = (uint32_t)(next - first)});
		first = next;
	}
	return error;
}

int tree_expand(struct tree *tree, uint32_t parent)
{
	struct tree_growth *growth = tree->growth;
	struct tree_range range = growth->ranges[parent];
	size_t first = growth->member_count;
	int error = 0;

	if (range.expanded)
		return 0;
	growth->ranges[parent].expanded = 1;
	if (!parent && growth->from_leaves)
		error = tree_add_leaves(growth);
	for (uint32_t i = range.first; i < range.first + range.count && !error; i++) {
		struct tree_member member = growth->members[i];
		uint32_t step = growth->direction == TREE_BOTTOM_UP
				    ? growth->places.steps[member.step].parent
				    : growth->first_child[member.step];

		if (growth->direction == TREE_BOTTOM_UP) {
			if (step)
				error = tree_add_member(growth, step, member.cost);
			continue;
		}
		for (; step && !error; step = growth->next[step])
			error = tree_add_member(growth, step, growth->cost_of_step[step]);
	}
	return error ? error : add_children(tree, parent, first);
}

int tree_init(struct tree *tree, const struct profile *profile, const struct lens *lens,
	      enum tree_direction direction, const char *function)
{
	*tree = (struct tree){0};
	tree->growth = calloc(1, sizeof(*tree->growth));
	if (!tree->growth)
		return ERROR_MEMORY;
	tree->growth->direction = direction;
	return tree_find_roots(tree, profile, lens, function);
}

void tree_release(struct tree *tree)
{
	if (tree->growth)
		tree_growth_release(tree->growth);
	free(tree->growth);
	free(tree->nodes);
	*tree = (struct tree){0};
}

uint32_t tree_place(const struct tree *tree, uint32_t node)
{
	const struct tree_growth *growth = tree->growth;

	return node ? growth->members[growth->ranges[node].first].place : 0;
}

uint32_t tree_child_count(const struct tree *tree, uint32_t parent)
{
	return tree->growth->ranges[parent].children;
}

uint32_t *tree_sorted(struct tree *tree, uint32_t parent, const struct ordering *ordering,
		      size_t *found)
{
	struct cost_rank *ranks;

	*found = 0;
	if (tree_expand(tree, parent))
		return NULL;
	ranks = calloc((size_t)tree_child_count(tree, parent) + 1, sizeof(*ranks));
	if (!ranks)
		return NULL;
	for (uint32_t i = tree->nodes[parent].first_child; i; i = tree->nodes[i].next)
		*found += cost_rank(&ranks[*found], &tree->nodes[i].cost, &tree->nodes[i].base,
				    ordering, i) != 0;
	return cost_sort(ranks, *found);
}
