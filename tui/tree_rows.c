/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tui/tree_rows.h"

#include <stdlib.h>
#include <string.h>

#include "formats/error.h"
#include "tui/point.h"
#include "tui/state.h"

/* --- costs of a row ------------------------------------------------------------------------ */

static void costs_of(const struct tree_rows *rows, const struct tree_row *row, struct cost *cost,
		     struct cost *base)
{
	const struct tree_node *node = &rows->tree.nodes[row->node];

	*cost = row->kind == TREE_ROW_NODE     ? node->cost
		: row->kind == TREE_ROW_ITSELF ? node->own
					       : rows->others[row->others].cost;
	*base = row->kind == TREE_ROW_NODE     ? node->base
		: row->kind == TREE_ROW_ITSELF ? node->own_base
					       : rows->others[row->others].base;
}

/* Something that a row would show. */
static int has_cost(const struct tree_rows *rows, const struct cost *cost, const struct cost *base)
{
	enum cost_kind kind = rows->ordering.kind;

	if (rows->ordering.difference)
		return cost_difference(cost, base, kind) != 0;
	return cost_present(cost, kind);
}

int tree_rows_is_open(const struct tree_rows *rows, size_t row)
{
	const struct tree_row *at = &rows->rows[row];

	return at->kind == TREE_ROW_NODE && at->node < rows->open_room && rows->open[at->node];
}

int tree_rows_can_open(const struct tree_rows *rows, size_t row)
{
	const struct tree_row *at = &rows->rows[row];
	const struct tree_node *node = &rows->tree.nodes[at->node];
	struct cost cost = node->cost, base = node->base;

	if (at->kind != TREE_ROW_NODE)
		return 0;
	cost_subtract(&cost, &node->own);
	cost_subtract(&base, &node->own_base);
	/* of a diff growth and shrinkage below may make 0 together */
	if (rows->ordering.difference)
		return cost_present(&cost, rows->ordering.kind) ||
		       cost_present(&base, rows->ordering.kind);
	return cost_present(&cost, rows->ordering.kind);
}

/* --- unfolding ----------------------------------------------------------------------------- */

static int reserve_rows(struct tree_rows *rows, size_t more)
{
	size_t wanted = rows->count + more;
	struct tree_row *larger;

	if (wanted <= rows->room)
		return 0;
	wanted += wanted / 2 + 64;
	larger = reallocarray(rows->rows, wanted, sizeof(*larger));
	if (!larger)
		return ERROR_MEMORY;
	rows->rows = larger;
	rows->room = wanted;
	return 0;
}

static int set_open(struct tree_rows *rows, uint32_t node, int open)
{
	if (node >= rows->open_room) {
		size_t room = (size_t)node + node / 2 + 256;
		uint8_t *larger = realloc(rows->open, room);

		if (!larger)
			return ERROR_MEMORY;
		memset(larger + rows->open_room, 0, room - rows->open_room);
		rows->open = larger;
		rows->open_room = room;
	}
	rows->open[node] = (uint8_t)open;
	return 0;
}

/* What the children that are listed leave of a node, beside its own. 1: there is something. */
static int make_others(struct tree_rows *rows, uint32_t parent, const uint32_t *listed,
		       size_t found, struct tree_others_row *others)
{
	const struct tree_node *nodes = rows->tree.nodes, *node = &nodes[parent];

	*others = (struct tree_others_row){.cost = node->cost, .base = node->base};
	cost_subtract(&others->cost, &node->own);
	cost_subtract(&others->base, &node->own_base);
	others->count = tree_child_count(&rows->tree, parent) - found;
	for (size_t i = 0; others->count && i < found; i++) {
		cost_subtract(&others->cost, &nodes[listed[i]].cost);
		cost_subtract(&others->base, &nodes[listed[i]].base);
	}
	return others->count && has_cost(rows, &others->cost, &others->base);
}

static int keep_others(struct tree_rows *rows, const struct tree_others_row *others)
{
	if (rows->others_count == rows->others_room) {
		size_t room = rows->others_room * 2 + 16;
		struct tree_others_row *larger = reallocarray(rows->others, room, sizeof(*larger));

		if (!larger)
			return ERROR_MEMORY;
		rows->others = larger;
		rows->others_room = room;
	}
	rows->others[rows->others_count++] = *others;
	return 0;
}

