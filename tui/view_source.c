/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A source file with what its lines cost. Which one, says what was under the cursor of the view
 * that led here; where that has no line of a file, the first of its callers that has one. Of a file
 * that is not here the lines that cost something are listed all the same.
 */
#include "tui/view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "analyzer/report/frames.h"
#include "formats/error.h"
#include "formats/numbers.h"
#include "tui/columns.h"
#include "tui/list.h"
#include "tui/point.h"
#include "tui/source.h"
#include "tui/state.h"

enum {
	FIGURE_COLUMNS = 11,
	LINE_COLUMNS = 7,
	TAB_COLUMNS = 8,
	TEXT_BYTES = 8000,
	LEAST_HEADING_ROWS = 4
};

struct sources {
	struct list list;
	char *name;       /* as the trace has it; NULL: none was asked for */
	unsigned picture; /* 1 + number of that which costs are of; 0: of none */
	struct source_file file;
	int missing; /* an error: there is no file */
	int missing_errno;
	int newer; /* than the recording */
	struct source_costs costs;
};

/* --- which file --------------------------------------------------------------------------- */

/* From there outward, the first with a line. */
static const struct profile_frame *find_line(const struct profile *profile,
					     struct frame_reference at)
{
	while (at.node) {
		const struct profile_location *location =
		    &profile->locations[profile->nodes[at.node].location];

		for (; at.frame < location->frame_count; at.frame++) {
			const struct profile_frame *frame =
			    &profile->frames[location->frame + at.frame];

			if (frame->file && frame->line)
				return frame;
		}
		if (frame_ends_stack(profile, at.node))
			return NULL;
		at = (struct frame_reference){profile->nodes[at.node].parent, 0};
	}
	return NULL;
}

/* A file of heaptrack's does not say when it was recorded: that file's own time does. */
static int is_newer(const struct profile *profile, const struct timespec *modified)
{
	uint64_t recorded = profile->start_nanoseconds;
	uint64_t changed =
	    (uint64_t)modified->tv_sec * UINT64_C(1000000000) + (uint64_t)modified->tv_nsec;
	struct stat status;

	if (!recorded && profile->path && !stat(profile->path, &status))
		recorded = (uint64_t)status.st_mtim.tv_sec * UINT64_C(1000000000) +
			   (uint64_t)status.st_mtim.tv_nsec;
	return recorded && changed > recorded;
}

static size_t row_count(const struct sources *view)
{
	return view->missing ? view->costs.count : view->file.line_count;
}

/* Of a line of the file. */
static size_t row_of(const struct sources *view, uint32_t line)
{
	size_t row = 0;

	if (!view->missing)
		return line ? line - 1 : 0;
	while (row + 1 < view->costs.count && view->costs.lines[row].line < line)
		row++;
	return row;
}

static size_t line_of(const struct sources *view, size_t row)
{
	return view->missing ? view->costs.lines[row].line : row + 1;
}

static int find_costs(struct tui *tui, struct sources *view)
{
	int error;

	source_costs_release(&view->costs);
	picture_forget_sites(tui->picture);
	error = source_costs(&view->costs, tui->picture->profile, &tui->picture->lens, view->name);
	view->picture = error ? 0 : 1 + tui->picture_number;
	list_resize(&view->list, row_count(view));
	return error;
}

static int open_file(struct tui *tui, struct sources *view, const char *name)
{
	const struct profile *profile = tui->options->fresh;

	free(view->name);
	view->name = strdup(name);
	if (!view->name)
		return ERROR_MEMORY;
	source_release(&view->file);
	errno = 0;
	view->missing = source_open(&view->file, name, profile->folder, tui->options->source_dir);
	view->missing_errno = errno;
	view->newer = !view->missing && is_newer(profile, &view->file.modified);
	view->list.cursor = view->list.top = 0;
	view->list.shift = 0;
	return find_costs(tui, view);
}

static void source_follow(struct tui *tui, void *data, const struct point *point)
{
	struct sources *view = data;
	const struct profile_frame *frame = find_line(tui->picture->profile, point->at);
	int error = 0;

	if (!frame) {
		if (point->at.node)
			tui_message(tui, "no source line is known of what is under the cursor");
		return;
	}
	if (!view->name || strcmp(view->name, frame->file) != 0)
		error = open_file(tui, view, frame->file);
	if (error)
		tui_message(tui, "%s", error_text(error));
	else
		list_move_to(&view->list, row_of(view, frame->line));
	/* with what is around it */
	view->list.top = view->list.cursor > (size_t)tui->rows / 2
			     ? view->list.cursor - (size_t)tui->rows / 2
			     : 0;
}

static int source_refresh(struct tui *tui, void *data)
{
	struct sources *view = data;

	if (!view->name || view->picture == 1 + tui->picture_number)
		return 0;
	return find_costs(tui, view);
}

/* --- lines -------------------------------------------------------------------------------- */

