/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_TREE_SUMS_H
#define MALLOGRAPH_TREE_SUMS_H

/*
 * What groups of frames cost, all over a tree, without growing it: those whose names
 * match a search, those of one line each of a file.
 */

#include "analyzer/query/tree.h"

struct tree_sum {
	/* Of stacks that pass through a frame of the group: each counts once, however many
	 * of its frames are. */
	struct cost cost, base;
	/* Of stacks that end in one: what is allocated right there. */
	struct cost own, own_base;
};

/* The group of a frame, below the number of groups; TREE_NO_GROUP: none. It must be the same for
 * all frames that the lens of the tree takes for one place. */
typedef uint32_t (*tree_group)(void *context, uint32_t node, uint32_t frame);
#define TREE_NO_GROUP UINT32_MAX

/* Of the stacks below a node of a top-down tree, that node's own frame included. Fills
 * groups sums. ERROR_MEMORY or 0. */
int tree_sum_groups(const struct tree *tree, uint32_t root, tree_group group, void *context,
		    struct tree_sum *sums, size_t groups);

#endif