static int insert_children(struct tree_rows *rows, size_t row, const uint32_t *children,
			   size_t found)
{
	const uint32_t parent = rows->rows[row].node, depth = rows->rows[row].depth + 1;
	const struct tree_node *node = &rows->tree.nodes[parent];
	struct tree_others_row others;
	int rest = make_others(rows, parent, children, found, &others);
	int itself = node->first_child && has_cost(rows, &node->own, &node->own_base);
	size_t more = found + (size_t)rest + (size_t)itself;
	int error = reserve_rows(rows, more);
	struct tree_row *at;

	if (!error && rest)
		error = keep_others(rows, &others);
	if (error)
		return error;
	at = &rows->rows[row + 1];
	memmove(at + more, at, (rows->count - row - 1) * sizeof(*at));
	rows->count += more;
	for (size_t i = 0; i < found; i++)
		*at++ = (struct tree_row){.node = children[i], .depth = depth};
	if (rest)
		*at++ = (struct tree_row){.node = parent,
					  .depth = depth,
					  .others = (uint32_t)(rows->others_count - 1),
					  .kind = TREE_ROW_OTHERS};
	if (itself)
		*at = (struct tree_row){.node = parent, .depth = depth, .kind = TREE_ROW_ITSELF};
	return 0;
}

/* Its rows are not there yet. */
static int unfold(struct tree_rows *rows, size_t row)
{
	uint32_t node = rows->rows[row].node;
	size_t found;
	uint32_t *children = tree_sorted(&rows->tree, node, &rows->ordering, &found);
	int error = children ? insert_children(rows, row, children, found) : ERROR_MEMORY;

	free(children);
	return error ? error : set_open(rows, node, 1);
}

int tree_rows_unfold(struct tree_rows *rows, size_t row)
{
	if (tree_rows_is_open(rows, row) || !tree_rows_can_open(rows, row))
		return 0;
	return unfold(rows, row);
}

/* What is unfolded below is forgotten. */
void tree_rows_fold(struct tree_rows *rows, size_t row)
{
	size_t end = row + 1;

	if (!tree_rows_is_open(rows, row))
		return;
	for (; end < rows->count && rows->rows[end].depth > rows->rows[row].depth; end++)
		if (rows->rows[end].kind == TREE_ROW_NODE)
			set_open(rows, rows->rows[end].node, 0);
	set_open(rows, rows->rows[row].node, 0);
	memmove(&rows->rows[row + 1], &rows->rows[end], (rows->count - end) * sizeof(*rows->rows));
	rows->count -= end - row - 1;
}

size_t tree_rows_parent(const struct tree_rows *rows, size_t row)
{
	size_t at = row;

	while (at && rows->rows[at].depth >= rows->rows[row].depth)
		at--;
	return at;
}

int tree_rows_unfold_hottest(struct tree_rows *rows, size_t row, size_t *end)
{
	int error = 0;

	*end = row;
	while (!error && tree_rows_can_open(rows, *end)) {
		error = tree_rows_unfold(rows, *end);
		if (error || *end + 1 == rows->count ||
		    rows->rows[*end + 1].depth <= rows->rows[*end].depth ||
		    rows->rows[*end + 1].kind != TREE_ROW_NODE)
			break;
		++*end;
	}
	return error;
}

size_t tree_rows_find(const struct tree_rows *rows, uint32_t node)
{
	while (node) {
		for (size_t i = 0; i < rows->count; i++)
			if (rows->rows[i].kind == TREE_ROW_NODE && rows->rows[i].node == node)
				return i;
		node = rows->tree.nodes[node].parent;
	}
	return 0;
}

/* --- making -------------------------------------------------------------------------------- */

/* All rows, from the root, of what is unfolded. */
static int rebuild(struct tree_rows *rows)
{
	int error = reserve_rows(rows, 1);

	if (error)
		return error;
	rows->rows[0] = (struct tree_row){.kind = TREE_ROW_NODE};
	rows->count = 1;
	rows->others_count = 0;
	for (size_t i = 0; i < rows->count && !error; i++)
		if (tree_rows_is_open(rows, i))
			error = unfold(rows, i);
	return error;
}

int tree_rows_order(struct tree_rows *rows, const struct tui *tui, enum cost_kind kind)
{
	rows->ordering = tui_ordering(tui, kind);
	rows->count = 0;
	return rebuild(rows);
}

