/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_TABLE_H
#define MALLOGRAPH_TABLE_H

/*
 * A hash table of 64-bit keys and values that grows, without a lock: any
 * number of threads may ask and add at once, none ever waits for another, and one that
 * stops half-way for good (a longjmp out of a signal handler) is in nobody's way. See
 * table.c. Keys and values are not 0. A table that is all 0 is empty once
 * table_init() has said where its first slots lie, any time before the first
 * addition; it lives in memory that a forked child finds zeroed.
 */

#include <stdatomic.h>
#include <stdint.h>

struct slot {
	_Atomic uint64_t key;   /* claimed once, by compare-and-swap from 0 */
	_Atomic uint64_t value; /* likewise; 0: not yet, or forgotten */
};

struct table {
	/* Address of the slots | 64 - the logarithm of their number; 0: none yet. Changes
	 * by compare-and-swap to a larger one. */
	_Atomic uintptr_t slots;
	_Atomic uintptr_t first;  /* the value that it had first */
	_Atomic uint32_t used;    /* claimed slots, about */
	_Atomic uint32_t most;    /* it grows when these sixteenths are */
	_Atomic uint32_t forgets; /* calls of table_forget() */
};

/* The first slots: zeroed, 2^bits of them, at an address that is a multiple of 64. It
 * grows when sixteenths of them are used: more are slower, fewer larger. */
void table_init(struct table *table, struct slot *first, unsigned bits, unsigned sixteenths);

/* The value of key; 0: it has none. */
uint64_t table_find(const struct table *table, uint64_t key);

/* Makes sure that a value could be set. Returns 0 when there is no memory for it. */
int table_claim(struct table *table, uint64_t key);

/* Gives key the value, where it has none. Returns the one that it has then; 0: no memory. */
uint64_t table_set(struct table *table, uint64_t key, uint64_t value);

/* Takes from key its value, if (it & mask) == value. */
void table_forget(struct table *table, uint64_t key, uint64_t mask, uint64_t value);

/* Its upper bits are the place in the slots. */
static inline uint64_t table_hash(uint64_t key)
{
	return key * UINT64_C(0x9e3779b97f4a7c15);
}

/* Where its slots lie now, for many looks; 0: nowhere. */
static inline uintptr_t table_slots(const struct table *table)
{
	return atomic_load_explicit(&table->slots, memory_order_acquire);
}

/* A first quick look there: 0 may also mean that table_find() would find it. */
static inline uint64_t table_peek_in(uintptr_t slots, uint64_t key)
{
	const struct slot *slot =
	    (const struct slot *)(slots & ~(uintptr_t)63) + (table_hash(key) >> (slots & 63));

	if (__builtin_expect(atomic_load_explicit(&slot->key, memory_order_relaxed) != key, 0)) {
		/* The next of its line. */
		slot = (const struct slot *)(((uintptr_t)slot & ~(uintptr_t)63) |
					     (((uintptr_t)slot + sizeof(*slot)) & 63));
		if (atomic_load_explicit(&slot->key, memory_order_relaxed) != key)
			return 0;
	}
	return atomic_load_explicit(&slot->value, memory_order_acquire);
}

static inline uint64_t table_peek(const struct table *table, uint64_t key)
{
	uintptr_t slots = table_slots(table);

	return __builtin_expect(slots != 0, 1) ? table_peek_in(slots, key) : 0;
}

#endif
