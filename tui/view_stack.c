/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The full backtraces of one thing, the innermost frame first, one at a time. */
#include "tui/view_stack.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/query/names.h"
#include "formats/error.h"
#include "tui/columns.h"
#include "tui/list.h"
#include "tui/point.h"
#include "tui/state.h"

enum { NARROW = 40, NAME_LEAST = 8 };

struct backtrace {
	struct list list;
	const struct picture *picture; /* that the references are of */
	struct point_stacks stacks, inner;
	size_t stack_count, inner_count, current;
	int has_figures;
	enum cost_kind kind;        /* of the figures */
	struct point_stacks frames; /* of the current one */
	size_t frame_count;
};

static int keep(struct point_stacks *kept, const struct frame_reference *list, size_t count)
{
	if (!point_room(kept, count))
		return ERROR_MEMORY;
	if (count)
		memcpy(kept->list, list, count * sizeof(*list));
	return 0;
}

static int add_frame(struct backtrace *backtrace, uint32_t node, uint32_t frame)
{
	if (!point_room(&backtrace->frames, backtrace->frame_count + 1))
		return ERROR_MEMORY;
	backtrace->frames.list[backtrace->frame_count++] = (struct frame_reference){node, frame};
	return 0;
}

/* What calls main is left out, as in reports. */
static int unfold(struct backtrace *backtrace, const struct profile *profile)
{
	struct frame_reference at = {0};
	int error = 0;

	backtrace->frame_count = 0;
	for (size_t i = 0; i < backtrace->inner_count && !error; i++)
		error = add_frame(backtrace, backtrace->inner.list[i].node,
				  backtrace->inner.list[i].frame);
	if (backtrace->current < backtrace->stack_count)
		at = backtrace->stacks.list[backtrace->current];
	while (at.node && !error) {
		uint32_t count = profile->locations[profile->nodes[at.node].location].frame_count;

		do
			error = add_frame(backtrace, at.node, at.frame++);
		while (at.frame < count && !error);
		if (frame_ends_stack(profile, at.node))
			break;
		at = (struct frame_reference){profile->nodes[at.node].parent, 0};
	}
	list_resize(&backtrace->list, backtrace->frame_count);
	return error;
}

void stack_show(struct tui *tui, const struct point *point)
{
	const struct frame_reference *stacks = point->stacks;
	size_t count = point->stack_count;
	struct backtrace *backtrace;

	if (!count) {
		stacks = &point->at;
		count = point->at.node != 0;
	}
	if (!count) {
		tui_message(tui, "no stack is known here");
		return;
	}
	/* what the point refers to may be this view's own */
	backtrace = tui_view_data(tui, &view_stack);
	if (tui->view == &view_stack)
		return;
	if (!backtrace || keep(&backtrace->stacks, stacks, count) ||
	    keep(&backtrace->inner, point->inner, point->inner_count)) {
		tui_message(tui, "%s", error_text(ERROR_MEMORY));
		return;
	}
	backtrace->has_figures = point->figures && point_figure_room(&backtrace->stacks, count);
	if (backtrace->has_figures)
		memcpy(backtrace->stacks.figures, point->figures, count * sizeof(*point->figures));
	backtrace->kind = point->kind;
	backtrace->stack_count = count;
	backtrace->inner_count = point->inner_count;
	backtrace->current = 0;
	backtrace->picture = tui->picture;
	list_move_to(&backtrace->list, 0);
	if (unfold(backtrace, tui->picture->profile))
		tui_message(tui, "%s", error_text(ERROR_MEMORY));
	tui_show(tui, &view_stack);
}

/* Nodes of a selection are those of the whole: they stay what they are under another filter. */
static int refresh(struct tui *tui, void *data)
{
	((struct backtrace *)data)->picture = tui->picture;
	return 0;
}

/* --- drawing ------------------------------------------------------------------------------ */

static void draw_row(struct tui *tui, void *data, size_t row, const struct canvas *canvas)
{
	const struct backtrace *backtrace = data;
	const struct profile *profile = tui->picture->profile;
	struct frame_reference at = backtrace->frames.list[row];
	int width = canvas->columns, shift = backtrace->list.shift, column = 0;
	const char *where;
	int wanted;

	if (width >= NARROW)
		column = canvas_print(canvas, 0, 0, width, ROLE_DIM, "%3zu ", row + 1);
	where = captions_where(&tui->captions, profile, at.node, at.frame);
	wanted = canvas_width(canvas, where);
	/* the file is worth more than the end of a long name; of a path the end */
	if (wanted >= (width - column) / 2 && width < NARROW) {
		int room = width - column - NAME_LEAST;

		canvas_text_from(canvas, 0, column + NAME_LEAST, room, ROLE_MODULE, where,
				 wanted > room ? wanted - room : 0);
		wanted = room;
	} else if (wanted < (width - column) / 2) {
		canvas_text(canvas, 0, width - wanted, wanted, ROLE_MODULE, where);
	} else {
		wanted = 0;
	}
	canvas_text_from(canvas, 0, column, width - column - wanted, ROLE_NORMAL,
			 captions_function(&tui->captions, profile, at.node, at.frame), shift);
}

