/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_CLASSES_H
#define MALLOGRAPH_CLASSES_H

/*
 * A class is (stack node, size, function). Its counters, and the sums over all
 * classes whose maximum is the peak.
 *
 * The peak costs O(1) an event: a new maximum takes a new peak number, and
 * copies nothing. Before the first change of a class behind it (its stamp is
 * another number) the live blocks of the class are saved. At the end the share
 * of a class is `saved` where its stamp is the peak number, and what is live
 * otherwise: it has not changed since.
 */

#include <stdint.h>

#include "libcollect/recorder/area.h"

struct class_counts { /* one cache line */
	uint64_t allocations, deallocations, temporary;
	uint64_t saved, stamp;
	uint64_t size;
	uint32_t node; /* of the file */
	uint8_t function;
	uint8_t flags; /* of all frames of the stack: enum trace_node_flag */
	uint16_t pad;
	uint64_t pad1;
};
_Static_assert(sizeof(struct class_counts) == 64, "a class is a cache line");

struct classes { /* all zero: empty */
	struct area counts, index;
	uint32_t count; /* ids 1..count */
	uint32_t bits;  /* of the index */

	uint64_t live_bytes, live_blocks;
	uint64_t peak_number, peak_bytes, peak_blocks, peak_tick;
};

void classes_release(struct classes *classes);

static inline struct class_counts *classes_at(const struct classes *classes, uint32_t id)
{
	return (struct class_counts *)classes->counts.base + id;
}

/* The class' id, 0 when out of memory. *is_new: its node's flags are to be set
 * and the file wants its definition. */
uint32_t classes_find(struct classes *classes, uint32_t node, uint64_t size, unsigned function,
		      int *is_new);

static inline void classes_touch(struct classes *classes, struct class_counts *class_)
{
	if (class_->stamp != classes->peak_number) {
		class_->saved = class_->allocations - class_->deallocations;
		class_->stamp = classes->peak_number;
	}
}

static inline void classes_allocate(struct classes *classes, struct class_counts *class_,
				    uint64_t tick)
{
	classes_touch(classes, class_);
	class_->allocations++;
	classes->live_bytes += class_->size;
	classes->live_blocks++;
	if (classes->live_bytes > classes->peak_bytes) {
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
	class_->deallocations++;
	class_->temporary += temporary != 0;
	classes->live_bytes -= class_->size;
	classes->live_blocks--;
}

/* Blocks of the class that were live at the peak. */
static inline uint64_t classes_peak_live(const struct classes *classes,
					 const struct class_counts *class_)
{
	return class_->stamp == classes->peak_number ? class_->saved
						     : class_->allocations - class_->deallocations;
}

#endif
