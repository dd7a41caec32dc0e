/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_PLOT_H
#define MALLOGRAPH_PLOT_H

/*
 * Values as a picture in characters, of 2 by 4 dots each as braille has them: an area below
 * one row of values, and a line through another. Where only ASCII can be shown a character
 * tells how many of its dots are set.
 */

#include <stdint.h>
#include <wchar.h>

enum { PLOT_DOTS_WIDE = 2, PLOT_DOTS_HIGH = 4 };

struct plot {
	int rows, columns;
	/* by cell, row by row from the top: a bit for each dot, as Unicode numbers them */
	uint8_t *area, *line;
};

/* Empty. ERROR_MEMORY, or 0; release in both cases. */
int plot_init(struct plot *plot, int rows, int columns);
void plot_release(struct plot *plot);

/* How many of `dots` a value fills where `top` fills all: rounded to the nearest, but at
 * least 1 where there is anything. More than top is as top. */
int plot_height(uint64_t value, uint64_t top, int dots);

/* A value for each column of dots: PLOT_DOTS_WIDE * columns. */
void plot_area(struct plot *plot, const uint64_t *values, uint64_t top);
/* Neighbours are joined; nothing where values[i] is PLOT_NOTHING. */
void plot_line(struct plot *plot, const uint64_t *values, uint64_t top);
#define PLOT_NOTHING UINT64_MAX

/* What a cell looks like: a blank where it is empty. */
wchar_t plot_symbol(const struct plot *plot, int row, int column);
char plot_plain(const struct plot *plot, int row, int column);

#endif
