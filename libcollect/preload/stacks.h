/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_STACKS_H
#define MALLOGRAPH_STACKS_H

#include <stdatomic.h>
#include <stdint.h>

#include "libcollect/preload/table.h"
#include "libcollect/ring.h"

/*
 * The stack tree: node(parent, pc id) -> id, dense from 1; 0 is the root. Any number of
 * threads may ask at once, without a lock; two that make the same node at the
 * same moment may get two ids for it, which the recorder unites.
 */

/* The node below parent; made when it is new. 0: no memory for it, or pc_id is 0. */
uint32_t stacks_child(uint32_t parent, uint32_t pc_id);

/* The same for a path of count (1 to STACKS_PATH_MAX) frames below parent, outermost
 * first: one look-up for the lot where they were met together before. Returns the node
 * of the innermost. */
#define STACKS_PATH_MAX 5u
uint32_t stacks_path(uint32_t parent, const uint32_t *pc_id, unsigned count);

/* The same, with the ids in one number, the innermost's lowest. path: stacks_path_at(). */
__extension__ typedef unsigned __int128 path_ids;
#define PATH_ID_BITS 24
struct path;
uint32_t stacks_packed_path(struct path *path, uint32_t parent, path_ids ids, unsigned count);
/* Where it may have been kept. */
#define stacks_path_at(parent, ids, count)                                                         \
	(&state->stacks.path[stacks_path_hash(parent, ids, count) >> (64 - PATH_BITS)])

/* The node that this one hangs below; 0: the root, or it isn't known. */
uint32_t stacks_parent(uint32_t node);

/* NODES_PER_CHUNK nodes. */
struct nodes {
	_Atomic(_Atomic uint64_t *) child; /* of each the first: pc id << 32 | node; 0: none */
	_Atomic uint32_t chunk;            /* of the region, in which they are told */
};

/*
 * A path that was met: one line's half.
 *
 *   word 0   bits 0-31 parent, 32-63 node of the innermost frame
 *   word 1   the ids' lower half
 *   word 2   bits 0-55 their upper half, 56-63 how many
 *   word 3   bit 0 PATH_WRITING, 1-63 how often it was written
 */
struct path {
	_Atomic uint64_t word[4];
};
#define PATH_BITS  12u
#define PATH_COUNT 56

static inline uint64_t path_upper(path_ids ids, unsigned count)
{
	return (uint64_t)(ids >> 64) | (uint64_t)count << PATH_COUNT;
}

static inline uint64_t stacks_path_hash(uint32_t parent, path_ids ids, unsigned count)
{
	return (((uint64_t)ids ^ (uint64_t)parent << 32) +
		path_upper(ids, count) * UINT64_C(0xd6e8feb86659fd93)) *
	       UINT64_C(0x9e3779b97f4a7c15);
}

/* Children but the first, by hash: many small tables, so that growing is a small matter. */
#define SIBLING_TABLES 32u
/* In struct state; see stacks.c. */
struct stacks {
	_Atomic uint32_t refused; /* how often there was no chunk */
	struct table siblings[SIBLING_TABLES];
	_Alignas(64) struct slot first[SIBLING_TABLES][32];
	_Alignas(64) struct path path[1u << PATH_BITS];
	struct nodes nodes[DIRECTORY_ENTRIES];
};

#endif
