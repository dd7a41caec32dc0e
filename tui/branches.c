/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tui/branches.h"

#include <stdlib.h>

uint32_t branches_add(struct branches *branches, uint32_t parent, uint32_t place)
{
	if (parent == BRANCH_NONE)
		return BRANCH_NONE;
	if (branches->count == branches->room) {
		size_t room = branches->room * 2 + 16;
		struct branch *larger = reallocarray(branches->list, room, sizeof(*larger));

		if (!larger)
			return BRANCH_NONE;
		branches->list = larger;
		branches->room = room;
	}
	branches->list[branches->count] = (struct branch){.parent = parent, .place = place};
	return (uint32_t)branches->count++;
}

uint32_t branches_add_way(struct branches *branches, const struct tree *tree, uint32_t node)
{
	uint32_t depth = 0, at = node, *way;
	uint32_t index = BRANCH_NONE;

	for (; at; at = tree->nodes[at].parent)
		depth++;
	way = calloc((size_t)depth + 1, sizeof(*way));
	if (!way)
		return BRANCH_NONE;
	for (at = node; at; at = tree->nodes[at].parent)
		way[depth--] = at;
	index = branches->count ? 0 : branches_add(branches, 0, tree_place(tree, 0));
	for (uint32_t i = 1; index != BRANCH_NONE && at != node; i++) {
		at = way[i];
		index = branches_add(branches, index, tree_place(tree, at));
	}
	free(way);
	return index;
}

static uint32_t find_child(struct tree *tree, uint32_t parent, uint32_t place)
{
	uint32_t child;

	if (tree_expand(tree, parent))
		return BRANCH_NONE;
	child = tree->nodes[parent].first_child;
	while (child && tree_place(tree, child) != place)
		child = tree->nodes[child].next;
	return child ? child : BRANCH_NONE;
}

void branches_find(const struct branches *branches, struct tree *tree, uint32_t *nodes)
{
	for (size_t i = 0; i < branches->count; i++) {
		const struct branch *branch = &branches->list[i];
		uint32_t parent = i ? nodes[branch->parent] : 0;

		nodes[i] =
		    i && parent != BRANCH_NONE ? find_child(tree, parent, branch->place) : parent;
	}
}

void branches_release(struct branches *branches)
{
	free(branches->list);
	*branches = (struct branches){0};
}
