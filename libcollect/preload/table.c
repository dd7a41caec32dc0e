/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Open addressing, with linear probing by lines of four slots. A slot is claimed by putting the key
 * where 0 was, then filled by putting the value where 0 was, both by compare-and-swap;
 * who finds it claimed and not filled fills it himself. Keys stay for ever, so
 * a chain of probes never breaks; forgetting sets the value back to 0.
 *
 * Growing: anybody who finds the slots full enough copies them into a
 * larger array and puts that in their place by compare-and-swap (who loses that race throws
 * his copy away), then copies once more what was filled meanwhile. Who fills a
 * slot looks afterwards whether the array is still the one: if so, the second
 * copying is yet to come, else he does it again in the new one. So nothing is
 * lost but where a thread dies or sleeps in the middle for as long as the next growing
 * takes; what is lost is only made anew, under another number.
 *
 * Forgetting looks afterwards likewise. What was forgotten in the old array
 * while it was being copied is taken out of the new one at the end.
 *
 * Readers may be in an old array at any time: it stays mapped, with its
 * memory given back, so they find nothing there and look again. All arrays
 * together take twice the address space of the last.
 */
#include "libcollect/preload/table.h"

#include <stddef.h>
#include <sys/mman.h>

#include "libcollect/preload/rawio.h"
#include "libcollect/preload/state.h"

#include "libcollect/preload/banned.h"

enum {
	LINE = 64 / sizeof(struct slot),
	PROBES = 128,
	MAPPED_BITS = 8 /* a page */,
	BITS_MAX = 28,
	TRIES = 4
};

static inline struct slot *slots_at(uintptr_t slots)
{
	return (struct slot *)(slots & ~(uintptr_t)63);
}

static inline unsigned slots_bits(uintptr_t slots)
{
	return 64 - (unsigned)(slots & 63);
}

/* The slot of key, or the free one where it would be; NULL: there is none. */
static inline struct slot *locate(uintptr_t slots, uint64_t key)
{
	size_t mask = ((size_t)1 << slots_bits(slots)) - 1, at = table_hash(key) >> (slots & 63);
	size_t line = at & ~(size_t)(LINE - 1);

	for (unsigned probed = 0; probed < PROBES && probed <= mask; probed += LINE) {
		for (unsigned i = 0; i < LINE; i++) {
			struct slot *slot = &slots_at(slots)[line + ((at + i) & (LINE - 1))];
			uint64_t found = atomic_load_explicit(&slot->key, memory_order_acquire);

			if (found == key || found == 0)
				return slot;
		}
		line = (line + LINE) & mask;
	}
	return NULL;
}

/* The slot of key, claimed if need be; *fresh tells. NULL: there is no room. */
static struct slot *claim(uintptr_t slots, uint64_t key, int *fresh)
{
	*fresh = 0;
	for (;;) {
		struct slot *slot = locate(slots, key);
		uint64_t none = 0;

		if (slot == NULL || atomic_load(&slot->key) == key)
			return slot;
		if (atomic_compare_exchange_strong(&slot->key, &none, key)) {
			*fresh = 1;
			return slot;
		}
		if (none == key)
			return slot;
	}
}

uint64_t table_find(const struct table *table, uint64_t key)
{
	uintptr_t slots = atomic_load_explicit(&table->slots, memory_order_acquire), before;

	do {
		const struct slot *slot = slots != 0 ? locate(slots, key) : NULL;
		uint64_t value;

		if (likely(slot != NULL)) {
			/* A free one has none. */
			value = atomic_load_explicit(&slot->value, memory_order_acquire);
			if (likely(value != 0 &&
				   atomic_load_explicit(&slot->key, memory_order_relaxed) == key))
				return value;
		}
		before = slots;
		slots = atomic_load_explicit(&table->slots, memory_order_acquire);
	} while (slots != before);
	return 0;
}

void table_init(struct table *table, struct slot *first, unsigned bits, unsigned sixteenths)
{
	uintptr_t none = 0, slots = (uintptr_t)first | (64 - bits);

	atomic_store_explicit(&table->first, slots, memory_order_relaxed);
	atomic_store_explicit(&table->most, sixteenths, memory_order_relaxed);
	atomic_compare_exchange_strong(&table->slots, &none, slots);
}

