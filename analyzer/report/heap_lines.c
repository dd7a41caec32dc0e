/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/report/heap_lines.h"

#include <stdlib.h>

#include "analyzer/query/tree.h"
#include "formats/error.h"

/*
 * The tree is that of a profile whose peak is the snapshot. A file says how deep
 * stacks are, so the walk keeps its levels on the heap.
 */

struct level {
	struct heap_line *lines;
	uint32_t *children; /* tree index of each line that is a frame */
	size_t count, next;
};

struct walker {
	struct tree tree;
	uint64_t least;
	size_t depth_limit;
	struct level *levels;
	size_t depth, room;
};

static int make_tree(struct tree *tree, const struct profile *profile,
		     const struct timeline_snapshot *snapshot, const struct lens *lens)
{
	struct profile instant = *profile;
	int error;

	instant.classes = calloc(profile->class_count, sizeof(*instant.classes));
	if (!instant.classes)
		return ERROR_MEMORY;
	for (size_t i = 1; i < profile->class_count; i++) {
		instant.classes[i].node = profile->classes[i].node;
		instant.classes[i].function = profile->classes[i].function;
		instant.classes[i].size = profile->classes[i].size;
		instant.classes[i].peak_live = snapshot->live[i];
	}
	error = tree_init(tree, &instant, lens, TREE_BOTTOM_UP, NULL);
	free(instant.classes);
	return error;
}

/* Lines are sorted by bytes; the one at the end goes to its place, behind its equals. */
static void settle_last(struct level *level)
{
	for (size_t i = level->count - 1; i > 0; i--) {
		struct heap_line line = level->lines[i];
		uint32_t child = level->children[i];

		if (level->lines[i - 1].bytes >= line.bytes)
			return;
		level->lines[i] = level->lines[i - 1];
		level->children[i] = level->children[i - 1];
		level->lines[i - 1] = line;
		level->children[i - 1] = child;
	}
}

static void add_line(struct level *level, struct heap_line line, uint32_t child)
{
	level->lines[level->count] = line;
	level->children[level->count++] = child;
	settle_last(level);
}

static struct level *push_level(struct walker *walker)
{
	if (walker->depth == walker->room) {
		size_t room = walker->room ? walker->room * 2 : 64;
		struct level *larger = reallocarray(walker->levels, room, sizeof(*larger));

		if (!larger)
			return NULL;
		walker->levels = larger;
		walker->room = room;
	}
	walker->levels[walker->depth] = (struct level){0};
	return &walker->levels[walker->depth++];
}

static void pop_level(struct walker *walker)
{
	struct level *level = &walker->levels[--walker->depth];

	free(level->lines);
	free(level->children);
}

static void fill_level(const struct walker *walker, struct level *level, uint32_t parent,
		       const uint32_t *order, size_t found)
{
	const struct tree_node *nodes = walker->tree.nodes;
	uint64_t rest = 0, ends = nodes[parent].own.peak_bytes;
	size_t kept = 0, places;

	for (; kept < found && nodes[order[kept]].cost.peak_bytes >= walker->least; kept++) {
		const struct tree_node *at = &nodes[order[kept]];

		add_line(level,
			 (struct heap_line){.kind = HEAP_LINE_FRAME,
					    .depth = walker->depth,
					    .bytes = at->cost.peak_bytes,
					    .node = at->node,
					    .frame = at->frame},
			 order[kept]);
	}
	for (size_t i = kept; i < found; i++)
		rest += nodes[order[i]].cost.peak_bytes;
	places = found - kept;
	if (ends && ends < walker->least) {
		places++;
		rest += ends;
		ends = 0;
	}
	if (places)
		add_line(level,
			 (struct heap_line){.kind = HEAP_LINE_REST,
					    .depth = walker->depth,
					    .bytes = rest,
					    .places = places},
			 0);
	if (ends)
		add_line(level,
			 (struct heap_line){
			     .kind = HEAP_LINE_ENDS, .depth = walker->depth, .bytes = ends},
			 0);
	if (level->count)
		level->lines[level->count - 1].last = 1;
}

/* The lines below the one of a node of the tree. */
static int descend(struct walker *walker, uint32_t parent, struct heap_line *line)
{
	static const struct ordering ordering = {.kind = COST_PEAK, .sort_by = -1};
	struct level *level;
	size_t found;
	uint32_t *order;

	if (walker->depth >= walker->depth_limit) {
		line->cut = walker->tree.nodes[parent].cost.peak_bytes >
			    walker->tree.nodes[parent].own.peak_bytes;
		return 0;
	}
	order = tree_sorted(&walker->tree, parent, &ordering, &found);
	if (!order)
		return ERROR_MEMORY;
	if (!found) {
		free(order);
		return 0;
	}
	level = push_level(walker);
	if (level) {
		level->lines = calloc(found + 2, sizeof(*level->lines));
		level->children = calloc(found + 2, sizeof(*level->children));
	}
	if (!level || !level->lines || !level->children) {
		free(order);
		return ERROR_MEMORY;
	}
	fill_level(walker, level, parent, order, found);
	line->below = level->count;
	free(order);
	return 0;
}

static int walk(struct walker *walker, heap_line_print print, void *context)
{
	struct heap_line root = {
	    .kind = HEAP_LINE_ROOT,
	    .last = 1,
	    .bytes = walker->tree.nodes[0].cost.peak_bytes,
	};
	int error = descend(walker, 0, &root);

	if (!error)
		error = print(context, &root);
	while (!error && walker->depth) {
		struct level *level = &walker->levels[walker->depth - 1];
		struct heap_line line;
		uint32_t child;

		if (level->next == level->count) {
			pop_level(walker);
			continue;
		}
		line = level->lines[level->next];
		child = level->children[level->next++];
		if (line.kind == HEAP_LINE_FRAME)
			error = descend(walker, child, &line);
		if (!error)
			error = print(context, &line);
	}
	while (walker->depth)
		pop_level(walker);
	return error;
}

int heap_lines(const struct profile *profile, const struct timeline_snapshot *snapshot,
	       const struct lens *lens, uint64_t least, size_t depth_limit, heap_line_print print,
	       void *context)
{
	struct walker walker = {.least = least, .depth_limit = depth_limit};
	int error = make_tree(&walker.tree, profile, snapshot, lens);

	if (!error)
		error = walk(&walker, print, context);
	free(walker.levels);
	tree_release(&walker.tree);
	return error;
}
