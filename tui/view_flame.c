/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The top-down tree as boxes, callers above callees. The cursor is a node of the tree, not a box:
 * when the picture is drawn anew, wider or of another root or cost, it is looked for from the root
 * on, and where its box became too narrow, the cursor ends at the one around it.
 */
#include "tui/view.h"

#include <stdlib.h>
#include <string.h>

#include "formats/error.h"
#include "tui/flame_view.h"
#include "tui/point.h"
#include "tui/state.h"

/* --- the tree ----------------------------------------------------------------------------- */

static void forget_picture(struct flames *view)
{
	flame_release(&view->flame);
	view->box = FLAME_NONE;
	view->searched[0] = '\0';
}

static uint32_t depth_of(const struct tree *tree, uint32_t node)
{
	uint32_t depth = 0;

	for (; node; node = tree->nodes[node].parent)
		depth++;
	return depth;
}

static void flame_put_away(struct tui *tui, void *data)
{
	struct flames *view = data;

	(void)tui;
	if (!view->made)
		return;
	branches_add_way(&view->way, &view->tree, view->cursor);
	view->root = depth_of(&view->tree, view->root);
	for (size_t i = 0; i < view->zoom_count; i++)
		view->zoomed[i] = depth_of(&view->tree, view->zoomed[i]);
	forget_picture(view);
	tree_release(&view->tree);
	view->made = 0;
}

/* As far as this tree has what was kept. */
static void find_kept(struct flames *view)
{
	uint32_t *found = calloc(view->way.count + 1, sizeof(*found)), last = 0;

	if (found)
		branches_find(&view->way, &view->tree, found);
	while (found && last + 1 < view->way.count && found[last + 1] != BRANCH_NONE)
		last++;
	view->cursor = found ? found[last] : 0;
	view->root = found ? found[view->root < last ? view->root : last] : 0;
	for (size_t i = 0; i < view->zoom_count; i++)
		view->zoomed[i] =
		    found ? found[view->zoomed[i] < last ? view->zoomed[i] : last] : 0;
	free(found);
	branches_release(&view->way);
}

/* The tree stays when nothing but the cost is another. */
static int flame_refresh(struct tui *tui, void *data)
{
	struct flames *view = data;
	int error;

	forget_picture(view);
	if (view->made)
		return 0;
	picture_forget_sites(tui->picture);
	error =
	    tree_init(&view->tree, tui->picture->profile, &tui->picture->lens, TREE_TOP_DOWN, NULL);
	if (error) {
		tree_release(&view->tree);
		return error;
	}
	view->made = 1;
	find_kept(view);
	return 0;
}

/* --- the boxes ---------------------------------------------------------------------------- */

const struct flame_box *flames_box(const struct flames *view)
{
	return view->box == FLAME_NONE ? NULL : &view->flame.boxes[view->box];
}

void flames_grow(struct tui *tui, struct flames *view, size_t rows)
{
	int error = flame_grow(&view->flame, rows);

	if (error)
		tui_message(tui, "%s", error_text(error));
}

/* The box of the cursor, or the one around it. */
static void find_box(struct tui *tui, struct flames *view)
{
	uint32_t depth = depth_of(&view->tree, view->cursor), row = 0;
	uint32_t *nodes = calloc((size_t)depth + 1, sizeof(*nodes)), at = depth;

	view->box = view->flame.box_count ? 0 : FLAME_NONE;
	/* from the root of the picture on */
	for (uint32_t i = view->cursor; nodes && at; i = view->tree.nodes[i].parent)
		nodes[at--] = i;
	while (nodes && at <= depth && nodes[at] != view->root)
		at++;
	for (at++; nodes && view->box != FLAME_NONE && at <= depth; at++) {
		const struct flame_row *below;
		size_t i;

		flames_grow(tui, view, ++row + 1);
		if (row >= view->flame.row_count)
			break;
		below = &view->flame.rows[row];
		for (i = below->first; i < below->first + below->count; i++)
			if (view->flame.boxes[i].node == nodes[at] && !view->flame.boxes[i].many)
				break;
		if (i == below->first + below->count)
			break;
		view->box = i;
	}
	if (view->box != FLAME_NONE)
		view->cursor = view->flame.boxes[view->box].node;
	free(nodes);
}

