/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_LIVETABLE_H
#define MALLOGRAPH_LIVETABLE_H

/*
 * The live blocks by address.
 *
 * Entries lie in a slab, freed ones are used again last in, first out; a table
 * of chain heads, at most as many as blocks and at least half of that, finds
 * them: 44 to 48 bytes a block. A program that allocates and frees the
 * same few blocks so touches few cache lines, however large its heap.
 * The heads of neighbouring addresses within a page are neighbours, too; pages
 * are scattered.
 *
 * The way not taken: open addressing with entries in the table itself. It saves
 * one dependent load, but needs 45 to 75 bytes a block for chains that are short
 * enough, and touches a line of the table for each block.
 */

#include <stdint.h>

#include "libcollect/recorder/area.h"

/*
 *   word 0   bits 0-47 address (0: not used), 48-63 high bits of the number
 *   number   how many allocations its thread had made with this one
 */
struct live_block {
	uint64_t address_and_number;
	uint64_t time; /* its stamp */
	uint32_t class_id;
	uint32_t thread;
	uint32_t number;
	uint32_t next;     /* of the chain or of the free list; 0: none */
	uint32_t tick;     /* of its allocation, as the trace has it; 49 days */
	uint32_t sequence; /* low bits of the number of its allocation in the trace */
};

static inline uint64_t live_block_address(const struct live_block *block)
{
	return block->address_and_number & ((UINT64_C(1) << 48) - 1);
}

static inline uint64_t live_block_number(const struct live_block *block)
{
	return block->address_and_number >> 48 << 32 | block->number;
}

static inline void live_block_set_number(struct live_block *block, uint64_t number)
{
	block->address_and_number = live_block_address(block) | (number >> 32) << 48;
	block->number = (uint32_t)number;
}

struct livetable { /* all zero: empty, and may be searched */
	struct area blocks, heads;
	uint32_t bits; /* 2^bits heads; 0: none yet */
	uint32_t used; /* entries of the slab ever used, entry 0 included */
	uint32_t count;
	uint32_t unused; /* first of the free list */
};

void livetable_release(struct livetable *table);

static inline uint32_t livetable_slot(const struct livetable *table, uint64_t address)
{
	uint64_t page = (address >> 12) * UINT64_C(0x9e3779b97f4a7c15);

	return (uint32_t)((page >> 24) + (address >> 4 & 255)) & ((1u << table->bits) - 1);
}

static inline struct live_block *livetable_at(const struct livetable *table, uint32_t index)
{
	return (struct live_block *)table->blocks.base + index;
}

/* The head of the chain where a block of this address would be. Moves with livetable_reserve();
 * there is none before that. */
static inline uint32_t *livetable_head(const struct livetable *table, uint64_t address)
{
	return (uint32_t *)table->heads.base + livetable_slot(table, address);
}

/* Where the number of the block at an address stands: in its head, or in the block before
 * it in the chain. NULL when there is no such block. Holds until the next
 * claim or removal. */
static inline uint32_t *livetable_find_below(const struct livetable *table, uint32_t *head,
					     uint64_t address)
{
	uint32_t *link = head;

	while (*link != 0) {
		struct live_block *block = livetable_at(table, *link);

		if (live_block_address(block) == address)
			return link;
		link = &block->next;
	}
	return NULL;
}

static inline uint32_t *livetable_find(const struct livetable *table, uint64_t address)
{
	return table->bits == 0
		   ? NULL
		   : livetable_find_below(table, livetable_head(table, address), address);
}

/* Makes room for so many more blocks. 0, or a negative error: there may still be heads. Moves
 * blocks and heads. */
int livetable_reserve(struct livetable *table, uint32_t more);

/* A new block at an address where there is none, as reserved before; all but its address is
 * undefined. */
static inline struct live_block *livetable_add(struct livetable *table, uint32_t *head,
					       uint64_t address)
{
	uint32_t index = table->unused;
	struct live_block *block;

	if (index != 0)
		table->unused = livetable_at(table, index)->next;
	else
		index = table->used++;
	block = livetable_at(table, index);
	block->address_and_number = address;
	block->next = *head;
	*head = index;
	table->count++;
	return block;
}

/* The same with the room for it; NULL when out of memory. */
struct live_block *livetable_claim(struct livetable *table, uint64_t address);

/* Takes the block out that a link leads to. Its contents stay until the next claim,
 * but for the address. */
static inline void livetable_remove(struct livetable *table, uint32_t *link)
{
	uint32_t index = *link;
	struct live_block *block = livetable_at(table, index);

	*link = block->next;
	block->address_and_number = 0;
	block->next = table->unused;
	table->unused = index;
	table->count--;
}

#endif
