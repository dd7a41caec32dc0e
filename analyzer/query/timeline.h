/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_TIMELINE_H
#define MALLOGRAPH_TIMELINE_H

/*
 * The heap over time as massif shows it: snapshots at instants that one scan of
 * the events picks, some of them with what each class had alive then, the peak
 * always among them and exact. Figures are exact at each instant, not sampled.
 *
 * The axis is cut into equal intervals, and the snapshot of each is the instant at which
 * its heap was largest (the first such one; the state that an interval begins with counts as
 * its first instant). So no peak is lost between two snapshots, and the one of them all is the
 * profile's. Of intervals side by side in which nothing happens only the first has one. A first
 * snapshot is the empty heap at 0, a last one what is left at the end.
 */

#include <stddef.h>
#include <stdint.h>

#include "analyzer/model/filter.h"
#include "analyzer/model/profile.h"

enum timeline_axis { TIMELINE_MS, TIMELINE_ALLOCATIONS, TIMELINE_BYTES };

#define TIMELINE_LEAST_SNAPSHOTS 10

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
	struct timeline_snapshot *snapshots; /* times never go back */
	size_t count;
	uint64_t end_time; /* of the axis */
	size_t class_count;
};

/* A profile that is already the selection by options->filter (model/select.h) spares a scan for
 * where the axis ends; `live` goes by class ids of the whole one. Errors of profile_scan(),
 * ERROR_DAMAGED also when the events contradict the totals; ERROR_LIMIT: more blocks of one
 * class live at once than `live` can say; ERROR_UNSUPPORTED: as profile_select(). Where recording
 * events had stopped early the axis ends there; that of a selection ends with it. Discard in every
 * case. */
int timeline_collect(struct timeline *timeline, const struct profile *profile,
		     const struct timeline_options *options);
void timeline_discard(struct timeline *timeline);

/* A block of that size by massif's rule: its default of 8 bytes for each, and what rounding
 * up to 16 adds, as valgrind's allocator does. */
uint64_t timeline_extra_bytes(uint64_t size);

#endif
