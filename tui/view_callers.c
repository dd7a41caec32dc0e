/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * One function: who calls it, and below what it calls. Enter makes the function of a row the one
 * that is shown. Functions that were shown are kept by number, so that the history can name them: a
 * position is that number and a row.
 */
#include "tui/view_callers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/error.h"
#include "tui/list.h"
#include "tui/point.h"
#include "tui/state.h"
#include "tui/tree_rows.h"

enum { HALVES = 2, VISITED = 1024 };

struct callers {
	struct list list;
	struct tree_rows halves[HALVES]; /* callers, callees */
	const char *visited[VISITED];    /* names; of the profile */
	size_t visited_count, current;
	int known; /* a function is chosen */
	size_t of; /* that which the halves are of */
	struct point_stacks inner;
	uint32_t least[HALVES];
	int step[HALVES];
	char roots[HALVES][512];
};

static int make(struct tui *tui, struct callers *callers)
{
	static const enum tree_direction directions[] = {TREE_BOTTOM_UP, TREE_TOP_DOWN};
	static const char *const titles[] = {"callers of", "callees of"};
	const char *function = callers->visited[callers->current];
	int error = 0;

	/* what is unfolded below another function means nothing here */
	for (int i = 0; i < HALVES && callers->of != callers->current; i++)
		tree_rows_release(&callers->halves[i]);
	callers->of = callers->current;
	for (int i = 0; i < HALVES && !error; i++) {
		error =
		    tree_rows_make(&callers->halves[i], tui, directions[i], function, tui->cost);
		snprintf(callers->roots[i], sizeof(callers->roots[i]), "%s %.400s", titles[i],
			 function);
		callers->halves[i].root = callers->roots[i];
	}
	/* the filter may leave nothing of it */
	if (error)
		for (int i = 0; i < HALVES; i++)
			tree_rows_release(&callers->halves[i]);
	return error == ERROR_EMPTY ? 0 : error;
}

/* The function that the picture's largest site is in, until one is chosen. */
static const char *first_function(struct tui *tui)
{
	const struct sites *sites = picture_sites(tui->picture, LENS_BY_SITE);
	struct ordering ordering = tui_ordering(tui, tui->cost);
	const char *function = NULL;
	size_t found = 0;
	uint32_t *order = sites ? sites_sorted(sites, &ordering, &found) : NULL;

	for (size_t i = 0; order && i < found && !function; i++) {
		const struct site *site = &sites->sites[order[i]];
		const struct profile_frame *frame =
		    captions_frame(tui->picture->profile, site->node, site->frame);

		function = frame ? frame->function : NULL;
	}
	free(order);
	return function;
}

static void choose(struct callers *callers, const char *function)
{
	size_t i = 0;

	while (i < callers->visited_count && strcmp(callers->visited[i], function))
		i++;
	if (i == callers->visited_count) {
		/* nobody goes back that far */
		if (i == VISITED)
			i = callers->visited_count = 0;
		callers->visited[callers->visited_count++] = function;
	}
	callers->current = i;
	callers->known = 1;
}

/* The rows of both, and an empty one in between. */
static size_t row_count(const struct callers *callers)
{
	size_t both = callers->halves[0].count + callers->halves[1].count;

	return both ? both + 1 : 0;
}

static int order(struct tui *tui, struct callers *callers)
{
	int error = 0;

	for (int i = 0; i < HALVES && !error; i++)
		error = tree_rows_order(&callers->halves[i], tui, tui->cost);
	return error;
}

static int refresh(struct tui *tui, void *data)
{
	struct callers *callers = data;
	const char *function = callers->known ? NULL : first_function(tui);
	int error = 0;

	if (function)
		choose(callers, function);
	if (callers->known)
		error = callers->halves[0].made && callers->of == callers->current
			    ? order(tui, callers)
			    : make(tui, callers);
	list_resize(&callers->list, row_count(callers));
	return error;
}