/* As text that ends, with tabs as wide as editors have them. */
static void copy_line(const struct sources *view, size_t row, char *text)
{
	const char *bytes;
	size_t length, used = 0;

	*text = '\0';
	if (view->missing)
		return;
	bytes = source_line(&view->file, row + 1, &length);
	for (size_t i = 0; i < length && used < TEXT_BYTES - TAB_COLUMNS - 1; i++) {
		if (bytes[i] == '\t')
			do
				text[used++] = ' ';
			while (used % TAB_COLUMNS);
		else if (bytes[i])
			text[used++] = bytes[i];
		else
			used += (size_t)sprintf(text + used, "\\x00");
	}
	text[used] = '\0';
}

static const struct source_line_cost *cost_at(const struct sources *view, size_t row)
{
	return source_cost_of(&view->costs, line_of(view, row));
}

/* Of a line, in order: what passes through it, and what it allocates itself. Of a diff base, new
 * and difference of what passes. */
enum { FIGURES = 3 };
static int figures_of(const struct tui *tui, const struct tree_sum *sum, int64_t *figures)
{
	if (tui_is_diff(tui)) {
		figures[0] = (int64_t)cost_of(&sum->base, tui->cost);
		figures[1] = (int64_t)cost_of(&sum->cost, tui->cost);
		figures[2] = figures[1] - figures[0];
		return 3;
	}
	figures[0] = (int64_t)cost_of(&sum->cost, tui->cost);
	figures[1] = (int64_t)cost_of(&sum->own, tui->cost);
	return 2;
}

static int has_cost(const struct tui *tui, const struct source_line_cost *cost)
{
	return cost && (cost_of(&cost->sum.cost, tui->cost) || cost_of(&cost->sum.base, tui->cost));
}

static enum role role_of(const struct tui *tui, const struct source_line_cost *cost)
{
	if (!has_cost(tui, cost))
		return ROLE_NORMAL;
	if (tui_is_diff(tui)) {
		int64_t difference = cost_difference(&cost->sum.cost, &cost->sum.base, tui->cost);

		return difference > 0 ? ROLE_GROWTH : difference < 0 ? ROLE_SHRINK : ROLE_NORMAL;
	}
	return cost_of(&cost->sum.own, tui->cost) ? ROLE_WARNING : ROLE_KEY;
}

/* As many figures as leave half of the screen to the source. */
static int figure_count(const struct tui *tui, int columns)
{
	int count = tui_is_diff(tui) ? 3 : 2;
	int fitting = (columns / 2 - LINE_COLUMNS) / FIGURE_COLUMNS;

	return fitting < 0 ? 0 : fitting < count ? fitting : count;
}

static void draw_line(struct tui *tui, void *data, size_t row, const struct canvas *canvas)
{
	struct sources *view = data;
	const struct source_line_cost *cost = cost_at(view, row);
	int shown = figure_count(tui, canvas->columns), column = shown * FIGURE_COLUMNS;
	int64_t figures[FIGURES] = {0};
	char text[TEXT_BYTES];

	if (has_cost(tui, cost)) {
		int count = figures_of(tui, &cost->sum, figures);

		/* of a diff the last is worth most */
		for (int i = 0; i < shown; i++) {
			int64_t value = figures[tui_is_diff(tui) ? count - shown + i : i];

			if (value || tui_is_diff(tui))
				canvas_text_right(canvas, 0, i * FIGURE_COLUMNS, FIGURE_COLUMNS - 1,
						  role_of(tui, cost),
						  columns_figure(tui->cost, value).text);
		}
	}
	if (canvas->columns > column + LINE_COLUMNS) {
		canvas_text_right(canvas, 0, column, LINE_COLUMNS - 1, ROLE_DIM,
				  number_plain((int64_t)line_of(view, row)).text);
		column += LINE_COLUMNS;
	}
	copy_line(view, row, text);
	canvas_text_from(canvas, 0, column, canvas->columns - column, role_of(tui, cost), text,
			 view->list.shift);
}

static void write_line(struct tui *tui, void *data, size_t row, FILE *out)
{
	struct sources *view = data;
	char text[TEXT_BYTES], safe[TEXT_BYTES * 4];

	(void)tui;
	copy_line(view, row, text);
	text_escape(safe, sizeof(safe), text, strlen(text));
	fputs(safe, out);
}

static void write_line_and_cost(struct tui *tui, void *data, size_t row, FILE *out)
{
	struct sources *view = data;
	const struct source_line_cost *cost = cost_at(view, row);
	int count = tui_is_diff(tui) ? 3 : 2;
	int64_t figures[FIGURES] = {0};

	if (has_cost(tui, cost))
		figures_of(tui, &cost->sum, figures);
	for (int i = 0; i < count; i++)
		fprintf(out, "%12s ",
			has_cost(tui, cost) ? columns_figure(tui->cost, figures[i]).text : "");
	fprintf(out, "%7zu  ", line_of(view, row));
	write_line(tui, data, row, out);
}

static const struct list_ops rows = {.draw = draw_line, .text = write_line};
static const struct list_ops written_rows = {.draw = draw_line, .text = write_line_and_cost};

