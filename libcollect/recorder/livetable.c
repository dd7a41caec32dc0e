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

static uint32_t take_entry(struct livetable *table)
{
	uint32_t index = table->unused;

	if (index != 0) {
		table->unused = livetable_at(table, index)->next;
		return index;
	}
	if (table->used == 0)
		table->used = 1; /* 0 means none */
	if (table->used == UINT32_MAX ||
	    area_reserve(&table->blocks, (table->used + UINT64_C(1)) * sizeof(struct live_block)) !=
		0)
		return 0;
	return table->used++;
}

struct live_block *livetable_claim(struct livetable *table, uint64_t address)
{
	struct live_block *block;
	uint32_t index, *head;

	if (table->count >= (table->bits == 0 ? 0 : UINT32_C(1) << table->bits) &&
	    grow_heads(table) != 0 && table->bits == 0)
		return NULL; /* without more heads the chains grow longer */
	index = take_entry(table);
	if (index == 0)
		return NULL;
	block = livetable_at(table, index);
	head = (uint32_t *)table->heads.base + livetable_slot(table, address);
	block->address_and_number = address;
	block->next = *head;
	*head = index;
	table->count++;
	return block;
}
