/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_COLUMNS_H
#define MALLOGRAPH_COLUMNS_H

/*
 * Costs in columns, in front of a name: as many as leave the name room. Of a diff base, new and
 * difference of the cost, then the differences of the others.
 */

#include <stdio.h>

#include "formats/numbers.h"
#include "tui/canvas.h"
#include "tui/state.h"

enum { COLUMNS_KINDS = COST_BYTES + 1 };

struct columns {
	enum cost_kind kind; /* what the rows are about; the first column is its share */
	enum cost_kind shown[COLUMNS_KINDS];
	int count;
	int widths[COLUMNS_KINDS]; /* with the blank in front */
	int share_width;           /* 0 in a diff */
	int side_width;            /* of base, new and difference; 0 when there is no diff */
	int sides;                 /* how many of these three there are: 3, or the last alone */
	int bar_width;             /* 0: no bar */
	int width;                 /* of all: the name begins there */
	struct tui_sides total;    /* what shares are of */
};

void columns_choose(struct columns *columns, const struct tui *tui, enum cost_kind kind, int width);
/* The headings; name: that of the rest of the row. */
void columns_head(const struct columns *columns, const struct tui *tui, const struct canvas *canvas,
		  int row, const char *name);
void columns_draw(const struct columns *columns, const struct tui *tui, const struct canvas *canvas,
		  int row, const struct cost *cost, const struct cost *base);

/* The name of a frame from a column on: function and where it is. Where there is too little room
 * the function's arguments go first, then its end. */
void columns_name(struct tui *tui, const struct canvas *canvas, int column, uint32_t node,
		  uint32_t frame, int shift);

/* All columns as text, whatever is shown; behind them comes a name. */
void columns_write_head(const struct tui *tui, enum cost_kind kind, FILE *out);
void columns_write(const struct tui *tui, enum cost_kind kind, const struct cost *cost,
		   const struct cost *base, FILE *out);

/* A figure of that kind as reports write it. */
struct number_text columns_figure(enum cost_kind kind, int64_t value);

#endif
