/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_COST_H
#define MALLOGRAPH_COST_H

/* What an entry of a report costs, and how entries rank by it. */

#include <stddef.h>
#include <stdint.h>

#include "analyzer/model/profile.h"
#include "analyzer/query/lens.h"

struct cost { /* each below 2^63, as all sums of a profile are */
	uint64_t allocations, temporary, bytes;
	uint64_t peak_blocks, peak_bytes;
	uint64_t leaked_blocks, leaked_bytes;
};

enum cost_kind {
	COST_ALLOCATIONS,
	COST_TEMPORARY,
	COST_PEAK,   /* bytes */
	COST_LEAKED, /* bytes */
	COST_BYTES   /* requested in all */
};
/* "allocations", "peak": as print's --sort takes it. */
const char *cost_name(enum cost_kind kind);
uint64_t cost_of(const struct cost *cost, enum cost_kind kind);
/* Something to show: a block of 0 bytes is leaked, too. */
int cost_present(const struct cost *cost, enum cost_kind kind);
/* cost - base */
int64_t cost_difference(const struct cost *cost, const struct cost *base, enum cost_kind kind);
void cost_add(struct cost *cost, const struct cost *more);
/* less must be part of cost */
void cost_subtract(struct cost *cost, const struct cost *less);
/* What a class costs: its leaks are 0 where the lens suppresses them. */
struct cost cost_of_class(const struct profile *profile, const struct lens *lens,
			  uint32_t class_id);

/* Which entries, in which order: largest first; among equals the one with more
 * allocations (of leaks: more leaked blocks), then as in the trace. */
struct ordering {
	enum cost_kind kind; /* what an entry must have, and by which it ranks */
	int sort_by;         /* enum cost_kind to rank by instead; -1: kind */
	/* Of a combined profile: by cost - base, growth first, largest first, then shrinkage,
	 * largest first. What does not differ in kind is left out. */
	int difference;
	uint64_t least; /* entries whose cost (|difference|) in kind is below are left out */
};

/* For sorting many: filled with cost_rank(), which is 0 for what the ordering
 * leaves out, then put in order; cost_sort() frees ranks and returns their
 * indices, which the caller frees, or NULL when out of memory. */
struct cost_rank {
	uint64_t first, second;
	int group;
	uint32_t index;
};
int cost_rank(struct cost_rank *rank, const struct cost *cost, const struct cost *base,
	      const struct ordering *ordering, uint32_t index);
uint32_t *cost_sort(struct cost_rank *ranks, size_t count);
/* For who needs few of many: puts a rank among the first `most`, of which there are count, in
 * order; what would be behind them is left out. Returns how many there are then. */
size_t cost_keep_first(struct cost_rank *first, size_t count, size_t most,
		       const struct cost_rank *rank);

#endif