/* In order: a parent is in front of its children. */
static void unfold_kept(struct tree_rows *rows)
{
	rows->found = calloc(rows->kept.count + 1, sizeof(*rows->found));
	if (!rows->found)
		return;
	branches_find(&rows->kept, &rows->tree, rows->found);
	for (size_t i = 0; i < rows->kept.count; i++)
		if (rows->found[i] != BRANCH_NONE && (!i || i != rows->kept_cursor))
			set_open(rows, rows->found[i], 1);
}

static void release_tree(struct tree_rows *rows)
{
	if (rows->made)
		tree_release(&rows->tree);
	free(rows->rows);
	free(rows->open);
	free(rows->others);
	free(rows->found);
	*rows = (struct tree_rows){.kept = rows->kept, .kept_cursor = rows->kept_cursor};
}

int tree_rows_make(struct tree_rows *rows, const struct tui *tui, enum tree_direction direction,
		   const char *function, enum cost_kind kind)
{
	int error;

	release_tree(rows);
	picture_forget_sites(tui->picture);
	rows->made = 1;
	rows->direction = direction;
	rows->root = "[all]";
	error =
	    tree_init(&rows->tree, tui->picture->profile, &tui->picture->lens, direction, function);
	if (!error)
		error = set_open(rows, 0, 1);
	if (error)
		return error;
	unfold_kept(rows);
	return tree_rows_order(rows, tui, kind);
}

/* By node of the tree its index among branches, all of those that are unfolded. What was kept
 * before and this tree does not have is kept on. */
static void keep_unfolded(struct tree_rows *rows, struct branches *kept, uint32_t *index,
			  uint32_t *moved)
{
	const struct tree *tree = &rows->tree;

	for (size_t i = 0; i < tree->count; i++)
		index[i] = BRANCH_NONE;
	index[0] = branches_add(kept, 0, 0);
	for (uint32_t i = 1; i < tree->count && i < rows->open_room; i++)
		if (rows->open[i])
			index[i] =
			    branches_add(kept, index[tree->nodes[i].parent], tree_place(tree, i));
	for (size_t i = 0; i < rows->kept.count && rows->found; i++) {
		const struct branch *branch = &rows->kept.list[i];

		moved[i] = BRANCH_NONE;
		if (rows->found[i] != BRANCH_NONE)
			moved[i] = index[rows->found[i]];
		else if (i != rows->kept_cursor)
			moved[i] = branches_add(kept, moved[branch->parent], branch->place);
	}
}

void tree_rows_put_away(struct tree_rows *rows, size_t row)
{
	struct branches kept = {0};
	uint32_t node = row < rows->count ? rows->rows[row].node : 0, cursor = 0;
	uint32_t *index, *moved;

	if (!rows->made)
		return;
	index = rows->tree.count ? calloc(rows->tree.count, sizeof(*index)) : NULL;
	moved = calloc(rows->kept.count + 1, sizeof(*moved));
	if (index && moved) {
		keep_unfolded(rows, &kept, index, moved);
		if (node)
			cursor = branches_add(&kept, index[rows->tree.nodes[node].parent],
					      tree_place(&rows->tree, node));
		branches_release(&rows->kept);
		rows->kept = kept;
		rows->kept_cursor = cursor == BRANCH_NONE ? 0 : cursor;
	}
	free(index);
	free(moved);
	release_tree(rows);
}

size_t tree_rows_kept_row(const struct tree_rows *rows)
{
	uint32_t at = rows->kept_cursor;

	if (!rows->found || at >= rows->kept.count)
		return 0;
	while (at && rows->found[at] == BRANCH_NONE)
		at = rows->kept.list[at].parent;
	return tree_rows_find(rows, rows->found[at]);
}

void tree_rows_release(struct tree_rows *rows)
{
	release_tree(rows);
	branches_release(&rows->kept);
	*rows = (struct tree_rows){0};
}

/* --- drawing ------------------------------------------------------------------------------ */

/* Deep rows are moved to the left, as far as all that are in sight allow. */
void tree_rows_indent(const struct tree_rows *rows, size_t first, size_t end, int width,
		      uint32_t *least, int *step)
{
	uint32_t most = 0;

	*least = UINT32_MAX;
	for (size_t i = first; i < end && i < rows->count; i++) {
		if (rows->rows[i].depth < *least)
			*least = rows->rows[i].depth;
		if (rows->rows[i].depth > most)
			most = rows->rows[i].depth;
	}
	*step = 2;
	if (*least == UINT32_MAX || most * 2 <= (unsigned)width / 3)
		*least = 0;
	else if ((most - *least) * 2 > (unsigned)width / 2)
		*step = 1;
}

