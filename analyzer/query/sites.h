/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_SITES_H
#define MALLOGRAPH_SITES_H

/*
 * Who allocated: the classes of a profile gathered by stack, and the stacks by
 * site (one function, file and line of a module). The costs of all sites add up
 * to the profile's totals, and so do those of all stacks.
 */

#include <stddef.h>
#include <stdint.h>

#include "analyzer/model/profile.h"

struct cost {
	uint64_t allocations, temporary, bytes;
	uint64_t peak_blocks, peak_bytes;
	uint64_t leaked_blocks, leaked_bytes;
};

enum cost_kind {
	COST_ALLOCATIONS,
	COST_TEMPORARY,
	COST_PEAK,  /* bytes */
	COST_LEAKED /* bytes */
};
uint64_t cost_of(const struct cost *cost, enum cost_kind kind);
/* Something to show: a block of 0 bytes is leaked, too. */
int cost_present(const struct cost *cost, enum cost_kind kind);

struct site_stack {
	struct cost cost;
	uint32_t site;
	uint32_t node;  /* where it begins, behind operator new; 0: not known */
	uint32_t frame; /* the same: of that node's location */
};

struct site {
	struct cost cost;
	uint32_t node, frame; /* one of its stacks */
	/* how many frames from there (this one and those it was inlined into) all
	 * stacks of the site have in common; 0 without symbol */
	uint32_t shared_frames;
	uint32_t first_stack, stack_count; /* in sites.stacks */
};

struct sites {
	struct site *sites;
	size_t site_count;
	struct site_stack *stacks; /* those of a site side by side */
	size_t stack_count;
};

/* ERROR_MEMORY, or 0; release in both cases. */
int sites_init(struct sites *sites, const struct profile *profile);
void sites_release(struct sites *sites);

/* Indices of the sites, or of count stacks from first on, that have a cost of
 * that kind; largest first, among equals in the order of the trace. The caller
 * frees; NULL when out of memory. *found is how many there are. */
uint32_t *sites_sorted(const struct sites *sites, enum cost_kind kind, size_t *found);
uint32_t *sites_sorted_stacks(const struct sites *sites, size_t first, size_t count,
			      enum cost_kind kind, size_t *found);

#endif
