/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libcollect/recorder/classes.h"

#include <stddef.h>

enum { FIRST_BITS = 8, MOST = 1u << 30 };

void classes_release(struct classes *classes)
{
	area_release(&classes->counts);
	area_release(&classes->index);
	*classes = (struct classes){0};
}

static inline uint64_t hash(uint32_t node, uint64_t size, unsigned function)
{
	uint64_t h =
	    ((uint64_t)node << 32 ^ size ^ (uint64_t)function << 56) * UINT64_C(0x9e3779b97f4a7c15);

	return (h ^ h >> 31) * UINT64_C(0xbf58476d1ce4e5b9);
}

static uint32_t *slot_of(const struct classes *classes, uint64_t h)
{
	return (uint32_t *)classes->index.base + (h >> (64 - classes->bits));
}

/* The slot behind, round at the end. */
static uint32_t *slot_behind(const struct classes *classes, uint32_t *slot)
{
	uint32_t *first = classes->index.base;

	return ++slot == first + (UINT32_C(1) << classes->bits) ? first : slot;
}

static int grow_index(struct classes *classes)
{
	uint32_t bits = classes->bits == 0 ? FIRST_BITS : classes->bits + 1;
	struct area index = {0};

	if (area_reserve(&index, sizeof(uint32_t) << bits) != 0)
		return -1;
	area_release(&classes->index);
	classes->index = index;
	classes->bits = bits;
	for (uint32_t id = 1; id <= classes->count; id++) {
		const struct class_counts *class_ = classes_at(classes, id);
		uint32_t *slot =
		    slot_of(classes, hash(class_->node, class_->size, class_->function));

		while (*slot != 0)
			slot = slot_behind(classes, slot);
		*slot = id;
	}
	return 0;
}

uint32_t classes_find(struct classes *classes, uint32_t node, uint64_t size, unsigned function,
		      int *is_new)
{
	uint32_t *slot, id;

	*is_new = 0;
	/* At most half full: each slot too many is a class, and a line, too many. */
	if (classes->bits == 0 || classes->count >= UINT32_C(1) << classes->bits >> 1)
		if (classes->count >= MOST || grow_index(classes) != 0)
			return 0;
	slot = slot_of(classes, hash(node, size, function));
	while (*slot != 0) {
		const struct class_counts *class_ = classes_at(classes, *slot);

		if (class_->node == node && class_->size == size && class_->function == function)
			return *slot;
		slot = slot_behind(classes, slot);
	}
	id = classes->count + 1;
	if (area_reserve(&classes->counts, (id + UINT64_C(1)) * sizeof(struct class_counts)) != 0)
		return 0;
	/* Nothing of it was live at the peak so far. */
	*classes_at(classes, id) = (struct class_counts){.node = node,
							 .size = size,
							 .function = (uint8_t)function,
							 .stamp = classes->peak_number};
	classes->count = id;
	*slot = id;
	*is_new = 1;
	return id;
}
