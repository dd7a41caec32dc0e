/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_PLACES_H
#define MALLOGRAPH_PLACES_H

/*
 * Which frames and stacks are the same to a reader.
 *
 * A place is what a lens takes for one: the function, file and line of a module,
 * the function alone, or the address. A stack is a path of places from main to
 * who allocates, and all stacks of a profile together are a tree of steps, one
 * for each frame: two stacks that read the same end in the same step, whatever
 * addresses they are made of. Functions that were inlined are steps of their own, so
 * that a function which is inlined in one build and called in another is the same in a
 * stack of both. What calls main is left out.
 *
 * Of a combined profile (model/combine.h) names are numbered by what stays the same
 * when a program is built again (names.h), files by their base names, modules by theirs
 * without a version; the programs themselves are taken for one module, whatever they
 * are called. Addresses outside of all modules differ from run to run and say
 * nothing: they are one place.
 */

#include <stddef.h>
#include <stdint.h>

#include "analyzer/model/profile.h"
#include "analyzer/query/lens.h"
#include "analyzer/query/name_numbers.h"

struct places_step {
	uint32_t parent; /* its caller; smaller than its own index */
	uint32_t place;
	uint32_t node, frame; /* the first of the profile that is it */
};

struct places {
	struct name_numbers module_names, function_names, file_names;
	uint32_t *module;          /* by module: number of its name */
	uint32_t *function, *file; /* by frame: numbers of its names */
	/* By location: index in `place` of its innermost frame; those that it was inlined into
	 * follow. Without a symbol a location has one place. */
	uint32_t *first_place;
	uint32_t *place;
	/* [0] is the root, from where everything is called */
	struct places_step *steps;
	size_t step_count;
	/* by node: the step of its innermost frame. Those that frame n was inlined into are the
	 * step's parents. */
	uint32_t *step;
	/* by node that a class has: the first from there outward that is not all allocation
	 * function; 0: none is */
	uint32_t *leaf;
	/* by location: how many of its frames, from the innermost, belong to the
	 * allocation function and not to its caller; PLACES_ALL: the whole address */
	uint32_t *wrappers;
	int borrowed; /* all of it is the lens's */
};
#define PLACES_ALL UINT32_MAX

/* lens NULL: all defaults; with places they are borrowed and must outlive these. ERROR_MEMORY, or
 * 0; release in both cases. Refers to names of the profile, not to the profile itself. */
int places_init(struct places *places, const struct profile *profile, const struct lens *lens);
void places_release(struct places *places);

/* Where a stack begins for the user: the first frame outside of operator new,
 * malloc and the collector. Where there is nothing else, the stack's own start. node: a
 * class's. */
struct place_leaf {
	uint32_t node;
	uint32_t frame; /* of that node's location, 0 is the innermost */
};
struct place_leaf places_leaf(const struct places *places, const struct profile *profile,
			      uint32_t node);
/* The step of a frame of a node; 0 where that is beyond main. */
uint32_t places_step(const struct places *places, uint32_t node, uint32_t frame);

/* What is known of a frame of a node, by number. */
struct place_names {
	uint32_t module, function, file, line;
	int symbol; /* 0: only the address is known */
};
struct place_names places_names(const struct places *places, const struct profile *profile,
				uint32_t node, uint32_t frame);
/* Of module and function (where that is not known, what else is): the same in every run, on
 * both sides of a diff, for all that the lens takes for one place. */
uint64_t places_hash(const struct places *places, const struct profile *profile, uint32_t node,
		     uint32_t frame);

#endif
