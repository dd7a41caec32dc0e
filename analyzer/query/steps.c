/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A step is found by its parent and its place. Most have one child only, because stacks
 * branch seldom: the first child of each lies in an array by the parent's index, next to
 * where the search has just been, and only the others are in a hash table.
 */
#include "analyzer/query/steps.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/model/id_table.h"
#include "analyzer/query/names.h"
#include "formats/error.h"

/* How the walk went is part of a place: "deeper frames cut" has no address. */
#define MARKS      (TRACE_NODE_CUT | TRACE_NODE_INCOMPLETE)
#define MARK_KINDS 8

struct builder {
	struct places *places;
	const struct profile *profile;
	unsigned heeded;     /* flags of nodes */
	size_t place_limit;  /* marked places are above */
	unsigned char *ends; /* by function number: main and what starts it */
	uint32_t *first;     /* by step: its first child */
	struct id_table others;
	size_t room;
};

static int same_step(const void *context, const void *key, uint32_t id)
{
	const struct builder *all = context;
	const struct places_step *a = key, *b = &all->places->steps[id];

	return a->parent == b->parent && a->place == b->place;
}

static int make_room(struct builder *all)
{
	struct places *places = all->places;
	size_t room = all->room ? all->room * 2 : 1024;
	struct places_step *steps;
	uint32_t *first;

	if (places->step_count < all->room)
		return 0;
	if (places->step_count >= UINT32_MAX / 2)
		return ERROR_LIMIT;
	steps = reallocarray(places->steps, room, sizeof(*steps));
	if (!steps)
		return ERROR_MEMORY;
	places->steps = steps;
	first = reallocarray(all->first, room, sizeof(*first));
	if (!first)
		return ERROR_MEMORY;
	all->first = first;
	all->room = room;
	return 0;
}

/* The child of wanted->parent at wanted->place, made where there is none. */
static int take_step(struct builder *all, const struct places_step *wanted, uint32_t *step)
{
	struct places *places = all->places;
	uint32_t first = all->first[wanted->parent];
	uint64_t hash = id_table_hash(id_table_hash(0, wanted->parent), wanted->place);
	int error;

	if (first && places->steps[first].place == wanted->place) {
		*step = first;
		return 0;
	}
	*step = first ? id_table_find(&all->others, hash, same_step, all, wanted) : 0;
	if (*step)
		return 0;
	error = make_room(all);
	if (error)
		return error;
	*step = (uint32_t)places->step_count++;
	places->steps[*step] = *wanted;
	all->first[*step] = 0;
	if (first)
		return id_table_add(&all->others, hash, *step);
	all->first[wanted->parent] = *step;
	return 0;
}

static int add_node(struct builder *all, uint32_t id)
{
	struct places *places = all->places;
	const struct profile_node *node = &all->profile->nodes[id];
	const struct profile_location *location = &all->profile->locations[node->location];
	uint32_t frames = location->frame_count, frame = frames ? frames - 1 : 0;
	unsigned marks = node->flags & all->heeded;
	uint32_t step = places->step[node->parent];
	int error;

	do {
		struct places_step wanted = {
		    .parent = step,
		    .place = places->place[places->first_place[node->location] + frame],
		    .node = id,
		    .frame = frame,
		};

		if (marks & MARKS)
			wanted.place = (uint32_t)all->place_limit + marks;
		else if (marks)
			wanted.place += (uint32_t)all->place_limit + MARK_KINDS;
		if (frames && all->ends[places->function[location->frame + frame]])
			wanted.parent = 0;
		error = take_step(all, &wanted, &step);
	} while (!error && frame--);
	places->step[id] = step;
	return error;
}

int steps_build(struct places *places, const struct profile *profile, enum lens_identity identity,
		size_t place_limit)
{
	struct builder all = {
	    .places = places,
	    .profile = profile,
	    .heeded = MARKS | (identity == LENS_FUNCTION ? 0 : TRACE_NODE_GUESSED),
	    .place_limit = place_limit,
	};
	size_t functions = places->function_names.text_count;
	int error = place_limit >= UINT32_MAX / 2 - MARK_KINDS ? ERROR_LIMIT : make_room(&all);

	all.ends = calloc(functions + 1, 1);
	if (!all.ends && !error)
		error = ERROR_MEMORY;
	if (!error) {
		places->steps[0] = (struct places_step){0};
		all.first[0] = 0;
		places->step_count = 1;
	}
	for (uint32_t i = 1; i <= functions && !error; i++)
		all.ends[i] = name_ends_stack(name_text(&places->function_names, i)) != 0;
	for (size_t i = 1; i < profile->node_count && !error; i++)
		error = add_node(&all, (uint32_t)i);
	free(all.ends);
	free(all.first);
	id_table_release(&all.others);
	return error;
}