static void put_away(struct tui *tui, void *data)
{
	struct callers *callers = data;

	(void)tui;
	for (int i = 0; i < HALVES; i++)
		tree_rows_put_away(&callers->halves[i], 0);
}

void callers_show(struct tui *tui, struct frame_reference at)
{
	const struct profile_frame *frame =
	    captions_frame(tui->picture->profile, at.node, at.frame);
	struct callers *callers = tui_view_storage(tui, &view_callers);

	if (!callers)
		return;
	if (!frame || !frame->function) {
		tui_message(tui, "no name is known of the function here");
		return;
	}
	if (tui->view == &view_callers)
		tui_remember(tui);
	else
		tui_show(tui, &view_callers);
	choose(callers, frame->function);
	if (tui_view_data(tui, &view_callers) &&
	    (callers->of != callers->current || !callers->halves[0].made) && make(tui, callers))
		tui_message(tui, "%s", error_text(ERROR_MEMORY));
	list_resize(&callers->list, row_count(callers));
	list_move_to(&callers->list, 0);
}

/* The half that a row of the list is in, and its row there. NULL: the one in between. */
static struct tree_rows *half_of(struct callers *callers, size_t row, size_t *in_half)
{
	size_t first = callers->halves[0].count;

	*in_half = row < first ? row : row - first - 1;
	return row < first ? &callers->halves[0] : row > first ? &callers->halves[1] : NULL;
}

/* --- drawing ------------------------------------------------------------------------------ */

static void draw_row(struct tui *tui, void *data, size_t row, const struct canvas *canvas)
{
	struct callers *callers = data;
	struct columns columns;
	size_t in_half;
	struct tree_rows *half = half_of(callers, row, &in_half);
	int which = half == &callers->halves[1];

	if (!half)
		return;
	columns_choose(&columns, tui, tui->cost, canvas->columns);
	tree_rows_draw(tui, half, in_half, &columns, canvas, callers->list.shift,
		       callers->least[which], callers->step[which]);
}

static void write_with(struct tui *tui, void *data, size_t row, int costs, FILE *out)
{
	size_t in_half;
	struct tree_rows *half = half_of(data, row, &in_half);

	if (half)
		tree_rows_write(tui, half, in_half, costs, out);
}

static void name_row(struct tui *tui, void *data, size_t row, FILE *out)
{
	write_with(tui, data, row, 0, out);
}

static void write_row(struct tui *tui, void *data, size_t row, FILE *out)
{
	write_with(tui, data, row, 1, out);
}

static int may_have(struct tui *tui, void *data, size_t row, const char *letters)
{
	size_t in_half;
	struct tree_rows *half = half_of(data, row, &in_half);

	return half && tree_rows_may_have(tui, half, in_half, letters);
}

static const struct list_ops rows = {.draw = draw_row, .text = name_row, .may_have = may_have};
static const struct list_ops written_rows = {.draw = draw_row, .text = write_row};

static void draw(struct tui *tui, void *data, const struct canvas *canvas)
{
	struct callers *callers = data;
	struct columns columns;

	if (!callers->list.count) {
		canvas_text(canvas, 0, 1, canvas->columns - 1, ROLE_DIM,
			    callers->known
				? "the filter leaves nothing of that function (F: everything)"
				: "no function has a name here");
		return;
	}
	columns_choose(&columns, tui, tui->cost, canvas->columns);
	columns_head(&columns, tui, canvas, 0, "function");
	for (int i = 0; i < HALVES; i++)
		tree_rows_indent(&callers->halves[i], 0, callers->halves[i].count,
				 canvas->columns - columns.width, &callers->least[i],
				 &callers->step[i]);
	list_draw(tui, callers, &callers->list, &rows, canvas, 1);
}

/* --- acting ------------------------------------------------------------------------------- */

