/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_ID_TABLE_H
#define MALLOGRAPH_ID_TABLE_H

/*
 * A hash table from keys, which the caller keeps in an array of its own, to
 * their indices in it. Open addressing with linear probing, at most half full;
 * deletion is not needed. Index 0 is never stored: it means "not there".
 */

#include <stddef.h>
#include <stdint.h>

struct id_table {
	struct id_slot {
		uint32_t hash, id;
	} * slots;
	size_t mask; /* slots - 1, a power of two less one; 0 when there are none */
	size_t count;
};

/* Whether the key looked for is that of id. */
typedef int (*id_table_equal)(const void *context, const void *key, uint32_t id);

/* Zeroed is empty. */
void id_table_release(struct id_table *table);

uint32_t id_table_find(const struct id_table *table, uint64_t hash, id_table_equal equal,
		       const void *context, const void *key);
/* The key must not be there. 0, or ERROR_MEMORY. */
int id_table_add(struct id_table *table, uint64_t hash, uint32_t id);

static inline uint64_t id_table_hash(uint64_t hash, uint64_t value)
{
	hash = (hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ hash >> 29;
}

#endif
