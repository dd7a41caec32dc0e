/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_TREE_ROWS_H
#define MALLOGRAPH_TREE_ROWS_H

/*
 * A tree of costs as rows, of those branches that are unfolded. The tree grows where it is
 * unfolded (query/tree.h). Rows are those of report/text_tree.c: children, largest first; what
 * the threshold leaves out as one; what a branch allocates itself behind its children.
 */

#include <stdio.h>

#include "analyzer/query/tree.h"
#include "tui/branches.h"
#include "tui/canvas.h"
#include "tui/columns.h"
#include "tui/view.h"

enum tree_row_kind { TREE_ROW_NODE, TREE_ROW_ITSELF, TREE_ROW_OTHERS };

struct tree_row {
	uint32_t node; /* of the tree; that above, for the two others */
	uint32_t depth;
	uint32_t others; /* TREE_ROW_OTHERS: index in tree_rows.others */
	enum tree_row_kind kind;
};

struct tree_others_row {
	struct cost cost, base;
	size_t count;
};

struct tree_rows { /* all zero: none */
	struct tree tree;
	int made; /* the tree is */
	enum tree_direction direction;
	struct ordering ordering;
	struct tree_row *rows;
	size_t count, room;
	uint8_t *open; /* by node of the tree: it is unfolded */
	size_t open_room;
	struct tree_others_row *others;
	size_t others_count, others_room;
	const char *root; /* what the first row is called */
	/* What was unfolded in the tree before, and where that is in this one. */
	struct branches kept;
	uint32_t *found;
	uint32_t kept_cursor; /* index in kept, of a node that may be folded */
};

/* The tree of tui->picture, its root and what was unfolded in the one before it unfolded.
 * ERROR_MEMORY, ERROR_EMPTY. */
int tree_rows_make(struct tree_rows *rows, const struct tui *tui, enum tree_direction direction,
		   const char *function, enum cost_kind kind);
/* In another order or about another cost; the same branches are unfolded. */
int tree_rows_order(struct tree_rows *rows, const struct tui *tui, enum cost_kind kind);
/* Lets the tree go, and remembers what is unfolded, and the node that the row is of. */
void tree_rows_put_away(struct tree_rows *rows, size_t row);
/* The row that was remembered, as far as this tree has it. */
size_t tree_rows_kept_row(const struct tree_rows *rows);
void tree_rows_release(struct tree_rows *rows);

int tree_rows_is_open(const struct tree_rows *rows, size_t row);
/* There is something below it. */
int tree_rows_can_open(const struct tree_rows *rows, size_t row);
int tree_rows_unfold(struct tree_rows *rows, size_t row);
void tree_rows_fold(struct tree_rows *rows, size_t row);
/* The row above that it is below of; itself for the first. */
size_t tree_rows_parent(const struct tree_rows *rows, size_t row);
/* Unfolds from a row on what costs most; *end is where that ends. */
int tree_rows_unfold_hottest(struct tree_rows *rows, size_t row, size_t *end);
/* The row of a node of the tree, or the nearest that is there. */
size_t tree_rows_find(const struct tree_rows *rows, uint32_t node);

/* least, step: columns that a depth is indented by, from that depth on. */
void tree_rows_draw(struct tui *tui, const struct tree_rows *rows, size_t row,
		    const struct columns *columns, const struct canvas *canvas, int shift,
		    uint32_t least, int step);
/* How to indent rows [first, end). */
void tree_rows_indent(const struct tree_rows *rows, size_t first, size_t end, int width,
		      uint32_t *least, int *step);
/* costs: with the columns in front. */
void tree_rows_write(struct tui *tui, const struct tree_rows *rows, size_t row, int costs,
		     FILE *out);
/* As list_ops.may_have. */
int tree_rows_may_have(struct tui *tui, const struct tree_rows *rows, size_t row,
		       const char *letters);
/* What is under the cursor: 0 for rows that are no frame. */
struct point_stacks;
int tree_rows_point(const struct tui *tui, const struct tree_rows *rows, size_t row,
		    struct point_stacks *inner, struct point *point);

#endif
