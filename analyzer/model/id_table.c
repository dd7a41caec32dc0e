/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/model/id_table.h"

#include <stdlib.h>

#include "formats/error.h"

#define FIRST_SLOTS 256

static uint32_t folded(uint64_t hash)
{
	return (uint32_t)(hash ^ hash >> 32);
}

void id_table_release(struct id_table *table)
{
	free(table->slots);
	*table = (struct id_table){0};
}

uint32_t id_table_find(const struct id_table *table, uint64_t hash, id_table_equal equal,
		       const void *context, const void *key)
{
	uint32_t short_hash = folded(hash);

	if (!table->slots)
		return 0;
	for (size_t at = short_hash & table->mask; table->slots[at].id; at = (at + 1) & table->mask)
		if (table->slots[at].hash == short_hash && equal(context, key, table->slots[at].id))
			return table->slots[at].id;
	return 0;
}

static void place(struct id_slot *slots, size_t mask, struct id_slot slot)
{
	size_t at = slot.hash & mask;

	while (slots[at].id)
		at = (at + 1) & mask;
	slots[at] = slot;
}

static int grow(struct id_table *table)
{
	size_t slots = table->slots ? (table->mask + 1) * 2 : FIRST_SLOTS;
	struct id_slot *larger = calloc(slots, sizeof(*larger));

	if (!larger)
		return ERROR_MEMORY;
	for (size_t i = 0; table->slots && i <= table->mask; i++)
		if (table->slots[i].id)
			place(larger, slots - 1, table->slots[i]);
	free(table->slots);
	table->slots = larger;
	table->mask = slots - 1;
	return 0;
}

int id_table_add(struct id_table *table, uint64_t hash, uint32_t id)
{
	if (!table->slots || (table->count + 1) * 2 > table->mask + 1) {
		int error = grow(table);

		if (error)
			return error;
	}
	place(table->slots, table->mask, (struct id_slot){folded(hash), id});
	table->count++;
	return 0;
}
