/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_CLASSES_H
#define MALLOGRAPH_CLASSES_H

/*
 * A class is (stack node, size, function): found by its key, and counted. The two lie apart,
 * 16 and 32 bytes, since one thread may look up while another counts; with heads of
 * the chains of equal hash a class is 52 to 56 bytes.
 *
 * The peak costs O(1) an event: a new maximum takes a new peak number, and
 * copies nothing. Before the first change of a class behind it (its stamp is
 * another number) the live blocks of the class are saved. At the end the share
 * of a class is `saved` where its stamp is the peak number, and what is live
 * otherwise: it has not changed since.
 */

#include <stdint.h>

#include "libcollect/recorder/area.h"
#include "libcollect/recorder/batch.h"

struct crew;

struct class_key {
	uint64_t what;
	uint32_t node; /* of the trace */
	uint32_t next; /* of its chain; 0: none */
};

/* Live blocks are fewer than 2^32: pairing has no room for more. */
struct class_counts {
	uint64_t allocations;
	uint64_t temporary; /* bits 0-47; 48-63: bits 32-47 of the size */
	uint32_t size_low;
	uint32_t live, saved, stamp;
};
_Static_assert(sizeof(struct class_key) + sizeof(struct class_counts) == 48, "see above");

struct classes {           /* all zero: empty */
	struct crew *crew; /* others may be reading keys; or NULL */
	struct area keys, heads;
	uint32_t count; /* ids 1..count */
	uint32_t bits;  /* of the heads */

	struct area counts;
	uint32_t counted; /* ids that have counts */
	uint32_t peak_number;
	uint64_t live_bytes, live_blocks;
	uint64_t peak_bytes, peak_blocks, peak_tick;
};

void classes_release(struct classes *classes);

/* Finds the classes of a batch's allocations where they are unknown, or makes them. Events for
 * whose class there is no memory become BATCH_LOST. */
void classes_resolve(struct classes *classes, struct batch *batch);

static inline const struct class_key *classes_key(const struct classes *classes, uint32_t id)
{
	return (struct class_key *)classes->keys.base + id;
}

static inline uint64_t class_key_size(const struct class_key *key)
{
	return key->what & ((UINT64_C(1) << CLASS_SIZE_BITS) - 1);
}

static inline unsigned class_key_function(const struct class_key *key)
{
	return (unsigned)(key->what >> CLASS_SIZE_BITS);
}

/* --- counting: by one thread at a time ------------------------------------------------- */

static inline struct class_counts *classes_at(const struct classes *classes, uint32_t id)
{
	return (struct class_counts *)classes->counts.base + id;
}

/* Makes counts for the ids up to one, where there is room since they were found. */
void classes_count_up_to(struct classes *classes, uint32_t id);
/* Before a new peak: lets the peak number begin anew. */
void classes_renumber(struct classes *classes);

static inline uint64_t class_size(const struct class_counts *class_)
{
	return class_->temporary >> 48 << 32 | class_->size_low;
}

static inline void classes_touch(struct classes *classes, struct class_counts *class_)
{
	if (class_->stamp != classes->peak_number) {
		class_->saved = class_->live;
		class_->stamp = classes->peak_number;
	}
}

static inline void classes_allocate(struct classes *classes, struct class_counts *class_,
				    uint64_t tick)
{
	classes_touch(classes, class_);
	class_->allocations++;
	class_->live++;
	classes->live_bytes += class_size(class_);
	classes->live_blocks++;
	if (classes->live_bytes > classes->peak_bytes) {
		if (classes->peak_number == UINT32_MAX)
			classes_renumber(classes);
		classes->peak_number++;
		classes->peak_bytes = classes->live_bytes;
		classes->peak_blocks = classes->live_blocks;
		classes->peak_tick = tick;
	}
}

static inline void classes_deallocate(struct classes *classes, struct class_counts *class_,
				      int temporary)
{
	classes_touch(classes, class_);
	class_->live--;
	class_->temporary += temporary != 0;
	classes->live_bytes -= class_size(class_);
	classes->live_blocks--;
}

/* All that is known of a class. */
struct class_figures {
	uint64_t size;
	uint32_t node;
	unsigned function;
	uint64_t allocations, deallocations, temporary;
	uint64_t peak_live; /* blocks that were live at the peak */
};
void classes_figures(const struct classes *classes, uint32_t id, struct class_figures *figures);

#endif