int flames_lay_out(struct tui *tui, struct flames *view, int width)
{
	int error;

	if (view->flame.rows && view->width == width)
		return 0;
	view->width = width;
	flame_release(&view->flame);
	error = flame_init(&view->flame, &view->tree, view->root, tui->cost, width);
	if (!error)
		find_box(tui, view);
	return error;
}

static void set_root(struct flames *view, uint32_t root)
{
	view->root = root;
	view->top = 0;
	forget_picture(view);
}

static void zoom_in(struct flames *view)
{
	const struct flame_box *box = flames_box(view);

	if (!box || box->node == view->root)
		return;
	if (view->zoom_count == FLAMES_ZOOMS)
		memmove(view->zoomed, view->zoomed + 1, --view->zoom_count * sizeof(*view->zoomed));
	view->zoomed[view->zoom_count++] = view->root;
	view->cursor = box->node;
	set_root(view, box->node);
}

static int zoom_back(struct flames *view)
{
	if (!view->zoom_count)
		return 0;
	set_root(view, view->zoomed[--view->zoom_count]);
	return 1;
}

static void zoom_out(struct flames *view, int all)
{
	if (!view->root)
		return;
	if (all)
		view->zoom_count = 0;
	else if (view->zoom_count &&
		 view->zoomed[view->zoom_count - 1] == view->tree.nodes[view->root].parent)
		view->zoom_count--;
	set_root(view, all ? 0 : view->tree.nodes[view->root].parent);
}

static void go_to(struct flames *view, size_t box)
{
	if (box == FLAME_NONE)
		return;
	view->box = box;
	view->cursor = view->flame.boxes[box].node;
}

static void go_aside(struct flames *view, int direction)
{
	const struct flame_row *row = &view->flame.rows[flame_row_of(&view->flame, view->box)];

	if (direction < 0 ? view->box > row->first : view->box + 1 < row->first + row->count)
		go_to(view, view->box + (direction < 0 ? (size_t)-1 : 1));
}

static int go_down(struct tui *tui, struct flames *view)
{
	size_t child;

	flames_grow(tui, view, flame_row_of(&view->flame, view->box) + 2);
	child = flame_child(&view->flame, view->box);
	go_to(view, child);
	return child != FLAME_NONE;
}

static void go_rows(struct tui *tui, struct flames *view, int rows)
{
	for (; rows < 0; rows++)
		go_to(view, flames_box(view)->parent);
	for (; rows > 0 && go_down(tui, view); rows--)
		;
}

/* --- searching ---------------------------------------------------------------------------- */

struct wanted {
	const struct profile *profile;
	const uint8_t *marks;
};

static uint8_t judge(const struct profile_frame *frame, const char *text)
{
	return frame->function && tui_matches(text, frame->function);
}

static const uint8_t *marks_for(const struct tui *tui, struct flames *view, const char *text)
{
	return marks_of(&view->marks, tui->picture->profile, tui->picture_number, text, judge);
}

static uint32_t group_of(void *context, uint32_t node, uint32_t frame)
{
	const struct wanted *wanted = context;
	const struct profile_frame *known = captions_frame(wanted->profile, node, frame);

	return known && wanted->marks[known - wanted->profile->frames] ? 0 : TREE_NO_GROUP;
}

int flames_box_matches(const struct tui *tui, struct flames *view, size_t index, const char *text)
{
	const struct flame_box *box = &view->flame.boxes[index];
	const struct tree_node *node = &view->tree.nodes[box->node];
	struct wanted wanted = {tui->picture->profile, NULL};

	if (box->many || !*text)
		return 0;
	wanted.marks = marks_for(tui, view, text);
	return wanted.marks && !group_of(&wanted, node->node, node->frame);
}

/* What a search finds counts once for each stack, whether its boxes can be seen or not. */
void flames_sum_search(struct tui *tui, struct flames *view, const char *text)
{
	struct wanted wanted = {tui->picture->profile, NULL};

	if (view->searched_root == view->root && !strcmp(view->searched, text))
		return;
	wanted.marks = marks_for(tui, view, text);
	if (!wanted.marks ||
	    tree_sum_groups(&view->tree, view->root, group_of, &wanted, &view->found, 1))
		return;
	snprintf(view->searched, sizeof(view->searched), "%s", text);
	view->searched_root = view->root;
}

