/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_FLAME_VIEW_H
#define MALLOGRAPH_FLAME_VIEW_H

/* For view_flame.c and flame_draw.c: what the flame graph shows, and what is under the cursor. */

#include <stdio.h>

#include "analyzer/query/tree_sums.h"
#include "tui/branches.h"
#include "tui/canvas.h"
#include "tui/flame.h"
#include "tui/marks.h"
#include "tui/prompt.h"

enum { FLAMES_ZOOMS = 64 };

struct flames {
	int made; /* the tree is */
	struct tree tree;
	struct flame flame;
	/* While there is none: the way to the cursor. The root and the roots before are on it, and
	 * are indices there. */
	struct branches way;
	uint32_t root, cursor;         /* nodes of the tree */
	size_t box;                    /* that of the cursor; FLAME_NONE: nothing is drawn */
	uint32_t zoomed[FLAMES_ZOOMS]; /* roots before */
	size_t zoom_count;
	int width, rows; /* for boxes, when they were drawn last */
	int first;       /* row of the canvas where they begin */
	size_t top;      /* first row of boxes that is shown */
	/* of the last search: what it finds below the root */
	char searched[PROMPT_BYTES];
	uint32_t searched_root;
	struct tree_sum found;
	struct marks marks;
};

/* NULL: nothing is drawn. */
const struct flame_box *flames_box(const struct flames *view);
/* flame_grow(), and says what went wrong. */
void flames_grow(struct tui *tui, struct flames *view, size_t rows);
/* Makes the boxes anew where they are for another width, or none. 0 or ERROR_MEMORY. */
int flames_lay_out(struct tui *tui, struct flames *view, int width);
int flames_box_matches(const struct tui *tui, struct flames *view, size_t index, const char *text);
/* What a search finds, into view->found: each stack counts once, whether its boxes can be seen or
 * not. */
void flames_sum_search(struct tui *tui, struct flames *view, const char *text);

/* As view_ops.draw and view_ops.write. */
void flames_draw(struct tui *tui, void *data, const struct canvas *canvas);
int flames_write(struct tui *tui, void *data, FILE *out);

#endif