/* Returns how many there are in the old one. */
static uint32_t copy(uintptr_t from, uintptr_t to)
{
	uint32_t filled = 0;
	int fresh;

	for (size_t i = 0; i < (size_t)1 << slots_bits(from); i++) {
		struct slot *slot = &slots_at(from)[i], *other;
		uint64_t value = atomic_load(&slot->value), none = 0;

		if (value == 0)
			continue;
		filled++;
		other = claim(to, atomic_load(&slot->key), &fresh);
		if (other != NULL)
			atomic_compare_exchange_strong(&other->value, &none, value);
	}
	return filled;
}

/* Takes out what was forgotten while it was copied, and, harmlessly, what was
 * claimed then. */
static void copy_forgetting(uintptr_t from, uintptr_t to)
{
	for (size_t i = 0; i < (size_t)1 << slots_bits(from); i++) {
		struct slot *slot = &slots_at(from)[i], *other;
		uint64_t key = atomic_load(&slot->key);

		if (key == 0 || atomic_load(&slot->value) != 0)
			continue;
		other = locate(to, key);
		if (other != NULL && atomic_load(&other->key) == key)
			atomic_store(&other->value, 0);
	}
}

static cold void grow(struct table *table, uintptr_t old)
{
	unsigned bits = slots_bits(old) + 1 > MAPPED_BITS ? slots_bits(old) + 1 : MAPPED_BITS;
	size_t bytes = sizeof(struct slot) << bits;
	uint32_t forgets = atomic_load(&table->forgets);
	uintptr_t slots, expected = old;
	struct slot *map = bits <= BITS_MAX ? raw_map_wiped(bytes) : NULL;
	uint32_t filled;

	if (map == NULL)
		return;
	raw_populate(map, bytes);
	slots = (uintptr_t)map | (64 - bits);
	filled = copy(old, slots);
	if (!atomic_compare_exchange_strong(&table->slots, &expected, slots)) {
		raw_unmap(map, bytes);
		return;
	}
	atomic_store(&table->used, filled);
	copy(old, slots);
	if (atomic_load(&table->forgets) != forgets)
		copy_forgetting(old, slots);
	if (old != atomic_load(&table->first))
		raw_syscall(SYS_madvise, (long)slots_at(old),
			    (long)(sizeof(struct slot) << slots_bits(old)), MADV_DONTNEED, 0, 0, 0);
}

/* The slot of key in *slots, which is the table's present array. */
static struct slot *claim_now(struct table *table, uint64_t key, uintptr_t *slots)
{
	for (unsigned try = 0; try < TRIES; try++) {
		struct slot *slot;
		uint32_t used, most;
		int fresh;

		*slots = atomic_load(&table->slots);
		if (*slots == 0)
			return NULL;
		slot = claim(*slots, key, &fresh);
		if (slot == NULL) {
			grow(table, *slots);
			continue;
		}
		if (!fresh)
			return slot;
		used = atomic_fetch_add(&table->used, 1) + 1;
		most = (atomic_load(&table->most) << slots_bits(*slots)) / 16;
		/* One grows it; should he be lost, somebody later. */
		if (used < most || (used - most) % 8 != 0)
			return slot;
		grow(table, *slots);
		if (atomic_load(&table->slots) == *slots)
			return slot;
	}
	return NULL;
}

int table_claim(struct table *table, uint64_t key)
{
	uintptr_t slots;

	return claim_now(table, key, &slots) != NULL;
}

uint64_t table_set(struct table *table, uint64_t key, uint64_t value)
{
	uintptr_t slots;

	for (unsigned try = 0; try < TRIES; try++) {
		struct slot *slot = claim_now(table, key, &slots);
		uint64_t found = 0;

		if (slot == NULL)
			return 0;
		if (!atomic_compare_exchange_strong(&slot->value, &found, value))
			return found;
		if (atomic_load(&table->slots) == slots)
			return value;
	}
	return value;
}

void table_forget(struct table *table, uint64_t key, uint64_t mask, uint64_t value)
{
	uintptr_t slots = atomic_load(&table->slots), before;

	atomic_fetch_add(&table->forgets, 1);
	do {
		struct slot *slot = slots != 0 ? locate(slots, key) : NULL;

		if (slot != NULL && atomic_load(&slot->key) == key) {
			uint64_t found = atomic_load(&slot->value);

			if ((found & mask) == value)
				atomic_compare_exchange_strong(&slot->value, &found, 0);
		}
		before = slots;
		slots = atomic_load(&table->slots);
	} while (slots != before);
}
