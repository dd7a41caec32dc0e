/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_TREE_H
#define MALLOGRAPH_TREE_H

/*
 * Costs as a tree of frames: top-down from main to who allocated, or bottom-up
 * from who allocated to main. Inlined functions are frames of their own; frames
 * that are one place by the lens, below one parent, are one node. A node's cost
 * is that of everything below it; in a top-down tree `own` is what is allocated right
 * there. Costs of the children and `own` add up to the node's; those of the root
 * to the profile's totals.
 *
 * With a function the tree holds only what passes through it, rooted there:
 * top-down what it calls (its callees), bottom-up who calls it. Of recursive
 * calls the outermost counts (top-down) or the innermost (bottom-up), so each
 * allocation counts once.
 *
 * A tree can be very much larger than the profile, so it grows where it is looked at: the
 * children of a node are there after tree_expand() or tree_sorted(), which may move
 * tree.nodes.
 */

#include "analyzer/query/lens.h"
#include "analyzer/query/sites.h"

enum tree_direction { TREE_TOP_DOWN, TREE_BOTTOM_UP };

struct tree_node {
	struct cost cost, base;     /* inclusive; base: of a combined profile's base */
	struct cost own, own_base;  /* ends here */
	uint32_t parent;            /* index, smaller than its own; that of the root is 0 */
	uint32_t first_child, next; /* next sibling; 0: none. In no order: see tree_sorted */
	uint32_t node, frame;       /* profile node and frame of its location; 0: everything */
};

struct tree {
	struct tree_node *nodes; /* [0] is the root */
	size_t count;
	struct tree_growth *growth; /* tree.c's */
};

/*
 * function NULL: everything; otherwise a name, with or without its arguments, or a part
 * of one where no frame is called exactly that; functions that allocate for others are then
 * looked through unless it is one of them that is asked for. ERROR_MEMORY; ERROR_EMPTY when
 * no frame matches. Release in every case; the profile is needed only during the call.
 */
int tree_init(struct tree *tree, const struct profile *profile, const struct lens *lens,
	      enum tree_direction direction, const char *function);
void tree_release(struct tree *tree);

/* Makes the children of a node where they are not there yet. ERROR_MEMORY or ERROR_LIMIT. */
int tree_expand(struct tree *tree, uint32_t parent);

/* How many children were made. */
uint32_t tree_child_count(const struct tree *tree, uint32_t parent);

/* What a node is by the lens (query/places.h): the same number in all trees whose lenses have the
 * same places. Of the root it says nothing. */
uint32_t tree_place(const struct tree *tree, uint32_t node);

/* The children with a cost of that kind, largest first (as sites_sorted). The caller
 * frees; NULL when out of memory. */
uint32_t *tree_sorted(struct tree *tree, uint32_t parent, const struct ordering *ordering,
		      size_t *found);

#endif
