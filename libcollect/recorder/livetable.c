/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libcollect/recorder/livetable.h"

#include <string.h>

#include "formats/error.h"

enum { FIRST_BITS = 10, MOST_BITS = 31 };

void livetable_release(struct livetable *table)
{
	area_release(&table->blocks);
	area_release(&table->heads);
	*table = (struct livetable){0};
}

/* Twice as many heads; the chains are made anew from the slab. */
static int grow_heads(struct livetable *table)
{
	uint32_t bits = table->bits == 0 ? FIRST_BITS : table->bits + 1;
	struct area heads = {0};
	int error;

	if (bits > MOST_BITS)
		return ERROR_LIMIT;
	error = area_reserve(&heads, sizeof(uint32_t) << bits);
	if (error != 0)
		return error;
	area_release(&table->heads);
	table->heads = heads;
	table->bits = bits;
	for (uint32_t i = 1; i < table->used; i++) {
		struct live_block *block = livetable_at(table, i);
		uint64_t address = live_block_address(block);
		uint32_t *head;

		if (address == 0)
			continue;
		head = (uint32_t *)heads.base + livetable_slot(table, address);
		block->next = *head;
		*head = i;
	}
	return 0;
}

int livetable_reserve(struct livetable *table, uint32_t more)
{
	uint64_t most, unused;
	int error;

	if (table->used == 0)
		table->used = 1; /* 0 means none */
	unused = table->used - 1 - table->count;
	most = (uint64_t)table->used + (more > unused ? more - unused : 0);
	if (most > UINT32_MAX)
		return ERROR_LIMIT;
	error = area_reserve(&table->blocks, most * sizeof(struct live_block));
	/* Without more heads the chains grow longer. */
	while (!error && (table->bits == 0 || table->count + more > UINT64_C(1) << table->bits))
		if (grow_heads(table) != 0)
			break;
	return error == 0 && table->bits == 0 ? ERROR_MEMORY : error;
}

struct live_block *livetable_claim(struct livetable *table, uint64_t address)
{
	if (livetable_reserve(table, 1) != 0)
		return NULL;
	return livetable_add(table, livetable_head(table, address), address);
}
