/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_TREE_ROOTS_H
#define MALLOGRAPH_TREE_ROOTS_H

/* For tree.c: what a tree grows from. */

#include "analyzer/query/places.h"
#include "analyzer/query/tree.h"

struct tree_growth {
	enum tree_direction direction;
	struct places places;
	/* Of the stacks that end in one step: of fresh and of base; [0] is nothing. Top-down n is
	 * what the first n cost together, in the order of a walk. There is no base of what is not
	 * combined. */
	struct cost *costs, *base_costs;
	size_t cost_count;      /* without [0] */
	uint32_t *cost_of_step; /* 0: no stack ends there */
	uint32_t *below;        /* by step: how many entries end there or below */
	/* Top-down, by step: its children that have any below; and where its entries begin. */
	uint32_t *first_child, *next, *start;
	int from_leaves; /* bottom-up: below the root are the ends of all stacks */
	/* Of each node of the tree its members side by side, by place. */
	struct tree_member {
		uint32_t place, step, cost;
	} * members;
	size_t member_count, member_room;
	struct tree_range {
		uint32_t first, count;
		uint32_t children; /* once it is expanded */
		int expanded;
	} * ranges; /* by node of the tree */
	size_t node_room;
};

/* Makes the root, and all that tree_expand() needs. As tree_init(). */
int tree_find_roots(struct tree *tree, const struct profile *profile, const struct lens *lens,
		    const char *function);
/* Adds what the entries [first, first + count) cost, top-down; nothing of both for none. */
void tree_add_costs(const struct tree_growth *growth, struct cost *cost, struct cost *base,
		    uint32_t first, uint32_t count);
int tree_add_leaves(struct tree_growth *growth);
void tree_growth_release(struct tree_growth *growth);

/* tree.c's: a member behind the others; a node of the members of a range. */
int tree_add_member(struct tree_growth *growth, uint32_t step, uint32_t cost);
int tree_add_node(struct tree *tree, uint32_t parent, struct tree_range range);

#endif
