/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tui/canvas.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/error.h"
#include "formats/numbers.h"

/* More of a text is never on a screen. */
enum { TEXT_BYTES = 8192 };

/* --- the grid -------------------------------------------------------------------------- */

int grid_resize(struct grid *grid, int rows, int columns)
{
	struct cell *cells = calloc((size_t)rows * (size_t)columns + 1, sizeof(*cells));

	if (!cells)
		return ERROR_MEMORY;
	free(grid->cells);
	grid->cells = cells;
	grid->rows = rows;
	grid->columns = columns;
	grid_clear(grid);
	return 0;
}

static void blank(struct cell *cell)
{
	*cell = (struct cell){.text = {L' '}, .width = 1};
}

void grid_clear(struct grid *grid)
{
	for (size_t i = 0; i < (size_t)grid->rows * (size_t)grid->columns; i++)
		blank(&grid->cells[i]);
}

void grid_release(struct grid *grid)
{
	free(grid->cells);
	*grid = (struct grid){0};
}

static size_t encode(char *out, wchar_t character)
{
	uint32_t code = (uint32_t)character;

	if (code < 0x80) {
		out[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		out[0] = (char)(0xc0 | code >> 6);
		out[1] = (char)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000) {
		out[0] = (char)(0xe0 | code >> 12);
		out[1] = (char)(0x80 | (code >> 6 & 0x3f));
		out[2] = (char)(0x80 | (code & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | code >> 18);
	out[1] = (char)(0x80 | (code >> 12 & 0x3f));
	out[2] = (char)(0x80 | (code >> 6 & 0x3f));
	out[3] = (char)(0x80 | (code & 0x3f));
	return 4;
}

char *grid_text(const struct grid *grid, int row)
{
	const struct cell *cells = &grid->cells[(size_t)row * (size_t)grid->columns];
	char *text = malloc((size_t)grid->columns * CELL_CHARACTERS * 4 + 1);
	size_t length = 0;

	if (!text)
		return NULL;
	for (int i = 0; i < grid->columns; i++)
		for (int j = 0; j < CELL_CHARACTERS && cells[i].text[j]; j++)
			length += encode(text + length, cells[i].text[j]);
	while (length && text[length - 1] == ' ')
		length--;
	text[length] = '\0';
	return text;
}

/* --- parts ----------------------------------------------------------------------------- */

struct canvas canvas_of(struct grid *grid)
{
	return (struct canvas){.grid = grid, .rows = grid->rows, .columns = grid->columns};
}

static int between(int value, int least, int most)
{
	return value < least ? least : value > most ? most : value;
}

struct canvas canvas_part(const struct canvas *canvas, int row, int column, int rows, int columns)
{
	int top = between(row, 0, canvas->rows), left = between(column, 0, canvas->columns);

	return (struct canvas){
	    .grid = canvas->grid,
	    .top = canvas->top + top,
	    .left = canvas->left + left,
	    .rows = between(rows, 0, canvas->rows - top),
	    .columns = between(columns, 0, canvas->columns - left),
	};
}

static struct cell *cell_at(const struct canvas *canvas, int row, int column)
{
	const struct grid *grid = canvas->grid;

	if (row < 0 || row >= canvas->rows || column < 0 || column >= canvas->columns)
		return NULL;
	return &grid->cells[(size_t)(canvas->top + row) * (size_t)grid->columns +
			    (size_t)(canvas->left + column)];
}

/* What is left of a wide character when its other half is written over. */
static void split(const struct canvas *canvas, struct cell *cell)
{
	const struct grid *grid = canvas->grid;
	size_t index = (size_t)(cell - grid->cells), column = index % (size_t)grid->columns;

	if (!cell->width && column)
		blank(cell - 1);
	if (cell->width == 2 && column + 1 < (size_t)grid->columns)
		blank(cell + 1);
}

static void put(const struct canvas *canvas, int row, int column, enum role role, wchar_t character,
		int width)
{
	struct cell *cell = cell_at(canvas, row, column);
	struct cell *right = width == 2 ? cell_at(canvas, row, column + 1) : NULL;

	if (!cell || (width == 2 && !right))
		return;
	split(canvas, cell);
	*cell = (struct cell){.text = {character}, .role = (uint8_t)role, .width = (uint8_t)width};
	if (!right)
		return;
	split(canvas, right);
	*right = (struct cell){.role = (uint8_t)role};
}

static void combine(const struct canvas *canvas, int row, int column, wchar_t character)
{
	struct cell *cell = cell_at(canvas, row, column);

	if (cell && !cell->width)
		cell = cell_at(canvas, row, column - 1);
	for (int i = 1; cell && i < CELL_CHARACTERS; i++) {
		if (cell->text[i])
			continue;
		cell->text[i] = character;
		return;
	}
}

/* --- text ------------------------------------------------------------------------------ */

/* The next character of escaped text, which is well-formed. */
static const char *next_character(const struct grid *grid, const char *text, wchar_t *character,
				  int *width)
{
	const unsigned char *bytes = (const unsigned char *)text;
	unsigned more = *bytes < 0x80 ? 0 : *bytes < 0xe0 ? 1 : *bytes < 0xf0 ? 2 : 3;
	uint32_t code = more ? *bytes & (0x3fu >> more) : *bytes;

	for (unsigned i = 1; i <= more; i++)
		code = code << 6 | (bytes[i] & 0x3f);
	*character = (wchar_t)code;
	*width = more ? wcwidth(*character) : 1;
	if (more && (grid->ascii || *width < 0)) {
		*character = L'?';
		*width = 1;
	}
	return text + 1 + more;
}

int canvas_width(const struct canvas *canvas, const char *text)
{
	char escaped[TEXT_BYTES];
	int columns = 0, width;
	wchar_t character;

	text_escape(escaped, sizeof(escaped), text, strlen(text));
	for (const char *at = escaped; *at; columns += width)
		at = next_character(canvas->grid, at, &character, &width);
	return columns;
}

int canvas_text_from(const struct canvas *canvas, int row, int column, int width, enum role role,
		     const char *text, int skip)
{
	const struct grid *grid = canvas->grid;
	char escaped[TEXT_BYTES];
	int used = 0;

	if (row < 0 || row >= canvas->rows || column >= canvas->columns)
		return 0;
	width = between(width, 0, canvas->columns - column);
	text_escape(escaped, sizeof(escaped), text, strlen(text));
	for (const char *at = escaped; *at;) {
		wchar_t character;
		int columns;

		at = next_character(grid, at, &character, &columns);
		if (skip > 0) {
			skip -= columns;
			continue;
		}
		if (!columns) {
			if (used)
				combine(canvas, row, column + used - 1, character);
			continue;
		}
		if (used + columns > width) {
			if (width > 0) {
				used = used < width ? used : width - 1;
				put(canvas, row, column + used, role, grid->ascii ? L'~' : L'…', 1);
			}
			return width;
		}
		put(canvas, row, column + used, role, character, columns);
		used += columns;
	}
	return used;
}

int canvas_text(const struct canvas *canvas, int row, int column, int width, enum role role,
		const char *text)
{
	return canvas_text_from(canvas, row, column, width, role, text, 0);
}

void canvas_text_right(const struct canvas *canvas, int row, int column, int width, enum role role,
		       const char *text)
{
	int used = canvas_width(canvas, text);

	canvas_text(canvas, row, column + (used < width ? width - used : 0), width, role, text);
}

int canvas_print(const struct canvas *canvas, int row, int column, int width, enum role role,
		 const char *format, ...)
{
	char text[TEXT_BYTES];
	va_list values;

	va_start(values, format);
	vsnprintf(text, sizeof(text), format, values);
	va_end(values);
	return canvas_text(canvas, row, column, width, role, text);
}

/* --- diagrams -------------------------------------------------------------------------- */

void canvas_symbol(const struct canvas *canvas, int row, int column, enum role role, wchar_t symbol,
		   char plain)
{
	put(canvas, row, column, role, canvas->grid->ascii ? (wchar_t)plain : symbol, 1);
}

void canvas_bar(const struct canvas *canvas, int row, int column, int width, enum role role,
		uint64_t part, uint64_t whole)
{
	unsigned __int128 eighths =
	    whole && width > 0 ? (unsigned __int128)part * (unsigned)width * 8 / whole : 0;
	unsigned left;

	if (eighths > (unsigned)width * 8)
		eighths = (unsigned)width * 8;
	if (!eighths && part && width > 0)
		eighths = 1;
	for (left = (unsigned)eighths; left >= 8; left -= 8)
		canvas_symbol(canvas, row, column++, role, L'█', '#');
	if (left && (!canvas->grid->ascii || left >= 4))
		canvas_symbol(canvas, row, column, role, (wchar_t)(L'▏' - (wchar_t)(left - 1)),
			      '#');
}

void canvas_paint(const struct canvas *canvas, int row, int column, int width, enum role role)
{
	for (int i = column; i < column + width && i < canvas->columns; i++) {
		struct cell *cell = cell_at(canvas, row, i);

		if (cell)
			cell->role = (uint8_t)role;
	}
}

void canvas_flag(const struct canvas *canvas, int row, int column, int width, unsigned flags)
{
	for (int i = column; i < column + width && i < canvas->columns; i++) {
		struct cell *cell = cell_at(canvas, row, i);

		if (cell)
			cell->flags |= (uint8_t)flags;
	}
}
