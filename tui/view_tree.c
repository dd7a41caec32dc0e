/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The whole as a tree: top-down from main, bottom-up from who allocates. */
#include "tui/view.h"

#include "formats/error.h"
#include "tui/list.h"
#include "tui/point.h"
#include "tui/state.h"
#include "tui/tree_rows.h"

struct tree_view {
	struct list list;
	struct tree_rows rows;
	struct point_stacks inner;
	uint32_t least; /* as drawn */
	int step;
};

static int refresh(struct tui *tui, struct tree_view *view, enum tree_direction direction)
{
	size_t row;
	int error;

	if (view->rows.made) {
		uint32_t node = view->list.cursor < view->rows.count
				    ? view->rows.rows[view->list.cursor].node
				    : 0;

		error = tree_rows_order(&view->rows, tui, tui->cost);
		row = tree_rows_find(&view->rows, node);
	} else {
		error = tree_rows_make(&view->rows, tui, direction, NULL, tui->cost);
		row = tree_rows_kept_row(&view->rows);
	}
	list_resize(&view->list, view->rows.count);
	if (!error)
		list_move_to(&view->list, row);
	return error;
}

static void put_away(struct tui *tui, void *data)
{
	struct tree_view *view = data;

	(void)tui;
	tree_rows_put_away(&view->rows, view->list.cursor);
}

static int refresh_top_down(struct tui *tui, void *data)
{
	return refresh(tui, data, TREE_TOP_DOWN);
}

static int refresh_bottom_up(struct tui *tui, void *data)
{
	return refresh(tui, data, TREE_BOTTOM_UP);
}

/* --- drawing ------------------------------------------------------------------------------ */

static void draw_row(struct tui *tui, void *data, size_t row, const struct canvas *canvas)
{
	const struct tree_view *view = data;
	struct columns columns;

	columns_choose(&columns, tui, tui->cost, canvas->columns);
	tree_rows_draw(tui, &view->rows, row, &columns, canvas, view->list.shift, view->least,
		       view->step);
}

static void name_row(struct tui *tui, void *data, size_t row, FILE *out)
{
	tree_rows_write(tui, &((struct tree_view *)data)->rows, row, 0, out);
}

static void write_row(struct tui *tui, void *data, size_t row, FILE *out)
{
	tree_rows_write(tui, &((struct tree_view *)data)->rows, row, 1, out);
}

static int may_have(struct tui *tui, void *data, size_t row, const char *letters)
{
	return tree_rows_may_have(tui, &((struct tree_view *)data)->rows, row, letters);
}

static const struct list_ops rows = {.draw = draw_row, .text = name_row, .may_have = may_have};
static const struct list_ops written_rows = {.draw = draw_row, .text = write_row};

static void draw(struct tui *tui, void *data, const struct canvas *canvas)
{
	struct tree_view *view = data;
	struct columns columns;

	columns_choose(&columns, tui, tui->cost, canvas->columns);
	columns_head(&columns, tui, canvas, 0, "function");
	list_scroll(&view->list, canvas->rows - 1);
	tree_rows_indent(&view->rows, view->list.top, view->list.top + (size_t)canvas->rows,
			 canvas->columns - columns.width, &view->least, &view->step);
	list_draw(tui, view, &view->list, &rows, canvas, 1);
}

/* --- unfolding ---------------------------------------------------------------------------- */

static void toggle(struct tui *tui, struct tree_view *view)
{
	if (tree_rows_is_open(&view->rows, view->list.cursor))
		tree_rows_fold(&view->rows, view->list.cursor);
	else if (tree_rows_unfold(&view->rows, view->list.cursor))
		tui_message(tui, "%s", error_text(ERROR_MEMORY));
	list_resize(&view->list, view->rows.count);
}

/* Right on a row that is open goes in; left on one that is not goes out. */
static void turn(struct tui *tui, struct tree_view *view, enum action action)
{
	size_t row = view->list.cursor;
	int open = tree_rows_is_open(&view->rows, row);

	if (action == ACTION_LEFT && !open)
		list_move_to(&view->list, tree_rows_parent(&view->rows, row));
	else if (action == ACTION_RIGHT && open)
		list_move_to(&view->list, row + 1);
	else
		toggle(tui, view);
}

static void unfold_hottest(struct tui *tui, struct tree_view *view)
{
	size_t end;

	if (tree_rows_unfold_hottest(&view->rows, view->list.cursor, &end))
		tui_message(tui, "%s", error_text(ERROR_MEMORY));
	list_resize(&view->list, view->rows.count);
	list_move_to(&view->list, end);
}

static int act(struct tui *tui, void *data, enum action action)
{
	struct tree_view *view = data;

	if (list_act(&view->list, action))
		return 1;
	if (!view->list.count)
		return 0;
	switch (action) {
	case ACTION_LEFT:
	case ACTION_RIGHT:
		turn(tui, view, action);
		return 1;
	case ACTION_OPEN:
		toggle(tui, view);
		return 1;
	case ACTION_HOTTEST:
		unfold_hottest(tui, view);
		return 1;
	default:
		return 0;
	}
}

static void click(struct tui *tui, void *data, int row, int column)
{
	struct tree_view *view = data;
	size_t before = view->list.cursor;

	(void)column;
	if (list_click(&view->list, row) && view->list.cursor == before)
		toggle(tui, view);
}

static int search(struct tui *tui, void *data, const char *text, int direction, int from_here)
{
	struct tree_view *view = data;

	return list_search(tui, view, &view->list, &rows, text, direction, from_here);
}

static int point(struct tui *tui, void *data, struct point *at)
{
	struct tree_view *view = data;

	return view->list.count &&
	       tree_rows_point(tui, &view->rows, view->list.cursor, &view->inner, at);
}

static size_t position(void *data)
{
	return ((struct tree_view *)data)->list.cursor;
}

static void move_to(struct tui *tui, void *data, size_t where)
{
	(void)tui;
	list_move_to(&((struct tree_view *)data)->list, where);
}

static int write_tree(struct tui *tui, void *data, FILE *out)
{
	struct tree_view *view = data;

	columns_write_head(tui, tui->cost, out);
	fputs("function\n", out);
	return list_write(tui, view, &view->list, &written_rows, out);
}

static void release(void *data)
{
	struct tree_view *view = data;

	tree_rows_release(&view->rows);
	point_stacks_release(&view->inner);
}

#define TREE_OPS                                                                                   \
	.data_bytes = sizeof(struct tree_view), .put_away = put_away, .draw = draw, .act = act,    \
	.click = click, .search = search, .point = point, .position = position,                    \
	.move_to = move_to, .write = write_tree, .release = release

const struct view_ops view_top_down = {
    TREE_OPS,
    .name = "Top-down",
    .brief = "Down",
    .key = '4',
    .help = "the tree of calls from main; x unfolds what costs most",
    .refresh = refresh_top_down,
};

const struct view_ops view_bottom_up = {
    TREE_OPS,
    .name = "Bottom-up",
    .brief = "Up",
    .key = '5',
    .help = "who allocates, and below who calls that",
    .refresh = refresh_bottom_up,
};