static int flame_search(struct tui *tui, void *data, const char *text, int direction, int from_here)
{
	struct flames *view = data;
	size_t count, box;

	if (flames_lay_out(tui, view, view->width > 0 ? view->width : 1))
		return 0;
	flames_grow(tui, view, SIZE_MAX);
	count = view->flame.box_count;
	box = view->box;
	if (box == FLAME_NONE)
		return 0;
	if (!from_here)
		box = (box + (direction > 0 ? 1 : count - 1)) % count;
	for (size_t left = count; left; left--) {
		if (flames_box_matches(tui, view, box, text)) {
			go_to(view, box);
			return 1;
		}
		box = (box + (direction > 0 ? 1 : count - 1)) % count;
	}
	flames_sum_search(tui, view, text);
	if (!cost_of(&view->found.cost, tui->cost) && !cost_of(&view->found.base, tui->cost))
		return 0;
	tui_message(tui, "what is found is too narrow to be seen: zoom in with Enter");
	return 1;
}

/* --- the view ----------------------------------------------------------------------------- */

static int move(struct tui *tui, struct flames *view, enum action action)
{
	int page = view->rows > 1 ? view->rows - 1 : 1;

	switch (action) {
	case ACTION_LEFT:
		go_aside(view, -1);
		return 1;
	case ACTION_RIGHT:
		go_aside(view, 1);
		return 1;
	case ACTION_UP:
	case ACTION_WHEEL_UP:
		go_rows(tui, view, -1);
		return 1;
	case ACTION_DOWN:
	case ACTION_WHEEL_DOWN:
		go_rows(tui, view, 1);
		return 1;
	case ACTION_PAGE_UP:
		go_rows(tui, view, -page);
		return 1;
	case ACTION_PAGE_DOWN:
		go_rows(tui, view, page);
		return 1;
	case ACTION_FIRST:
		go_to(view, 0);
		return 1;
	case ACTION_LAST:
	case ACTION_HOTTEST:
		while (go_down(tui, view))
			;
		return 1;
	default:
		return 0;
	}
}

static int flame_act(struct tui *tui, void *data, enum action action)
{
	struct flames *view = data;

	if (view->width < 1 || flames_lay_out(tui, view, view->width))
		return 0;
	if (view->box != FLAME_NONE && move(tui, view, action))
		return 1;
	switch (action) {
	case ACTION_OPEN:
	case ACTION_ZOOM_IN:
		zoom_in(view);
		return 1;
	case ACTION_BACK:
		return zoom_back(view);
	case ACTION_ZOOM_OUT:
		zoom_out(view, 0);
		return 1;
	case ACTION_ZOOM_ALL:
		zoom_out(view, 1);
		return 1;
	default:
		return 0;
	}
}

static void flame_click(struct tui *tui, void *data, int row, int column)
{
	struct flames *view = data;
	size_t box;

	(void)tui;
	if (row < view->first || !view->flame.rows)
		return;
	box = flame_at(&view->flame, view->top + (size_t)(row - view->first), column);
	if (box != FLAME_NONE && box == view->box)
		zoom_in(view);
	else
		go_to(view, box);
}

static int flame_point(struct tui *tui, void *data, struct point *point)
{
	const struct flames *view = data;
	const struct flame_box *box = flames_box(view);

	if (!box || !box->node)
		return 0;
	point->at = (struct frame_reference){view->tree.nodes[box->node].node,
					     view->tree.nodes[box->node].frame};
	point_add_function(point, tui->picture->profile);
	return 1;
}

static void flame_view_release(void *data)
{
	struct flames *view = data;

	flame_release(&view->flame);
	if (view->made)
		tree_release(&view->tree);
	branches_release(&view->way);
	marks_release(&view->marks);
}

const struct view_ops view_flame = {
    .name = "Flame",
    .key = '7',
    .help = "the tree as boxes, as wide as their cost: arrows go from box to box, Enter makes one "
	    "the whole picture, Backspace goes back; x: down the widest",
    .data_bytes = sizeof(struct flames),
    .refresh = flame_refresh,
    .put_away = flame_put_away,
    .draw = flames_draw,
    .act = flame_act,
    .click = flame_click,
    .search = flame_search,
    .point = flame_point,
    .write = flames_write,
    .release = flame_view_release,
};
