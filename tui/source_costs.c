/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>
#include <string.h>

#include "analyzer/query/names.h"
#include "formats/error.h"
#include "tui/source.h"

struct grouping {
	const struct profile *profile;
	struct source_costs *costs;
	uint32_t *of_frame; /* by frame: 1 + its line's index; 0: of another file */
};

static int is_of_file(const struct profile *profile, const struct profile_frame *frame,
		      const char *name)
{
	return profile->fresh ? !strcmp(name_base(frame->file), name_base(name))
			      : !strcmp(frame->file, name);
}

/* By frame: 1 where it has a line of the file. Frames share the names of files. */
static uint32_t *mark_frames(const struct profile *profile, const char *name, size_t *found)
{
	uint32_t *marks = calloc(profile->frame_count + 1, sizeof(*marks));
	const char *last = NULL;
	int is = 0;

	*found = 0;
	for (size_t i = 0; marks && i < profile->frame_count; i++) {
		const struct profile_frame *frame = &profile->frames[i];

		if (!frame->file || !frame->line)
			continue;
		if (frame->file != last)
			is = is_of_file(profile, frame, name);
		last = frame->file;
		marks[i] = (uint32_t)is;
		*found += (size_t)is;
	}
	return marks;
}

static int compare_lines(const void *a, const void *b)
{
	const struct source_line_cost *left = a, *right = b;

	return left->line < right->line ? -1 : left->line > right->line;
}

const struct source_line_cost *source_cost_of(const struct source_costs *costs, size_t line)
{
	const struct source_line_cost wanted = {.line = (uint32_t)line};

	if (!costs->count || line > UINT32_MAX)
		return NULL;
	return bsearch(&wanted, costs->lines, costs->count, sizeof(*costs->lines), compare_lines);
}

/* The lines of all frames of the file, each once, in their order; and which one is whose. */
static int find_lines(struct source_costs *costs, struct grouping *grouping, const char *name)
{
	const struct profile *profile = grouping->profile;
	size_t count, kept = 0, sorted = 1, at = 0;

	grouping->of_frame = mark_frames(profile, name, &count);
	if (!grouping->of_frame)
		return ERROR_MEMORY;
	costs->lines = calloc(count + 1, sizeof(*costs->lines));
	if (!costs->lines)
		return ERROR_MEMORY;
	for (size_t i = 0; i < profile->frame_count; i++)
		if (grouping->of_frame[i])
			costs->lines[costs->count++].line = profile->frames[i].line;
	while (sorted < count &&
	       compare_lines(&costs->lines[sorted - 1], &costs->lines[sorted]) <= 0)
		sorted++;
	if (sorted < count)
		qsort(costs->lines, count, sizeof(*costs->lines), compare_lines);
	for (size_t i = 0; i < count; i++)
		if (!kept || costs->lines[kept - 1].line != costs->lines[i].line)
			costs->lines[kept++] = costs->lines[i];
	costs->count = kept;
	for (size_t i = 0; i < profile->frame_count; i++) {
		if (!grouping->of_frame[i])
			continue;
		/* most often the line that it was, or the next one */
		if (at + 1 < kept && costs->lines[at].line != profile->frames[i].line)
			at++;
		if (costs->lines[at].line != profile->frames[i].line)
			at =
			    (size_t)(source_cost_of(costs, profile->frames[i].line) - costs->lines);
		grouping->of_frame[i] = 1 + (uint32_t)at;
	}
	return 0;
}

static uint32_t group_of(void *context, uint32_t node, uint32_t frame)
{
	const struct grouping *grouping = context;
	const struct profile_location *location =
	    &grouping->profile->locations[grouping->profile->nodes[node].location];

	uint32_t index;

	if (frame >= location->frame_count)
		return TREE_NO_GROUP;
	index = grouping->of_frame[location->frame + frame];
	if (!index)
		return TREE_NO_GROUP;
	grouping->costs->lines[index - 1].node = node;
	grouping->costs->lines[index - 1].frame = frame;
	return index - 1;
}

static int sum_lines(struct source_costs *costs, struct grouping *grouping, const struct tree *tree)
{
	struct tree_sum *sums = calloc(costs->count + 1, sizeof(*sums));
	size_t kept = 0;
	int error =
	    sums ? tree_sum_groups(tree, 0, group_of, grouping, sums, costs->count) : ERROR_MEMORY;

	for (size_t i = 0; i < costs->count && !error; i++)
		if (sums[i].cost.allocations || sums[i].base.allocations) {
			costs->lines[kept] = costs->lines[i];
			costs->lines[kept++].sum = sums[i];
		}
	costs->count = kept;
	free(sums);
	return error;
}

int source_costs(struct source_costs *costs, const struct profile *profile, const struct lens *lens,
		 const char *name)
{
	struct grouping grouping = {.profile = profile, .costs = costs};
	struct lens by_line = *lens;
	struct tree tree = {0};
	int error;

	*costs = (struct source_costs){0};
	if (lens->identity != LENS_LINE)
		by_line.places = NULL;
	by_line.identity = LENS_LINE;
	error = find_lines(costs, &grouping, name);
	if (!error && costs->count) {
		error = tree_init(&tree, profile, &by_line, TREE_TOP_DOWN, NULL);
		if (!error)
			error = sum_lines(costs, &grouping, &tree);
		tree_release(&tree);
	}
	free(grouping.of_frame);
	return error;
}

void source_costs_release(struct source_costs *costs)
{
	free(costs->lines);
	*costs = (struct source_costs){0};
}
