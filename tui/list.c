/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tui/list.h"

#include <stdlib.h>

#include "formats/error.h"
#include "tui/state.h"

enum { WHEEL_ROWS = 3, SHIFT_COLUMNS = 8, SHIFT_MOST = 4096 };

void list_resize(struct list *list, size_t count)
{
	list->count = count;
	list_move_to(list, list->cursor);
}

void list_move_to(struct list *list, size_t row)
{
	list->cursor = row < list->count ? row : list->count ? list->count - 1 : 0;
}

static void move(struct list *list, long rows)
{
	if (rows < 0 && (size_t)-rows > list->cursor)
		list->cursor = 0;
	else
		list_move_to(list, list->cursor + (size_t)rows);
}

int list_act(struct list *list, enum action action)
{
	long page = list->rows > 1 ? list->rows - 1 : 1;

	switch (action) {
	case ACTION_UP:
		move(list, -1);
		return 1;
	case ACTION_DOWN:
		move(list, 1);
		return 1;
	case ACTION_WHEEL_UP:
		move(list, -WHEEL_ROWS);
		return 1;
	case ACTION_WHEEL_DOWN:
		move(list, WHEEL_ROWS);
		return 1;
	case ACTION_PAGE_UP:
		move(list, -page);
		return 1;
	case ACTION_PAGE_DOWN:
		move(list, page);
		return 1;
	case ACTION_FIRST:
		list->cursor = 0;
		return 1;
	case ACTION_LAST:
		list_move_to(list, list->count);
		return 1;
	default:
		return 0;
	}
}

int list_shift(struct list *list, enum action action)
{
	if (action == ACTION_LEFT)
		list->shift -= list->shift < SHIFT_COLUMNS ? list->shift : SHIFT_COLUMNS;
	else if (action == ACTION_RIGHT)
		list->shift += list->shift < SHIFT_MOST ? SHIFT_COLUMNS : 0;
	else
		return 0;
	return 1;
}

void list_scroll(struct list *list, int drawn)
{
	size_t rows = drawn > 0 ? (size_t)drawn : 1;

	list->rows = drawn;
	if (list->cursor < list->top)
		list->top = list->cursor;
	if (list->cursor - list->top >= rows)
		list->top = list->cursor - rows + 1;
	if (list->top && list->count - list->top < rows)
		list->top = list->count > rows ? list->count - rows : 0;
}

struct row_text { /* reused from row to row */
	FILE *stream;
	char *text;
	size_t size;
};

static const char *row_text(struct tui *tui, void *data, const struct list_ops *ops, size_t row,
			    struct row_text *buffer)
{
	rewind(buffer->stream);
	ops->text(tui, data, row, buffer->stream);
	fputc('\0', buffer->stream);
	return fflush(buffer->stream) ? "" : buffer->text;
}

static int row_text_init(struct row_text *buffer)
{
	*buffer = (struct row_text){0};
	buffer->stream = open_memstream(&buffer->text, &buffer->size);
	return buffer->stream ? 0 : ERROR_MEMORY;
}

static void row_text_release(struct row_text *buffer)
{
	fclose(buffer->stream);
	free(buffer->text);
}

void list_draw(struct tui *tui, void *data, struct list *list, const struct list_ops *ops,
	       const struct canvas *canvas, int first)
{
	struct row_text buffer;
	int searching = *tui->search && !row_text_init(&buffer);

	list->first = first;
	list_scroll(list, canvas->rows - first);
	for (int i = 0; i < list->rows && list->top + (size_t)i < list->count; i++) {
		struct canvas row = canvas_part(canvas, first + i, 0, 1, canvas->columns);
		size_t index = list->top + (size_t)i;

		ops->draw(tui, data, index, &row);
		if (searching && tui_matches(tui->search, row_text(tui, data, ops, index, &buffer)))
			canvas_flag(&row, 0, 0, row.columns, CELL_MATCH);
		if (index == list->cursor)
			canvas_flag(&row, 0, 0, row.columns, CELL_CURSOR);
	}
	if (searching)
		row_text_release(&buffer);
}

int list_click(struct list *list, int row)
{
	size_t index = list->top + (size_t)(row - list->first);

	if (row < list->first || index >= list->count)
		return 0;
	list->cursor = index;
	return 1;
}

int list_search(struct tui *tui, void *data, struct list *list, const struct list_ops *ops,
		const char *text, int direction, int from_here)
{
	struct row_text buffer;
	char letters[PROMPT_BYTES];
	size_t row = list->cursor, left = list->count;
	int found = 0, asks = ops->may_have && captions_letters(text, letters, sizeof(letters));

	if (!list->count || row_text_init(&buffer))
		return 0;
	if (!from_here)
		row = (row + (direction > 0 ? 1 : list->count - 1)) % list->count;
	for (; left && !found; left--) {
		found = (!asks || ops->may_have(tui, data, row, letters)) &&
			tui_matches(text, row_text(tui, data, ops, row, &buffer));
		if (found)
			list->cursor = row;
		row = (row + (direction > 0 ? 1 : list->count - 1)) % list->count;
	}
	row_text_release(&buffer);
	return found;
}

int list_write(struct tui *tui, void *data, const struct list *list, const struct list_ops *ops,
	       FILE *out)
{
	for (size_t i = 0; i < list->count; i++) {
		ops->text(tui, data, i, out);
		fputc('\n', out);
	}
	return 0;
}
