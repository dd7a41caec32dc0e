/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_PLACES_H
#define MALLOGRAPH_PLACES_H

/*
 * Which locations and stacks are the same to a reader.
 *
 * Two addresses may be one place: the same function, file and line of the same
 * module, the same functions inlined. Places number locations by what is
 * printed of them, and stacks by the places that they are made of.
 */

#include <stddef.h>
#include <stdint.h>

#include "analyzer/model/profile.h"

struct places {
	/* by location: the first location that is the same place */
	uint32_t *location;
	/* by node: the first node with the same places from there outward */
	uint32_t *node;
	/* by node: the first from there outward that is not all allocation function;
	 * 0: none is */
	uint32_t *leaf;
	/* by location: how many of its frames, from the innermost, belong to the
	 * allocation function and not to its caller; PLACES_ALL: the whole address */
	uint32_t *wrappers;
	/* by module: the first with the same path */
	uint32_t *module;
};
#define PLACES_ALL UINT32_MAX

/* ERROR_MEMORY, or 0; release in both cases. */
int places_init(struct places *places, const struct profile *profile);
void places_release(struct places *places);

/* Where a stack begins for the user: the first frame outside of operator new,
 * malloc and the collector. Where there is nothing else, the stack's own start. */
struct place_leaf {
	uint32_t node;
	uint32_t frame; /* of that node's location, 0 is the innermost */
};
struct place_leaf places_leaf(const struct places *places, const struct profile *profile,
			      uint32_t node);

/* Content, not pointers: traces may hold a string more than once. */
int places_same_frame(const struct profile_frame *a, const struct profile_frame *b);
uint64_t places_hash_frame(uint64_t hash, const struct profile_frame *frame);

#endif