static const char *name_of(struct tui *tui, const struct tree_rows *rows,
			   const struct tree_row *row, char *text, size_t size)
{
	const struct tree_node *node = &rows->tree.nodes[row->node];

	if (row->kind == TREE_ROW_ITSELF)
		return "[itself]";
	if (row->kind == TREE_ROW_OTHERS) {
		snprintf(text, size, "[%zu others]", rows->others[row->others].count);
		return text;
	}
	if (!row->node)
		return rows->root;
	return captions_both(&tui->captions, tui->picture->profile, node->node, node->frame);
}

void tree_rows_draw(struct tui *tui, const struct tree_rows *rows, size_t row,
		    const struct columns *columns, const struct canvas *canvas, int shift,
		    uint32_t least, int step)
{
	const struct tree_row *at = &rows->rows[row];
	int column = columns->width, room = canvas->columns - columns->width;
	int indent = (int)(at->depth - least) * step;
	struct cost cost, base;
	char text[64];

	costs_of(rows, at, &cost, &base);
	columns_draw(columns, tui, canvas, 0, &cost, &base);
	column += indent < room * 2 / 3 ? indent : room * 2 / 3;
	if (tree_rows_can_open(rows, row)) {
		int open = tree_rows_is_open(rows, row);

		canvas_symbol(canvas, 0, column, ROLE_KEY, open ? L'▾' : L'▸', open ? '-' : '+');
	}
	if (at->kind == TREE_ROW_NODE && at->node)
		columns_name(tui, canvas, column + 2, rows->tree.nodes[at->node].node,
			     rows->tree.nodes[at->node].frame, shift);
	else
		canvas_text_from(canvas, 0, column + 2, canvas->columns - column - 2,
				 at->kind == TREE_ROW_NODE ? ROLE_NORMAL : ROLE_DIM,
				 name_of(tui, rows, at, text, sizeof(text)), shift);
}

void tree_rows_write(struct tui *tui, const struct tree_rows *rows, size_t row, int costs,
		     FILE *out)
{
	const struct tree_row *at = &rows->rows[row];
	struct cost cost, base;
	char text[64];

	if (costs) {
		costs_of(rows, at, &cost, &base);
		columns_write(tui, rows->ordering.kind, &cost, &base, out);
		fprintf(out, "%*s", (int)(at->depth < 60 ? at->depth * 2 : 120), "");
	}
	fputs(name_of(tui, rows, at, text, sizeof(text)), out);
}

int tree_rows_may_have(struct tui *tui, const struct tree_rows *rows, size_t row,
		       const char *letters)
{
	const struct tree_row *at = &rows->rows[row];
	const struct tree_node *node = &rows->tree.nodes[at->node];

	return at->kind != TREE_ROW_NODE || !at->node ||
	       captions_may_have(&tui->captions, tui->picture->profile, tui->picture_number,
				 &(struct frame_reference){node->node, node->frame}, letters);
}

/* --- points ------------------------------------------------------------------------------- */

/* Bottom-up the rows above are the frames further in: a stack begins with the first of them. */
int tree_rows_point(const struct tui *tui, const struct tree_rows *rows, size_t row,
		    struct point_stacks *inner, struct point *point)
{
	const struct tree_row *at = &rows->rows[row];
	const struct tree_node *nodes = rows->tree.nodes;
	uint32_t depth = at->depth;

	if (at->kind == TREE_ROW_OTHERS || !at->node || !nodes[at->node].node)
		return 0;
	point->at = (struct frame_reference){nodes[at->node].node, nodes[at->node].frame};
	point_add_function(point, tui->picture->profile);
	if (rows->direction == TREE_TOP_DOWN || depth < 2)
		return 1;
	if (!point_room(inner, depth))
		return 0;
	point->inner_count = at->kind == TREE_ROW_ITSELF ? depth - 2 : depth - 1;
	for (uint32_t i = (uint32_t)point->inner_count, node = nodes[at->node].parent; i--;
	     node = nodes[node].parent)
		inner->list[i] = (struct frame_reference){nodes[node].node, nodes[node].frame};
	point->inner = inner->list;
	return 1;
}
