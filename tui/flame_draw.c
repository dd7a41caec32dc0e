/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The flame graph on the screen, and as text. */
#include "tui/flame_view.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/query/names.h"
#include "formats/error.h"
#include "formats/numbers.h"
#include "tui/columns.h"
#include "tui/state.h"

enum { LEAST_ROWS = 5, LEAST_NAME = 3, NAME_BYTES = 4096 };

/* Of a diff first what it is about. */
static void print_figures(const struct tui *tui, FILE *out, uint64_t now, uint64_t before)
{
	int64_t difference = (int64_t)(now - before);

	if (tui_is_diff(tui))
		fprintf(out, "%s%s, base %s, new ", difference > 0 ? "+" : "",
			columns_figure(tui->cost, difference).text,
			columns_figure(tui->cost, (int64_t)before).text);
	fputs(columns_figure(tui->cost, (int64_t)now).text, out);
}

static void print_cost(const struct tui *tui, FILE *out, const struct cost *cost,
		       const struct cost *base)
{
	print_figures(tui, out, cost_of(cost, tui->cost), cost_of(base, tui->cost));
}

static const char *share_of(const struct tui *tui, const struct flames *view, uint64_t cost,
			    struct number_text *text)
{
	*text =
	    number_percent((int64_t)cost, (int64_t)cost_of(&view->tree.nodes[0].cost, tui->cost));
	return text->text;
}

/* The name of a frame, "everything" for the root. */
static const char *name_of(struct tui *tui, const struct tree_node *node)
{
	if (!node->node && !node->frame && !node->parent)
		return "everything";
	return captions_both(&tui->captions, tui->picture->profile, node->node, node->frame);
}

static void describe_box(struct tui *tui, struct flames *view, FILE *out)
{
	const struct flame_box *box = flames_box(view);
	const struct tree_node *node;
	struct number_text share;
	uint64_t own;

	if (!box) {
		fprintf(out, "nothing: %s is 0 here", cost_name(tui->cost));
		return;
	}
	node = &view->tree.nodes[box->node];
	if (box->many) {
		print_figures(tui, out, box->cost, box->base);
		fprintf(out, " %s  %u callees of %s, each too narrow to be shown",
			share_of(tui, view, box->cost, &share), box->many, name_of(tui, node));
		return;
	}
	print_cost(tui, out, &node->cost, &node->base);
	fprintf(out, " %s", share_of(tui, view, box->cost, &share));
	own = cost_of(&node->own, tui->cost);
	if (own && box->node)
		fprintf(out, ", itself %s", columns_figure(tui->cost, (int64_t)own).text);
	fprintf(out, "  %s", name_of(tui, node));
}

static void describe_picture(struct tui *tui, struct flames *view, FILE *out)
{
	struct number_text share;

	if (*tui->search) {
		flames_sum_search(tui, view, tui->search);
		fprintf(out, "'%s' in ", tui->search);
		print_cost(tui, out, &view->found.cost, &view->found.base);
		fprintf(out, " %s  ",
			share_of(tui, view, cost_of(&view->found.cost, tui->cost), &share));
	}
	if (view->root)
		fprintf(out, "below %s (Backspace: out)",
			name_of(tui, &view->tree.nodes[view->root]));
	else if (!*tui->search)
		fprintf(out, "%s%s, callers above callees; Enter zooms", cost_name(tui->cost),
			tui_is_diff(tui) ? " of base and new together" : "");
}

static void draw_line(struct tui *tui, struct flames *view, const struct canvas *canvas, int row,
		      enum role role, void (*describe)(struct tui *, struct flames *, FILE *))
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return;
	describe(tui, view, out);
	fclose(out);
	canvas_text(canvas, row, 0, canvas->columns, role, text ? text : "");
	free(text);
}

/* Of a diff by what changed, otherwise by how much is allocated right there. */
static enum role role_of(const struct tui *tui, const struct flames *view,
			 const struct tree_node *node)
{
	uint64_t own = cost_of(&node->own, tui->cost), whole = view->flame.whole;

	if (tui_is_diff(tui)) {
		int64_t difference = cost_difference(&node->cost, &node->base, tui->cost);

		return difference > 0   ? ROLE_BOX_GROWTH
		       : difference < 0 ? ROLE_BOX_SHRINK
					: ROLE_HEAT_0;
	}
	return !own               ? ROLE_HEAT_0
	       : own < whole / 50 ? ROLE_HEAT_1
	       : own < whole / 10 ? ROLE_HEAT_2
				  : ROLE_HEAT_3;
}

static const char *sign_of(const struct tui *tui, const struct tree_node *node)
{
	int64_t difference = cost_difference(&node->cost, &node->base, tui->cost);

	return !tui_is_diff(tui) || !difference ? "" : difference > 0 ? "+" : "-";
}

/* What fits: the whole name, the name without types and arguments, its last part alone. */
static void draw_name(struct tui *tui, const struct canvas *canvas, const struct tree_node *node,
		      enum role role)
{
	const struct profile_frame *frame =
	    captions_frame(tui->picture->profile, node->node, node->frame);
	const char *name =
	    captions_function(&tui->captions, tui->picture->profile, node->node, node->frame);
	int column = 1 + canvas_text(canvas, 0, 1, canvas->columns - 1, role, sign_of(tui, node));
	int width = canvas->columns - column;
	char bare[NAME_BYTES];

	if (width < LEAST_NAME)
		return;
	if (canvas_width(canvas, name) > width && frame && frame->function &&
	    strlen(frame->function) < sizeof(bare)) {
		name_bare(bare, frame->function);
		name = bare;
		for (const char *at = name;
		     canvas_width(canvas, name) > width && (at = strstr(at, "::")) && at[2];)
			name = at += 2;
	}
	canvas_text(canvas, 0, column, width, role, name);
}

