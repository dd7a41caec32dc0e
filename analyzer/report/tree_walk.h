/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_TREE_WALK_H
#define MALLOGRAPH_TREE_WALK_H

/* Which nodes of a tree a report shows, in their order. */

#include "analyzer/query/tree.h"
#include "analyzer/report/report.h"

/* The children of a node that are not shown, together: what is too small, has nothing of
 * that kind, or is beyond the limit. */
struct tree_others {
	size_t count;
	struct cost cost, base;
};

struct tree_visitor { /* node: of that moment */
	void (*enter)(void *context, const struct tree_node *node, size_t depth);
	/* Behind the children of a node; depth is theirs. others->count 0: there are none. */
	void (*others)(void *context, const struct tree_others *others, size_t depth);
	void (*leave)(void *context, const struct tree_node *node, size_t depth);
};

/*
 * Depth first from the root, at depth 0; of each node's children the first
 * options->entries by their costs of that kind, without those below `least`
 * (|difference| of a diff). ERROR_MEMORY or 0. Trees may be deeper than a C stack.
 */
int tree_walk(const struct report *report, struct tree *tree, enum cost_kind kind, uint64_t least,
	      const struct tree_visitor *visitor, void *context);

#endif
