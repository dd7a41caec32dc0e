/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/symbols/string_pool.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK_BYTES (64u << 10)

struct string_chunk {
	struct string_chunk *next;
	char bytes[];
};

void string_pool_init(struct string_pool *pool)
{
	memset(pool, 0, sizeof(*pool));
}

void string_pool_release(struct string_pool *pool)
{
	while (pool->chunks) {
		struct string_chunk *chunk = pool->chunks;
		pool->chunks = chunk->next;
		free(chunk);
	}
	free(pool->strings);
	free(pool->slots);
	string_pool_init(pool);
}

static size_t hash_text(const char *text)
{
	uint64_t hash = 0xcbf29ce484222325u;
	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
	return (size_t)(hash ^ (hash >> 32));
}

/* The slot that holds text, or the empty one where it belongs. */
static uint32_t *find_slot(const struct string_pool *pool, const char *text)
{
	size_t mask = pool->slot_count - 1;
	size_t i = hash_text(text) & mask;
	while (pool->slots[i] && strcmp(pool->strings[pool->slots[i] - 1], text) != 0)
		i = (i + 1) & mask;
	return &pool->slots[i];
}

static int grow_slots(struct string_pool *pool)
{
	size_t wanted = pool->slot_count ? pool->slot_count * 2 : 256;
	uint32_t *old = pool->slots;
	uint32_t *slots = calloc(wanted, sizeof(*slots));
	if (!slots)
		return -1;
	pool->slots = slots;
	pool->slot_count = wanted;
	for (size_t i = 0; i < pool->count; i++)
		*find_slot(pool, pool->strings[i]) = (uint32_t)i + 1;
	free(old);
	return 0;
}

static char *store(struct string_pool *pool, const char *text)
{
	size_t size = strlen(text) + 1;
	if (!pool->chunks || size > CHUNK_BYTES - pool->chunk_used) {
		size_t bytes = size > CHUNK_BYTES ? size : CHUNK_BYTES;
		struct string_chunk *chunk = malloc(sizeof(*chunk) + bytes);
		if (!chunk)
			return NULL;
		chunk->next = pool->chunks;
		pool->chunks = chunk;
		pool->chunk_used = 0;
	}
	char *copy = memcpy(pool->chunks->bytes + pool->chunk_used, text, size);
	/* an oversized string has a chunk of its own, which is full */
	pool->chunk_used = size > CHUNK_BYTES ? CHUNK_BYTES : pool->chunk_used + size;
	return copy;
}

uint32_t string_pool_add(struct string_pool *pool, const char *text)
{
	if (pool->count * 2 >= pool->slot_count && grow_slots(pool) < 0)
		return 0;
	uint32_t *slot = find_slot(pool, text);
	if (*slot)
		return *slot;
	if (pool->count >= UINT32_MAX - 1)
		return 0;
	if (pool->count == pool->allocated) {
		size_t allocated = pool->allocated ? pool->allocated * 2 : 128;
		char **grown = reallocarray(pool->strings, allocated, sizeof(*grown));
		if (!grown)
			return 0;
		pool->strings = grown;
		pool->allocated = allocated;
	}
	char *copy = store(pool, text);
	if (!copy)
		return 0;
	pool->strings[pool->count++] = copy;
	*slot = (uint32_t)pool->count;
	return *slot;
}

const char *string_pool_text(const struct string_pool *pool, uint32_t id)
{
	return pool->strings[id - 1];
}