/* The left border is what tells boxes apart without colours. */
static void draw_box(struct tui *tui, struct flames *view, const struct canvas *canvas,
		     size_t index)
{
	const struct flame_box *box = &view->flame.boxes[index];
	const struct tree_node *node = &view->tree.nodes[box->node];
	enum role role = box->many ? ROLE_DIM : role_of(tui, view, node);

	canvas_paint(canvas, 0, 0, canvas->columns, role);
	canvas_symbol(canvas, 0, 0, role, L'│', '|');
	if (box->many && canvas->columns > LEAST_NAME)
		canvas_print(canvas, 0, 1, canvas->columns - 1, role, "%u others", box->many);
	else if (!box->many && !box->node)
		canvas_text(canvas, 0, 1, canvas->columns - 1, role, "everything");
	else if (!box->many)
		draw_name(tui, canvas, node, role);
	if (flames_box_matches(tui, view, index, tui->search))
		canvas_flag(canvas, 0, 0, canvas->columns, CELL_MATCH);
	if (index == view->box)
		canvas_flag(canvas, 0, 0, canvas->columns, CELL_CURSOR);
}

/* What no callee has is the box's own, and a blank behind a border. */
static void draw_row(struct tui *tui, struct flames *view, const struct canvas *canvas, size_t row)
{
	const struct flame_row *boxes = &view->flame.rows[row];
	int end = 0;

	for (size_t i = boxes->first; i < boxes->first + boxes->count; i++) {
		const struct flame_box *box = &view->flame.boxes[i];
		struct canvas part = canvas_part(canvas, 0, box->column, 1, box->width);

		if (end && box->column > end)
			canvas_symbol(canvas, 0, end, ROLE_DIM, L'│', '|');
		draw_box(tui, view, &part, i);
		end = box->column + box->width;
	}
	if (end && end < canvas->columns)
		canvas_symbol(canvas, 0, end, ROLE_DIM, L'│', '|');
}

static void scroll(struct flames *view)
{
	size_t row = view->box == FLAME_NONE ? 0 : flame_row_of(&view->flame, view->box);
	size_t rows = view->rows > 0 ? (size_t)view->rows : 1;

	if (row < view->top)
		view->top = row;
	if (row - view->top >= rows)
		view->top = row - rows + 1;
}

void flames_draw(struct tui *tui, void *data, const struct canvas *canvas)
{
	struct flames *view = data;
	int error = canvas->columns > 0 ? flames_lay_out(tui, view, canvas->columns) : 0;

	if (error) {
		canvas_text(canvas, 0, 0, canvas->columns, ROLE_WARNING, error_text(error));
		return;
	}
	view->first = canvas->rows > LEAST_ROWS ? 2 : 1;
	view->rows = canvas->rows - view->first;
	draw_line(tui, view, canvas, 0, ROLE_HEADING, describe_box);
	if (view->first > 1)
		draw_line(tui, view, canvas, 1, ROLE_DIM, describe_picture);
	scroll(view);
	flames_grow(tui, view, view->top + (size_t)(view->rows > 0 ? view->rows : 0));
	for (int i = 0; i < view->rows && view->top + (size_t)i < view->flame.row_count; i++) {
		struct canvas row = canvas_part(canvas, view->first + i, 0, 1, canvas->columns);

		draw_row(tui, view, &row, view->top + (size_t)i);
	}
}

/* --- as text ------------------------------------------------------------------------------ */

static void write_box(struct tui *tui, const struct flames *view, const struct flame_box *box,
		      size_t depth, FILE *out)
{
	const struct tree_node *node = &view->tree.nodes[box->node];
	struct number_text share;

	if (tui_is_diff(tui))
		fprintf(out, "%12s ", columns_figure(tui->cost, (int64_t)box->base).text);
	fprintf(out, "%12s %8s  %*s", columns_figure(tui->cost, (int64_t)box->cost).text,
		share_of(tui, view, box->cost, &share), (int)depth, "");
	if (box->many)
		fprintf(out, "[%u others]\n", box->many);
	else
		fprintf(out, "%s%s\n", sign_of(tui, node), name_of(tui, node));
}

/* All boxes, callees below their callers: `next` is by row the first that was not written, and
 * `open` the one that was written last. */
int flames_write(struct tui *tui, void *data, FILE *out)
{
	struct flames *view = data;
	const struct flame *flame = &view->flame;
	size_t *next, *open, row = 0;
	int error = flames_lay_out(tui, view, view->width > 0 ? view->width : 1);

	if (error)
		return error;
	flames_grow(tui, view, SIZE_MAX);
	next = calloc(flame->row_count + 1, sizeof(*next));
	open = calloc(flame->row_count + 1, sizeof(*open));
	for (size_t i = 0; next && i < flame->row_count; i++)
		next[i] = flame->rows[i].first;
	if (tui_is_diff(tui))
		fprintf(out, "%12s ", "base");
	fprintf(out, "%12s %8s  function\n", tui_is_diff(tui) ? "new" : cost_name(tui->cost),
		"share");
	for (size_t left = next && open ? flame->box_count : 0; left; left--) {
		open[row] = next[row]++;
		write_box(tui, view, &flame->boxes[open[row]], row, out);
		for (row++; row; row--)
			if (row < flame->row_count &&
			    next[row] < flame->rows[row].first + flame->rows[row].count &&
			    flame->boxes[next[row]].parent == open[row - 1])
				break;
	}
	error = next && open ? 0 : ERROR_MEMORY;
	free(next);
	free(open);
	return error;
}
