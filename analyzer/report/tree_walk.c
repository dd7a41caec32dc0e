/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/report/tree_walk.h"

#include <stdlib.h>

#include "formats/error.h"

/* A node whose children are being shown. */
struct level {
	uint32_t node; /* (nodes move as the tree grows) */
	uint32_t *order;
	size_t count, next, shown;
	struct tree_others others;
};

struct walk {
	const struct report *report;
	struct tree *tree;
	enum cost_kind kind;
	uint64_t least;
	struct level *levels;
	size_t depth, room;
};

/* At first all children are others, those that have nothing of this kind included. */
static void begin_others(const struct tree *tree, struct level *level)
{
	const struct tree_node *node = &tree->nodes[level->node];

	for (uint32_t child = node->first_child; child; child = tree->nodes[child].next)
		level->others.count++;
	level->others.cost = node->cost;
	level->others.base = node->base;
	cost_subtract(&level->others.cost, &node->own);
	cost_subtract(&level->others.base, &node->own_base);
}

static int push(struct walk *walk, uint32_t index)
{
	const struct ordering ordering = {
	    .kind = walk->kind,
	    .sort_by = -1,
	    .difference = walk->report->diff,
	};
	struct level *level;

	if (walk->depth == walk->room) {
		size_t room = walk->room ? walk->room * 2 : 64;
		struct level *larger = reallocarray(walk->levels, room, sizeof(*larger));

		if (!larger)
			return ERROR_MEMORY;
		walk->levels = larger;
		walk->room = room;
	}
	level = &walk->levels[walk->depth];
	*level = (struct level){.node = index};
	level->order = tree_sorted(walk->tree, index, &ordering, &level->count);
	if (!level->order)
		return ERROR_MEMORY;
	begin_others(walk->tree, level);
	walk->depth++;
	return 0;
}

static int is_shown(const struct walk *walk, const struct level *level,
		    const struct tree_node *node)
{
	int64_t figure = report_figure(walk->report, &node->cost, &node->base, walk->kind);
	uint64_t size = figure < 0 ? -(uint64_t)figure : (uint64_t)figure;

	return level->shown < walk->report->options->entries && size >= walk->least;
}

static void show(struct level *level, const struct tree_node *node)
{
	level->shown++;
	level->others.count--;
	cost_subtract(&level->others.cost, &node->cost);
	cost_subtract(&level->others.base, &node->base);
}

int tree_walk(const struct report *report, struct tree *tree, enum cost_kind kind, uint64_t least,
	      const struct tree_visitor *visitor, void *context)
{
	struct walk walk = {.report = report, .tree = tree, .kind = kind, .least = least};
	int error;

	visitor->enter(context, &tree->nodes[0], 0);
	error = push(&walk, 0);
	while (!error && walk.depth) {
		struct level *level = &walk.levels[walk.depth - 1];

		if (level->next < level->count) {
			uint32_t index = level->order[level->next++];
			const struct tree_node *node = &tree->nodes[index];

			if (!is_shown(&walk, level, node))
				continue;
			show(level, node);
			visitor->enter(context, node, walk.depth);
			error = push(&walk, index);
			continue;
		}
		visitor->others(context, &level->others, walk.depth);
		visitor->leave(context, &tree->nodes[level->node], --walk.depth);
		free(level->order);
	}
	while (walk.depth)
		free(walk.levels[--walk.depth].order);
	free(walk.levels);
	return error;
}