static void write_row(struct tui *tui, void *data, size_t row, FILE *out)
{
	const struct backtrace *backtrace = data;
	struct frame_reference at = backtrace->frames.list[row];

	fputs(captions_both(&tui->captions, tui->picture->profile, at.node, at.frame), out);
}

static const struct list_ops rows = {.draw = draw_row, .text = write_row};

/* What the columns have no room for: the whole name, the file with its folders, the module. */
static int draw_details(struct tui *tui, const struct backtrace *backtrace,
			const struct canvas *canvas, int row)
{
	const struct profile *profile = tui->picture->profile;
	struct frame_reference at;

	if (!backtrace->frame_count || canvas->rows < 12)
		return 0;
	at = backtrace->frames.list[backtrace->list.cursor];
	canvas_text(canvas, row, 1, canvas->columns - 1, ROLE_NORMAL,
		    captions_function(&tui->captions, profile, at.node, at.frame));
	canvas_print(canvas, row + 1, 1, canvas->columns - 1, ROLE_DIM, "  at %s",
		     captions_part(&tui->captions, profile, at.node, at.frame, FRAME_LINE));
	canvas_print(canvas, row + 2, 1, canvas->columns - 1, ROLE_DIM, "  in %s",
		     captions_part(&tui->captions, profile, at.node, at.frame, FRAME_MODULE));
	return 3;
}

static void draw_heading(const struct backtrace *backtrace, const struct canvas *canvas)
{
	char figure[96] = "";

	if (backtrace->has_figures)
		snprintf(
		    figure, sizeof(figure), ", %s %s",
		    columns_figure(backtrace->kind, backtrace->stacks.figures[backtrace->current])
			.text,
		    cost_name(backtrace->kind));
	if (backtrace->stack_count > 1)
		canvas_print(canvas, 0, 0, canvas->columns, ROLE_HEADING,
			     "backtrace %zu of %zu%s (Right: the next)", backtrace->current + 1,
			     backtrace->stack_count, figure);
	else
		canvas_print(canvas, 0, 0, canvas->columns, ROLE_HEADING, "backtrace%s", figure);
}

static void draw(struct tui *tui, void *data, const struct canvas *canvas)
{
	struct backtrace *backtrace = data;
	int details = draw_details(tui, backtrace, canvas, canvas->rows - 3);
	struct canvas upper = canvas_part(canvas, 0, 0, canvas->rows - details, canvas->columns);

	draw_heading(backtrace, canvas);
	list_draw(tui, backtrace, &backtrace->list, &rows, &upper, 1);
}

static int turn(struct tui *tui, struct backtrace *backtrace, enum action action)
{
	if (action == ACTION_LEFT && backtrace->current)
		backtrace->current--;
	else if (action == ACTION_RIGHT && backtrace->current + 1 < backtrace->stack_count)
		backtrace->current++;
	else
		return list_shift(&backtrace->list, action);
	if (unfold(backtrace, tui->picture->profile))
		tui_message(tui, "%s", error_text(ERROR_MEMORY));
	return 1;
}

static int act(struct tui *tui, void *data, enum action action)
{
	struct backtrace *backtrace = data;

	if (list_act(&backtrace->list, action))
		return 1;
	if (action == ACTION_LEFT || action == ACTION_RIGHT)
		return turn(tui, backtrace, action);
	return action == ACTION_BACKTRACE;
}

static void click(struct tui *tui, void *data, int row, int column)
{
	(void)tui;
	(void)column;
	list_click(&((struct backtrace *)data)->list, row);
}

static int search(struct tui *tui, void *data, const char *text, int direction, int from_here)
{
	struct backtrace *backtrace = data;

	return list_search(tui, backtrace, &backtrace->list, &rows, text, direction, from_here);
}

static int point(struct tui *tui, void *data, struct point *at)
{
	const struct backtrace *backtrace = data;

	if (!backtrace->frame_count)
		return 0;
	at->at = backtrace->frames.list[backtrace->list.cursor];
	at->figures = backtrace->has_figures ? backtrace->stacks.figures : NULL;
	at->kind = backtrace->kind;
	point_add_function(at, tui->picture->profile);
	return 1;
}

static enum cost_kind about(const struct tui *tui, const void *data)
{
	const struct backtrace *backtrace = data;

	return backtrace->has_figures ? backtrace->kind : tui->cost;
}

static int write_all(struct tui *tui, void *data, FILE *out)
{
	struct backtrace *backtrace = data;

	return list_write(tui, backtrace, &backtrace->list, &rows, out);
}

static void release(void *data)
{
	struct backtrace *backtrace = data;

	point_stacks_release(&backtrace->stacks);
	point_stacks_release(&backtrace->inner);
	point_stacks_release(&backtrace->frames);
}

const struct view_ops view_stack = {
    .name = "Backtrace",
    .help = "all frames of a stack",
    .data_bytes = sizeof(struct backtrace),
    .refresh = refresh,
    .draw = draw,
    .act = act,
    .click = click,
    .search = search,
    .point = point,
    .write = write_all,
    .about = about,
    .release = release,
};
