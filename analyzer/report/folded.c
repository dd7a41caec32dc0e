/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/report/folded.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/query/tree.h"
#include "analyzer/report/labels.h"
#include "formats/error.h"

/*
 * A walk through the tree from main to who allocates. The tree tells apart what reads the same
 * here (two lines of a function), so one step of the walk is not from a node to its child, but
 * from a group of nodes to the group of those children that have one label. What ends in a
 * group is one line.
 *
 * Stacks may be deep as long as a file says so: the walk keeps its steps on the heap.
 */

struct labelled {
	uint32_t node; /* of the tree */
	char *label;   /* owned by the level that the array is of */
};

/* The children of a group, in the order of their labels; groups of them are walked through
 * one after the other. */
struct level {
	struct labelled *children;
	size_t count, next;
	size_t path_length; /* of what leads here */
};

struct writer {
	FILE *out;
	struct tree *tree;
	enum cost_kind kind;
	int sides; /* 2: base and fresh */
	struct label_maker labels;
	struct level *levels;
	size_t depth, level_room;
	char *path;
	size_t path_length, path_room;
};

static int is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

/* "closure 12" would be a frame "closure" and a cost. */
static void join_number(char *label)
{
	size_t end = strlen(label), at = end;

	while (at > 0 && (is_digit(label[at - 1]) || label[at - 1] == '.'))
		at--;
	if (at < end && at > 0 && label[at - 1] == ' ')
		label[at - 1] = '_';
}

static char *make_label(struct writer *writer, uint32_t tree_node)
{
	const struct tree_node *at = &writer->tree->nodes[tree_node];
	char *label = label_make(&writer->labels, at->node, at->frame, LABEL_FILE);

	label_replace(label, ';', ':');
	join_number(label);
	return strdup(label);
}

static int compare_labelled(const void *a, const void *b)
{
	const struct labelled *left = a, *right = b;
	int order = strcmp(left->label, right->label);

	return order ? order : left->node < right->node ? -1 : left->node > right->node;
}

static int extend_path(struct writer *writer, const char *label)
{
	size_t length = strlen(label), wanted = writer->path_length + length + 2;

	if (wanted > writer->path_room) {
		char *larger = realloc(writer->path, wanted * 2);

		if (!larger)
			return ERROR_MEMORY;
		writer->path = larger;
		writer->path_room = wanted * 2;
	}
	if (writer->path_length)
		writer->path[writer->path_length++] = ';';
	memcpy(writer->path + writer->path_length, label, length + 1);
	writer->path_length += length;
	return 0;
}

static void write_line(const struct writer *writer, uint64_t cost, uint64_t base)
{
	if (!cost && !base)
		return;
	fwrite(writer->path, 1, writer->path_length, writer->out);
	if (writer->sides == 2)
		fprintf(writer->out, " %" PRIu64, base);
	fprintf(writer->out, " %" PRIu64 "\n", cost);
}

static struct level *push_level(struct writer *writer)
{
	if (writer->depth == writer->level_room) {
		size_t room = writer->level_room ? writer->level_room * 2 : 64;
		struct level *larger = reallocarray(writer->levels, room, sizeof(*larger));

		if (!larger)
			return NULL;
		writer->levels = larger;
		writer->level_room = room;
	}
	writer->levels[writer->depth] = (struct level){.path_length = writer->path_length};
	return &writer->levels[writer->depth++];
}

static void pop_level(struct writer *writer)
{
	struct level *level = &writer->levels[--writer->depth];

	for (size_t i = 0; i < level->count; i++)
		free(level->children[i].label);
	free(level->children);
}

/* A level of the children of all nodes of a group. */
static int descend(struct writer *writer, const struct labelled *group, size_t count)
{
	const struct tree_node *nodes;
	struct level *level;
	size_t children = 0;

	for (size_t i = 0; i < count; i++) {
		int error = tree_expand(writer->tree, group[i].node);

		if (error)
			return error;
	}
	nodes = writer->tree->nodes;
	for (size_t i = 0; i < count; i++)
		for (uint32_t at = nodes[group[i].node].first_child; at; at = nodes[at].next)
			children++;
	if (!children)
		return 0;
	level = push_level(writer);
	if (!level)
		return ERROR_MEMORY;
	level->children = calloc(children, sizeof(*level->children));
	if (!level->children)
		return ERROR_MEMORY;
	for (size_t i = 0; i < count; i++)
		for (uint32_t at = nodes[group[i].node].first_child; at; at = nodes[at].next) {
			char *label = make_label(writer, at);

			if (!label)
				return ERROR_MEMORY;
			level->children[level->count++] = (struct labelled){at, label};
		}
	qsort(level->children, level->count, sizeof(*level->children), compare_labelled);
	return 0;
}

/* The next group of the deepest level: its line, and then what is below it. */
static int step(struct writer *writer)
{
	struct level *level = &writer->levels[writer->depth - 1];
	const struct labelled *group = &level->children[level->next];
	uint64_t cost = 0, base = 0;
	size_t count = 0;

	writer->path_length = level->path_length;
	while (level->next < level->count &&
	       !strcmp(level->children[level->next].label, group->label)) {
		const struct tree_node *at =
		    &writer->tree->nodes[level->children[level->next++].node];

		cost += cost_of(&at->own, writer->kind);
		base += cost_of(&at->own_base, writer->kind);
		count++;
	}
	if (extend_path(writer, group->label))
		return ERROR_MEMORY;
	write_line(writer, cost, base);
	return descend(writer, group, count);
}

static int walk(struct writer *writer)
{
	struct labelled root = {0};
	const struct tree_node *all = &writer->tree->nodes[0];
	int error = extend_path(writer, label_make(&writer->labels, 0, 0, LABEL_FILE));

	/* what has no stack */
	if (!error)
		write_line(writer, cost_of(&all->own, writer->kind),
			   cost_of(&all->own_base, writer->kind));
	writer->path_length = 0;
	if (!error)
		error = descend(writer, &root, 1);
	while (!error && writer->depth) {
		struct level *level = &writer->levels[writer->depth - 1];

		if (level->next == level->count)
			pop_level(writer);
		else
			error = step(writer);
	}
	while (writer->depth)
		pop_level(writer);
	return error;
}

int folded_write(FILE *out, const struct profile *profile, const struct lens *lens,
		 enum cost_kind kind, int shorten)
{
	struct tree tree;
	struct writer writer = {
	    .out = out,
	    .tree = &tree,
	    .kind = kind,
	    .sides = profile->base ? 2 : 1,
	};
	int error = tree_init(&tree, profile, lens, TREE_TOP_DOWN, NULL);

	if (!error)
		error = label_maker_init(&writer.labels, profile, shorten);
	if (!error)
		error = walk(&writer);
	if (!error && writer.labels.printer.failed)
		error = ERROR_MEMORY;
	label_maker_release(&writer.labels);
	free(writer.levels);
	free(writer.path);
	tree_release(&tree);
	return error;
}
