/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_CANVAS_H
#define MALLOGRAPH_CANVAS_H

/*
 * What views draw on: a part of a grid of cells, which the screen shows and a script
 * saves. Rows and columns count from 0 at the canvas's own corner; whatever lies outside is
 * clipped. Text may be any bytes from a trace: control characters and what is no UTF-8
 * are masked as text_escape() does, wide characters take two cells and never half of one,
 * combining ones go to the cell before. One thread.
 */

#include <stddef.h>
#include <stdint.h>
#include <wchar.h>

enum role {
	ROLE_NORMAL,
	ROLE_DIM,
	ROLE_BAR_LINE, /* the line of tabs */
	ROLE_TAB,      /* the tab that is shown */
	ROLE_HEADING,  /* of columns, of parts of a page */
	ROLE_SORTED,   /* the heading of what is sorted by */
	ROLE_STATUS,
	ROLE_WARNING,
	ROLE_KEY,
	ROLE_BAR, /* of a diagram */
	ROLE_MODULE,
	ROLE_GROWTH, /* more than base has */
	ROLE_SHRINK,
	ROLE_HEAT_0, /* boxes with text in them, cool to hot */
	ROLE_HEAT_1,
	ROLE_HEAT_2,
	ROLE_HEAT_3,
	ROLE_BOX_GROWTH,
	ROLE_BOX_SHRINK,
	ROLES
};

enum cell_flag {
	CELL_CURSOR = 1, /* under the cursor */
	CELL_MATCH = 2   /* found by a search */
};

#define CELL_CHARACTERS 4

struct cell {
	/* a character and those that combine with it; [0] is 0 in the right half of a wide one */
	wchar_t text[CELL_CHARACTERS];
	uint8_t role, flags;
	uint8_t width; /* 1 or 2; 0: the right half */
};

struct grid {
	struct cell *cells; /* row by row */
	int rows, columns;
	int ascii; /* nothing else can be shown */
};

/* Makes it that large and empty. 0 or ERROR_MEMORY; then the grid is as it was. */
int grid_resize(struct grid *grid, int rows, int columns);
void grid_clear(struct grid *grid);
void grid_release(struct grid *grid);
/* One row as UTF-8, without blanks at its end. The caller frees; NULL: out of memory. */
char *grid_text(const struct grid *grid, int row);

struct canvas {
	struct grid *grid;
	int top, left, rows, columns;
};

struct canvas canvas_of(struct grid *grid);
/* A part of a canvas, clipped to it. */
struct canvas canvas_part(const struct canvas *canvas, int row, int column, int rows, int columns);

/* At most width columns of a text, without its first `skip` columns; where something is cut the
 * last column says so. Returns the columns that were written. */
int canvas_text(const struct canvas *canvas, int row, int column, int width, enum role role,
		const char *text);
int canvas_text_from(const struct canvas *canvas, int row, int column, int width, enum role role,
		     const char *text, int skip);
/* The text ends in column + width - 1. */
void canvas_text_right(const struct canvas *canvas, int row, int column, int width, enum role role,
		       const char *text);
int canvas_print(const struct canvas *canvas, int row, int column, int width, enum role role,
		 const char *format, ...) __attribute__((format(printf, 6, 7)));
/* How many columns a text takes. */
int canvas_width(const struct canvas *canvas, const char *text);

/* One character of a diagram; plain is for where nothing but ASCII can be shown. */
void canvas_symbol(const struct canvas *canvas, int row, int column, enum role role, wchar_t symbol,
		   char plain);
/* part of whole, as a bar of at most width columns, to an eighth of a column. */
void canvas_bar(const struct canvas *canvas, int row, int column, int width, enum role role,
		uint64_t part, uint64_t whole);
/* Cells keep their text and get a role; or flags on top of those that they have. */
void canvas_paint(const struct canvas *canvas, int row, int column, int width, enum role role);
void canvas_flag(const struct canvas *canvas, int row, int column, int width, unsigned flags);

#endif
