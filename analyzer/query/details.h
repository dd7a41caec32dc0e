/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_DETAILS_H
#define MALLOGRAPH_DETAILS_H

/* What only events can tell of groups of classes (sites, stacks, functions ...):
 * own peak, lifetimes, first and last time, threads. One scan for all groups. */

#include <stddef.h>
#include <stdint.h>

#include "analyzer/model/filter.h"
#include "analyzer/model/profile.h"

struct details {
	uint64_t own_peak_bytes, own_peak_tick; /* its own maximum, the first instant */
	uint64_t first_tick, last_tick;         /* of its allocations */
	/* of the blocks given back, in ticks (1 ms) */
	uint64_t lifetime_count, lifetime_sum, lifetime_least, lifetime_most;
	uint32_t threads; /* how many allocated */
	uint32_t thread;  /* the one that allocated most (id), and how often */
	uint64_t thread_allocations;
};

/* What the file lacks (profile->lacks: threads, lifetimes) is 0. A block given back behind the
 * end of the filter's time range has a lifetime, too. Of a selection by thread
 * give the filter that it was made with.
 *
 * group_of[class id] of profile: below groups, or UINT32_MAX for none. *details is an
 * array of groups; the caller frees. filter NULL: everything. Errors of profile_scan(). */
int details_collect(struct details **details, const struct profile *profile,
		    const struct filter *filter, const uint32_t *group_of, size_t groups);

#endif