static int point(struct tui *tui, void *data, struct point *at)
{
	struct callers *callers = data;
	size_t in_half;
	struct tree_rows *half =
	    callers->list.count ? half_of(callers, callers->list.cursor, &in_half) : NULL;

	return half && tree_rows_point(tui, half, in_half, &callers->inner, at);
}

static void turn(struct tui *tui, struct callers *callers, enum action action)
{
	size_t row = callers->list.cursor, in_half;
	struct tree_rows *half = half_of(callers, row, &in_half);
	size_t first = row - in_half;
	int open = half && tree_rows_is_open(half, in_half);

	if (!half)
		return;
	if (action == ACTION_LEFT && !open)
		list_move_to(&callers->list, first + tree_rows_parent(half, in_half));
	else if (action == ACTION_LEFT)
		tree_rows_fold(half, in_half);
	else if (open)
		list_move_to(&callers->list, row + 1);
	else if (tree_rows_unfold(half, in_half))
		tui_message(tui, "%s", error_text(ERROR_MEMORY));
	list_resize(&callers->list, row_count(callers));
}

static void unfold_hottest(struct tui *tui, struct callers *callers)
{
	size_t row = callers->list.cursor, in_half, end;
	struct tree_rows *half = half_of(callers, row, &in_half);

	if (!half)
		return;
	if (tree_rows_unfold_hottest(half, in_half, &end))
		tui_message(tui, "%s", error_text(ERROR_MEMORY));
	list_resize(&callers->list, row_count(callers));
	list_move_to(&callers->list, row - in_half + end);
}

static int act(struct tui *tui, void *data, enum action action)
{
	struct callers *callers = data;

	if (list_act(&callers->list, action))
		return 1;
	if (!callers->list.count)
		return 0;
	if (action == ACTION_LEFT || action == ACTION_RIGHT)
		turn(tui, callers, action);
	else if (action == ACTION_HOTTEST)
		unfold_hottest(tui, callers);
	else
		return 0;
	return 1;
}

static void click(struct tui *tui, void *data, int row, int column)
{
	struct callers *callers = data;
	size_t before = callers->list.cursor;

	(void)column;
	if (list_click(&callers->list, row) && callers->list.cursor == before)
		turn(tui, callers, ACTION_RIGHT);
}

static int search(struct tui *tui, void *data, const char *text, int direction, int from_here)
{
	struct callers *callers = data;

	return list_search(tui, callers, &callers->list, &rows, text, direction, from_here);
}

static size_t position(void *data)
{
	const struct callers *callers = data;

	return callers->current << 32 | (callers->list.cursor & UINT32_MAX);
}

static void move_to(struct tui *tui, void *data, size_t where)
{
	struct callers *callers = data;

	if (where >> 32 < callers->visited_count && where >> 32 != callers->current) {
		callers->current = where >> 32;
		if (make(tui, callers))
			tui_message(tui, "%s", error_text(ERROR_MEMORY));
		list_resize(&callers->list, row_count(callers));
	}
	list_move_to(&callers->list, where & UINT32_MAX);
}

static int write_all(struct tui *tui, void *data, FILE *out)
{
	struct callers *callers = data;

	columns_write_head(tui, tui->cost, out);
	fputs("function\n", out);
	return list_write(tui, callers, &callers->list, &written_rows, out);
}

static void release(void *data)
{
	struct callers *callers = data;

	for (int i = 0; i < HALVES; i++)
		tree_rows_release(&callers->halves[i]);
	point_stacks_release(&callers->inner);
}

const struct view_ops view_callers = {
    .name = "Callers",
    .brief = "Calls",
    .key = '6',
    .help = "one function: who calls it and what it calls; C chooses it",
    .data_bytes = sizeof(struct callers),
    .refresh = refresh,
    .put_away = put_away,
    .draw = draw,
    .act = act,
    .click = click,
    .search = search,
    .point = point,
    .position = position,
    .move_to = move_to,
    .write = write_all,
    .release = release,
};
