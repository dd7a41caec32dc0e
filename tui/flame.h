/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_FLAME_H
#define MALLOGRAPH_FLAME_H

/*
 * A tree as rows of boxes, each below its parent, as wide as its part of the cost: where they
 * lie, not how they look. Of a combined profile that is the cost of fresh and base together, so
 * that what is gone has a width, too. The largest child stands first. Row 0 is the box of the root
 * alone.
 *
 * Boxes of a row never overlap, and a box lies within its parent's columns. What its children
 * leave free is the parent's own. Children narrower than a column are one box together, the
 * last.
 *
 * Rows are made where they are looked at, and so is the tree.
 */

#include "analyzer/query/tree.h"

struct flame_box {
	uint32_t node;       /* of the tree; of a box for many, their parent */
	uint32_t many;       /* how many children it stands for; 0: it is a frame */
	uint64_t cost, base; /* of the kind: it is as wide as both together */
	uint64_t start;      /* cost and base to the left of it */
	size_t parent;       /* its box in the row above; that of the root is 0 */
	int column, width;
};

struct flame {
	struct tree *tree;
	enum cost_kind kind;
	uint64_t whole; /* the root's cost and base */
	int width;
	struct flame_box *boxes; /* row by row, from left to right */
	size_t box_count, box_room;
	struct flame_row {
		size_t first, count;
	} * rows;
	size_t row_count, row_room;
	int finished; /* there are no rows but these */
};

#define FLAME_NONE SIZE_MAX

/* Row 0 of a picture `width` columns wide, at least 1; root is a node of the tree, which must
 * outlive it. ERROR_MEMORY, or 0; release in both cases. */
int flame_init(struct flame *flame, struct tree *tree, uint32_t root, enum cost_kind kind,
	       int width);
void flame_release(struct flame *flame);

/* Makes rows until there are that many, where there are. ERROR_MEMORY, ERROR_LIMIT, or 0. */
int flame_grow(struct flame *flame, size_t rows);

/* The box at a column of a row that has been made; FLAME_NONE: there is none. */
size_t flame_at(const struct flame *flame, size_t row, int column);
size_t flame_row_of(const struct flame *flame, size_t box);
/* The largest child, whose row has been made; FLAME_NONE: there is none. */
size_t flame_child(const struct flame *flame, size_t box);

#endif
