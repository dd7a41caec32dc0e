/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_TIMELINE_H
#define MALLOGRAPH_TIMELINE_H

/*
 * The heap over time as massif shows it: snapshots at instants that one scan of
 * the events picks, some of them with what each class had alive then, the peak
 * always among them and exact. Figures are exact at each instant, not sampled.
 */

#include <stddef.h>
#include <stdint.h>

#include "analyzer/model/filter.h"
#include "analyzer/model/profile.h"

enum timeline_axis { TIMELINE_MS, TIMELINE_ALLOCATIONS, TIMELINE_BYTES };

struct timeline_options {
	enum timeline_axis axis;     /* TIMELINE_BYTES: sum of sizes allocated and given back */
	size_t snapshots;            /* at most; at least 10 */
	unsigned detailed_every;     /* every Nth is detailed; 0: only the peak */
	const struct filter *filter; /* NULL: everything */
};

struct timeline_snapshot {
	uint64_t time; /* in units of the axis */
	uint64_t tick; /* 1 ms */
	uint64_t heap_bytes, extra_bytes,
	    blocks;   /* extra: massif's rule, 8 a block + padding to 16 */
	uint64_t rss; /* the sample before; 0: unknown */
	int peak;
	uint32_t *live; /* by class id: live blocks; NULL where not detailed */
};

struct timeline {
	struct timeline_snapshot *snapshots;
	size_t count;
	uint64_t end_time; /* of the axis */
};

/* Errors of profile_scan(). Release in every case. */
int timeline_collect(struct timeline *timeline, const struct profile *profile,
		     const struct timeline_options *options);
void timeline_release(struct timeline *timeline);

#endif