/* --- drawing ------------------------------------------------------------------------------ */

static const char *trouble(const struct sources *view)
{
	switch (view->missing) {
	case 0:
		return view->newer      ? "changed since it was recorded: lines may be others"
		       : view->file.cut ? "too large: the end of it is not shown"
					: "";
	case ERROR_EMPTY:
		return "not found here; --source-dir DIR looks for it below DIR";
	case ERROR_UNSUPPORTED:
		return "no regular file";
	case ERROR_SYSTEM:
		return strerror(view->missing_errno);
	}
	return error_text(view->missing);
}

static void draw_heads(const struct tui *tui, const struct canvas *canvas, int row)
{
	static const char *const sides[] = {"base", "new", "difference"};
	int shown = figure_count(tui, canvas->columns), first = tui_is_diff(tui) ? 3 - shown : 0;

	for (int i = 0; i < shown; i++)
		canvas_text_right(canvas, row, i * FIGURE_COLUMNS, FIGURE_COLUMNS - 1, ROLE_HEADING,
				  tui_is_diff(tui) ? sides[first + i]
				  : i              ? "itself"
						   : cost_name(tui->cost));
	canvas_text_right(canvas, row, shown * FIGURE_COLUMNS, LINE_COLUMNS - 1, ROLE_HEADING,
			  "line");
}

static void source_draw(struct tui *tui, void *data, const struct canvas *canvas)
{
	struct sources *view = data;
	int heads = canvas->rows >= LEAST_HEADING_ROWS, used;

	if (!view->name) {
		canvas_text(canvas, 0, 1, canvas->columns - 1, ROLE_DIM,
			    "S on a function, a line or a frame shows its source");
		return;
	}
	/* of a long path the end tells most */
	used = canvas_print(canvas, 0, 0, canvas->columns, ROLE_HEADING, "%s",
			    view->missing ? view->name : view->file.path);
	if (*trouble(view))
		canvas_print(canvas, 0, used, canvas->columns - used, ROLE_WARNING, ": %s",
			     trouble(view));
	if (heads)
		draw_heads(tui, canvas, 1);
	list_draw(tui, view, &view->list, &rows, canvas, 1 + heads);
}

/* --- the view ----------------------------------------------------------------------------- */

/* The next line with a cost, or the one before; around the end. */
static void go_to_cost(struct tui *tui, struct sources *view, int direction)
{
	size_t count = row_count(view), row = view->list.cursor;

	for (size_t left = count; left; left--) {
		row = (row + (direction > 0 ? 1 : count - 1)) % count;
		if (has_cost(tui, cost_at(view, row))) {
			list_move_to(&view->list, row);
			return;
		}
	}
	tui_message(tui, "no line of this file has a cost here");
}

static int source_act(struct tui *tui, void *data, enum action action)
{
	struct sources *view = data;

	if (list_act(&view->list, action) || list_shift(&view->list, action))
		return 1;
	if (*tui->search || (action != ACTION_SEARCH_NEXT && action != ACTION_SEARCH_PREVIOUS))
		return 0;
	go_to_cost(tui, view, action == ACTION_SEARCH_NEXT ? 1 : -1);
	return 1;
}

static void source_click(struct tui *tui, void *data, int row, int column)
{
	(void)tui;
	(void)column;
	list_click(&((struct sources *)data)->list, row);
}

static int source_search(struct tui *tui, void *data, const char *text, int direction,
			 int from_here)
{
	struct sources *view = data;

	return list_search(tui, view, &view->list, &rows, text, direction, from_here);
}

static int source_point(struct tui *tui, void *data, struct point *point)
{
	const struct sources *view = data;
	const struct source_line_cost *cost;

	if (!view->list.count)
		return 0;
	cost = cost_at(view, view->list.cursor);
	if (!cost)
		return 0;
	point->at = (struct frame_reference){cost->node, cost->frame};
	point_add_function(point, tui->picture->profile);
	return 1;
}

static size_t source_position(void *data)
{
	return ((const struct sources *)data)->list.cursor;
}

static void source_move_to(struct tui *tui, void *data, size_t position)
{
	(void)tui;
	list_move_to(&((struct sources *)data)->list, position);
}

static int source_write(struct tui *tui, void *data, FILE *out)
{
	struct sources *view = data;

	return list_write(tui, view, &view->list, &written_rows, out);
}

static void source_view_release(void *data)
{
	struct sources *view = data;

	free(view->name);
	source_release(&view->file);
	source_costs_release(&view->costs);
}

const struct view_ops view_source = {
    .name = "Source",
    .brief = "Src",
    .key = 'S',
    .help = "the source of what was under the cursor, with what its lines cost; n and N go to "
	    "the next that costs something",
    .data_bytes = sizeof(struct sources),
    .refresh = source_refresh,
    .follow = source_follow,
    .draw = source_draw,
    .act = source_act,
    .click = source_click,
    .search = source_search,
    .point = source_point,
    .position = source_position,
    .move_to = source_move_to,
    .write = source_write,
    .release = source_view_release,
};
