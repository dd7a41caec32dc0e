/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_CHUNKS_H
#define MALLOGRAPH_CHUNKS_H

/*
 * The region's chunks as this process takes them, and how much of the region it maps. All of
 * it is safe everywhere, signal handlers included.
 */

#include <stddef.h>
#include <stdint.h>

#include "libcollect/ring.h"

/* Takes a zero-headed chunk for this session: CHUNK_NONE when there is none. */
uint32_t chunk_take(void);
/* A ring that another thread has used, with what is in it still; or CHUNK_NONE. */
uint32_t chunk_take_used_ring(void);
/* As chunk_take(), for who can do without: leaves half of the region to first needs. */
uint32_t chunk_take_spare(void);

/* This process has replaced a chunk of the region by a copy of its own: it never takes it
 * from the pool again. Returns -1 when it knows of too many. */
int chunk_part(uint32_t chunk);

/* The whole region has just been mapped. */
void chunks_attached(const struct region *region);

/* Unmaps what lies behind so many bytes of the region and behind all that this session
 * uses; chunks there are never taken. */
void chunks_narrow(uint64_t bytes);

#endif
