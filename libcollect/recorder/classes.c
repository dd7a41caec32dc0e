/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libcollect/recorder/classes.h"

#include <stddef.h>

#include "formats/error.h"
#include "libcollect/recorder/crew.h"

enum { FIRST_BITS = 8, MOST = 1u << 30 };

void classes_release(struct classes *classes)
{
	area_release(&classes->keys);
	area_release(&classes->heads);
	area_release(&classes->counts);
	*classes = (struct classes){.crew = classes->crew};
}

/* --- keys --------------------------------------------------------------------------------- */

static inline struct class_key *key_at(const struct classes *classes, uint32_t id)
{
	return (struct class_key *)classes->keys.base + id;
}

static inline uint32_t *head_of(const struct classes *classes, uint32_t node, uint64_t what)
{
	uint64_t h = ((uint64_t)node << 32 ^ what ^ what >> 23) * UINT64_C(0x9e3779b97f4a7c15);

	h = (h ^ h >> 31) * UINT64_C(0xbf58476d1ce4e5b9);
	return (uint32_t *)classes->heads.base + (h >> (64 - classes->bits));
}

/* At most as many classes as heads: twice the heads, and the chains anew. */
static int grow_heads(struct classes *classes)
{
	uint32_t bits = classes->bits == 0 ? FIRST_BITS : classes->bits + 1;
	struct area heads = {0};

	if (area_reserve(&heads, sizeof(uint32_t) << bits) != 0)
		return ERROR_MEMORY;
	area_release(&classes->heads);
	classes->heads = heads;
	classes->bits = bits;
	for (uint32_t id = 1; id <= classes->count; id++) {
		struct class_key *key = key_at(classes, id);
		uint32_t *head = head_of(classes, key->node, key->what);

		key->next = *head;
		*head = id;
	}
	return 0;
}

static uint32_t add(struct classes *classes, uint32_t *head, uint32_t node, uint64_t what)
{
	uint32_t id = classes->count + 1;
	size_t bytes = (id + UINT64_C(1)) * sizeof(struct class_key);
	size_t counts = (id + UINT64_C(1)) * sizeof(struct class_counts);

	if (id > MOST)
		return 0;
	if (bytes > classes->keys.bytes || counts > classes->counts.bytes) {
		crew_wait(classes->crew); /* who may be reading them where they are */
		if (area_reserve(&classes->keys, bytes) != 0 ||
		    area_reserve(&classes->counts, counts) != 0)
			return 0;
	}
	*key_at(classes, id) = (struct class_key){what, node, *head};
	*head = id;
	classes->count = id;
	return id;
}

static uint32_t find(struct classes *classes, uint32_t *head, uint32_t node, uint64_t what)
{
	for (uint32_t id = *head; id != 0; id = key_at(classes, id)->next) {
		const struct class_key *key = key_at(classes, id);

		if (key->what == what && key->node == node)
			return id;
	}
	return add(classes, head, node, what);
}

/* Room for what a batch may bring. Chains may be longer than they should be, but not none. */
static int make_heads(struct classes *classes, uint32_t more)
{
	while (classes->bits == 0 || classes->count + more > UINT32_C(1) << classes->bits)
		if (grow_heads(classes) != 0)
			break;
	return classes->bits != 0 ? 0 : ERROR_MEMORY;
}

void classes_resolve(struct classes *classes, struct batch *batch)
{
	uint32_t *head[BATCH_EVENTS];
	int error = make_heads(classes, batch->unknown_count);

	for (uint32_t i = 0; i < batch->unknown_count && !error; i++) {
		const struct batch_event *event = &batch->event[batch->unknown[i].at];

		head[i] = head_of(classes, event->node, event->number);
		__builtin_prefetch(head[i]);
	}
	for (uint32_t i = 0; i < batch->unknown_count && !error; i++)
		__builtin_prefetch(key_at(classes, *head[i]));
	for (uint32_t i = 0; i < batch->unknown_count; i++) {
		struct batch_event *event = &batch->event[batch->unknown[i].at];

		event->class_id = error ? 0 : find(classes, head[i], event->node, event->number);
		event->number = batch->unknown[i].number;
		if (event->class_id == 0) {
			batch->lost += event->operation == BATCH_TEMPORARY ? 2 : 1;
			event->operation = BATCH_LOST;
		}
	}
	batch->classes = classes->count;
}

/* --- counts -------------------------------------------------------------------------------- */

void classes_count_up_to(struct classes *classes, uint32_t last)
{
	while (classes->counted < last) {
		uint64_t size = class_key_size(classes_key(classes, ++classes->counted));

		/* Nothing of it was live at the peak so far. */
		*classes_at(classes, classes->counted) =
		    (struct class_counts){.temporary = size >> 32 << 48,
					  .size_low = (uint32_t)size,
					  .stamp = classes->peak_number};
	}
}

/* At a new peak, when all that was saved is out of date. */
void classes_renumber(struct classes *classes)
{
	for (uint32_t id = 1; id <= classes->counted; id++)
		classes_at(classes, id)->stamp = 0;
	classes->peak_number = 0;
}

void classes_figures(const struct classes *classes, uint32_t id, struct class_figures *figures)
{
	static const struct class_counts none;
	const struct class_key *key = classes_key(classes, id);
	const struct class_counts *counts =
	    id <= classes->counted ? classes_at(classes, id) : &none;

	*figures = (struct class_figures){
	    .size = class_key_size(key),
	    .node = key->node,
	    .function = class_key_function(key),
	    .allocations = counts->allocations,
	    .deallocations = counts->allocations - counts->live,
	    .temporary = counts->temporary & ((UINT64_C(1) << 48) - 1),
	    .peak_live = counts->stamp == classes->peak_number ? counts->saved : counts->live};
}
