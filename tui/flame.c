/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tui/flame.h"

#include <stdlib.h>

#include "formats/error.h"

/* The column in which so much cost ends: what two boxes share is a border of both. */
static int column_of(const struct flame *flame, uint64_t cost)
{
	return (int)((unsigned __int128)cost * (unsigned)flame->width /
		     (flame->whole ? flame->whole : 1));
}

static int add_box(struct flame *flame, struct flame_box box)
{
	if (flame->box_count == flame->box_room) {
		size_t room = flame->box_room ? flame->box_room * 2 : 256;
		struct flame_box *larger = reallocarray(flame->boxes, room, sizeof(*larger));

		if (!larger)
			return ERROR_MEMORY;
		flame->boxes = larger;
		flame->box_room = room;
	}
	box.column = column_of(flame, box.start);
	box.width = column_of(flame, box.start + box.cost + box.base) - box.column;
	if (box.width) {
		flame->boxes[flame->box_count++] = box;
		flame->rows[flame->row_count - 1].count++;
	}
	return 0;
}

static int add_row(struct flame *flame)
{
	if (flame->row_count == flame->row_room) {
		size_t room = flame->row_room ? flame->row_room * 2 : 64;
		struct flame_row *larger = reallocarray(flame->rows, room, sizeof(*larger));

		if (!larger)
			return ERROR_MEMORY;
		flame->rows = larger;
		flame->row_room = room;
	}
	flame->rows[flame->row_count++] = (struct flame_row){.first = flame->box_count};
	return 0;
}

static uint64_t weight_of(const struct flame *flame, const struct tree_node *node)
{
	return cost_of(&node->cost, flame->kind) + cost_of(&node->base, flame->kind);
}

/* The children that have a width, the widest first. NULL when out of memory. */
static uint32_t *children_of(const struct flame *flame, uint32_t parent, size_t *found)
{
	const struct tree_node *nodes = flame->tree->nodes;
	const struct ordering ordering = {.kind = flame->kind, .sort_by = -1};
	struct cost_rank *ranks;
	size_t count = 0;

	*found = 0;
	for (uint32_t i = nodes[parent].first_child; i; i = nodes[i].next)
		count++;
	ranks = calloc(count + 1, sizeof(*ranks));
	if (!ranks)
		return NULL;
	for (uint32_t i = nodes[parent].first_child; i; i = nodes[i].next) {
		struct cost both = nodes[i].cost;

		cost_add(&both, &nodes[i].base);
		*found += cost_rank(&ranks[*found], &both, NULL, &ordering, i) != 0;
	}
	return cost_sort(ranks, *found);
}

/* In order of their widths: the first that is narrower than a column is followed by such alone. */
static int add_children(struct flame *flame, size_t parent)
{
	struct flame_box box = flame->boxes[parent];
	struct flame_box many = {.node = box.node, .parent = parent};
	uint64_t start = box.start;
	size_t found;
	uint32_t *order;
	int error = tree_expand(flame->tree, box.node);

	if (error)
		return error;
	order = children_of(flame, box.node, &found);
	if (!order)
		return ERROR_MEMORY;
	for (size_t i = 0; i < found && !error; i++) {
		const struct tree_node *node = &flame->tree->nodes[order[i]];
		uint64_t cost = cost_of(&node->cost, flame->kind);
		uint64_t base = cost_of(&node->base, flame->kind);

		if ((unsigned __int128)(cost + base) * (unsigned)flame->width < flame->whole) {
			many.many++;
			many.cost += cost;
			many.base += base;
			continue;
		}
		error = add_box(flame, (struct flame_box){.node = order[i],
							  .cost = cost,
							  .base = base,
							  .start = start,
							  .parent = parent});
		start += cost + base;
	}
	free(order);
	many.start = start;
	return error || !many.many ? error : add_box(flame, many);
}

int flame_init(struct flame *flame, struct tree *tree, uint32_t root, enum cost_kind kind,
	       int width)
{
	int error;

	*flame = (struct flame){.tree = tree, .kind = kind, .width = width};
	flame->whole = weight_of(flame, &tree->nodes[root]);
	error = add_row(flame);
	if (error)
		return error;
	error = add_box(flame, (struct flame_box){.node = root,
						  .cost = cost_of(&tree->nodes[root].cost, kind),
						  .base = cost_of(&tree->nodes[root].base, kind)});
	flame->finished = !flame->box_count;
	return error;
}

void flame_release(struct flame *flame)
{
	free(flame->boxes);
	free(flame->rows);
	*flame = (struct flame){0};
}

int flame_grow(struct flame *flame, size_t rows)
{
	while (flame->row_count && flame->row_count < rows && !flame->finished) {
		struct flame_row above = flame->rows[flame->row_count - 1];
		int error = add_row(flame);

		for (size_t i = above.first; i < above.first + above.count && !error; i++)
			if (!flame->boxes[i].many)
				error = add_children(flame, i);
		if (error || !flame->rows[flame->row_count - 1].count) {
			/* (a row that is not whole is none) */
			flame->box_count = flame->rows[--flame->row_count].first;
			flame->finished = 1;
		}
		if (error)
			return error;
	}
	return 0;
}

size_t flame_at(const struct flame *flame, size_t row, int column)
{
	size_t low, high, end;

	if (row >= flame->row_count)
		return FLAME_NONE;
	low = flame->rows[row].first;
	high = end = low + flame->rows[row].count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (flame->boxes[middle].column + flame->boxes[middle].width <= column)
			low = middle + 1;
		else
			high = middle;
	}
	return low < end && flame->boxes[low].column <= column ? low : FLAME_NONE;
}

size_t flame_row_of(const struct flame *flame, size_t box)
{
	size_t low = 0, high = flame->row_count;

	while (low + 1 < high) {
		size_t middle = low + (high - low) / 2;

		if (flame->rows[middle].first <= box)
			low = middle;
		else
			high = middle;
	}
	return low;
}

size_t flame_child(const struct flame *flame, size_t box)
{
	size_t row = flame_row_of(flame, box) + 1;

	if (row >= flame->row_count)
		return FLAME_NONE;
	for (size_t i = 0; i < flame->rows[row].count; i++)
		if (flame->boxes[flame->rows[row].first + i].parent == box)
			return flame->rows[row].first + i;
	return FLAME_NONE;
}
