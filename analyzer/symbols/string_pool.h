/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_STRING_POOL_H
#define MALLOGRAPH_STRING_POOL_H

/*
 * Each string once, with an id counted from 1 in the order of first sight.
 * Strings never move: a pointer from the pool is good until its release.
 */

#include <stddef.h>
#include <stdint.h>

struct string_chunk;

struct string_pool {
	char **strings; /* strings[0] belongs to id 1 */
	size_t count, allocated;
	uint32_t *slots; /* open hash of ids, 0: empty; a power of two, at most half full */
	size_t slot_count;
	struct string_chunk *chunks;
	size_t chunk_used;
};

void string_pool_init(struct string_pool *pool);
void string_pool_release(struct string_pool *pool);

/* The id of the string, or 0 when out of memory. */
uint32_t string_pool_add(struct string_pool *pool, const char *text);
/* id must be one that add gave. */
const char *string_pool_text(const struct string_pool *pool, uint32_t id);

#endif
