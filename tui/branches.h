/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_BRANCHES_H
#define MALLOGRAPH_BRANCHES_H

/*
 * Nodes of a tree (query/tree.h) that are remembered beyond it, by the places on the way to them:
 * to be found again in another tree of the same direction, of the same trace.
 */

#include "analyzer/query/tree.h"

struct branch {
	uint32_t parent; /* index, smaller than its own; that of the first, the root, is 0 */
	uint32_t place;
};

struct branches { /* all zero: none */
	struct branch *list;
	size_t count, room;
};

#define BRANCH_NONE UINT32_MAX

/* Its index; BRANCH_NONE when out of memory, or when the parent is. The first is the root. */
uint32_t branches_add(struct branches *branches, uint32_t parent, uint32_t place);
/* The way to a node, itself included. Its index; BRANCH_NONE when out of memory. */
uint32_t branches_add_way(struct branches *branches, const struct tree *tree, uint32_t node);
/* Fills nodes[count]: BRANCH_NONE for what the tree does not have. Makes its nodes where they are
 * looked for. */
void branches_find(const struct branches *branches, struct tree *tree, uint32_t *nodes);
void branches_release(struct branches *branches);

#endif
