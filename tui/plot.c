/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tui/plot.h"

#include <stdlib.h>

#include "formats/error.h"

#define BRAILLE 0x2800

/* By row and column of the dot. */
static const uint8_t dot_bits[PLOT_DOTS_HIGH][PLOT_DOTS_WIDE] = {
    {0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};

int plot_init(struct plot *plot, int rows, int columns)
{
	size_t cells = (size_t)(rows > 0 ? rows : 0) * (size_t)(columns > 0 ? columns : 0);

	*plot = (struct plot){.rows = rows, .columns = columns};
	plot->area = calloc(cells + 1, 1);
	plot->line = calloc(cells + 1, 1);
	return plot->area && plot->line ? 0 : ERROR_MEMORY;
}

void plot_release(struct plot *plot)
{
	free(plot->area);
	free(plot->line);
	*plot = (struct plot){0};
}

int plot_height(uint64_t value, uint64_t top, int dots)
{
	unsigned __int128 scaled = (unsigned __int128)value * (unsigned)dots;
	int height;

	if (!value || !top)
		return 0;
	if (value >= top)
		return dots;
	height = (int)((scaled + top / 2) / top);
	return height ? height : 1;
}

/* height 0 is the lowest row of dots. */
static void set_dot(const struct plot *plot, uint8_t *bits, int column, int height)
{
	unsigned row = (unsigned)(plot->rows * PLOT_DOTS_HIGH - 1 - height);

	bits[row / PLOT_DOTS_HIGH * (unsigned)plot->columns + (unsigned)column / PLOT_DOTS_WIDE] |=
	    dot_bits[row % PLOT_DOTS_HIGH][column % PLOT_DOTS_WIDE];
}

void plot_area(struct plot *plot, const uint64_t *values, uint64_t top)
{
	for (int i = 0; i < plot->columns * PLOT_DOTS_WIDE; i++) {
		int height = plot_height(values[i], top, plot->rows * PLOT_DOTS_HIGH);

		while (height--)
			set_dot(plot, plot->area, i, height);
	}
}

/* A value lies on the dot that an area below it would end with; nothing on the lowest. */
static int line_height(const struct plot *plot, uint64_t value, uint64_t top)
{
	int height = plot_height(value, top, plot->rows * PLOT_DOTS_HIGH);

	return height ? height - 1 : 0;
}

void plot_line(struct plot *plot, const uint64_t *values, uint64_t top)
{
	int before = -1;

	if (plot->rows < 1)
		return;
	for (int i = 0; i < plot->columns * PLOT_DOTS_WIDE; i++) {
		int height = -1, at;

		if (values[i] != PLOT_NOTHING) {
			height = line_height(plot, values[i], top);
			set_dot(plot, plot->line, i, height);
			at = before < 0 ? height : before;
			for (; at < height; at++)
				set_dot(plot, plot->line, i, at);
			for (; at > height; at--)
				set_dot(plot, plot->line, i, at);
		}
		before = height;
	}
}

static unsigned bits_at(const struct plot *plot, int row, int column)
{
	int cell = row * plot->columns + column;

	return plot->area[cell] | plot->line[cell];
}

wchar_t plot_symbol(const struct plot *plot, int row, int column)
{
	unsigned bits = bits_at(plot, row, column);

	return bits ? (wchar_t)(BRAILLE + bits) : L' ';
}

char plot_plain(const struct plot *plot, int row, int column)
{
	int cell = row * plot->columns + column;

	if (plot->line[cell])
		return plot->area[cell] ? '+' : '-';
	switch (__builtin_popcount(plot->area[cell])) {
	case 0:
		return ' ';
	case 1:
	case 2:
		return '.';
	case 3:
	case 4:
	case 5:
		return ':';
	}
	return '#';
}
