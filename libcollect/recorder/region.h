/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_REGION_H
#define MALLOGRAPH_REGION_H

/*
 * The recorder's side of the region. The program can write anywhere in it, so
 * the numbers that our pointers are made of are kept apart from it, in
 * struct shared.
 */

#include <stddef.h>
#include <stdint.h>

#include "libcollect/ring.h"

struct shared {
	struct region *region;
	uint32_t chunks;
	_Atomic uint32_t *next, *owner;
	char *chunk0;
	int id; /* of the System V segment, -1: not known */
};

/* Fills in *shared for a region made by region_create(), in this process or
 * one that forked it. */
void shared_open(struct shared *shared, struct region *region);

/* NULL for a number that is none. */
static inline void *shared_chunk(const struct shared *shared, uint32_t chunk)
{
	if (chunk == CHUNK_NONE || chunk >= shared->chunks)
		return NULL;
	return shared->chunk0 + (uint64_t)chunk * CHUNK_BYTES;
}

/* Shows the programs that we are there and looking: see ring.h, heartbeat and tick. */
static inline void shared_alive(const struct shared *shared)
{
	struct region *region = shared->region;

	/* Nobody else writes there. */
	atomic_store_explicit(&region->heartbeat,
			      atomic_load_explicit(&region->heartbeat, memory_order_relaxed) + 1,
			      memory_order_relaxed);
	atomic_fetch_add_explicit(&region->tick, 1, memory_order_relaxed);
}

/* Empties a chunk that nobody uses any more and puts it back on the pool. */
void shared_return(const struct shared *shared, uint32_t chunk);
/* A ring whose thread has ended: some are kept as they are, for the next threads. */
void shared_return_ring(const struct shared *shared, uint32_t chunk);
/* As shared_return(), for all chunks of an ended session. */
void shared_return_all(const struct shared *shared, uint32_t epoch);
/* True when threads may soon find no chunk for a ring. */
int shared_is_low(const struct shared *shared);
/* Processes that have the region mapped, ourselves included; -1: unknown. */
long shared_attached(const struct shared *shared);

#endif
