/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_LIST_H
#define MALLOGRAPH_LIST_H

/* A list of rows that scrolls, with a cursor: what all views that show one have in common. */

#include <stddef.h>
#include <stdio.h>

#include "tui/action.h"
#include "tui/canvas.h"

struct tui;

struct list { /* all zero: empty. cursor < count, or both 0 */
	size_t count, cursor, top;
	int shift; /* columns that names are scrolled to the left by */
	int rows;  /* that were drawn last */
	int first; /* the row of the canvas where they begin */
};

struct list_ops {
	/* Draws a row on a canvas of one row. */
	void (*draw)(struct tui *tui, void *data, size_t row, const struct canvas *canvas);
	/* What a search looks at, and `e` writes: without an end of line. */
	void (*text)(struct tui *tui, void *data, size_t row, FILE *out);
	/* 0: the text can't hold these letters (captions_letters()). It is asked before the text
	 * is made, which takes much longer. NULL: it is not known. */
	int (*may_have)(struct tui *tui, void *data, size_t row, const char *letters);
};

/* The number of rows is another; the cursor stays where it can. */
void list_resize(struct list *list, size_t count);
void list_move_to(struct list *list, size_t row);
/* Moves; 1 when it was an action of moving. */
int list_act(struct list *list, enum action action);
/* Left and right scroll names: 1 when it was one of these. */
int list_shift(struct list *list, enum action action);
/* So that the cursor is in sight when so many rows are drawn. */
void list_scroll(struct list *list, int rows);
/* From row `first` of the canvas to its end; marks what a search has found. */
void list_draw(struct tui *tui, void *data, struct list *list, const struct list_ops *ops,
	       const struct canvas *canvas, int first);
/* A click on that row of the canvas: 1 when there is a row of the list. */
int list_click(struct list *list, int row);
/* As view_ops.search. */
int list_search(struct tui *tui, void *data, struct list *list, const struct list_ops *ops,
		const char *text, int direction, int from_here);
/* All rows as text. 0 or ERROR_MEMORY. */
int list_write(struct tui *tui, void *data, const struct list *list, const struct list_ops *ops,
	       FILE *out);

#endif
