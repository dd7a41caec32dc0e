/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_RECOUNT_H
#define MALLOGRAPH_RECOUNT_H

/* Counts events into the classes, threads and totals of a profile: for traces
 * without an end, and to check those that have one. Private to the model. */

#include "analyzer/model/profile.h"

struct recount_class {
	uint64_t size;
	uint64_t allocations, live, temporary;
	uint64_t peak_live;
	uint64_t stamp;    /* the peak's number at the class's last change after a peak */
	uint64_t spare[2]; /* a cache line for a class */
};

struct recount {
	struct profile *profile; /* its threads and totals are counted in place */
	struct recount_class *classes;
	size_t class_count, class_room;
	uint64_t temporary_threshold; /* allocations in between; 0 at first */
	uint64_t peak_number;
	uint64_t live_bytes, live_blocks;
	uint64_t last_tick;
};

/* The profile's figures must be 0 at the first event. */
void recount_init(struct recount *recount, struct profile *profile);
void recount_release(struct recount *recount);

/* Classes may have been added to the profile since the last call.
 * ids: where not NULL, the classes of the events instead of their own.
 * ERROR_DAMAGED: an event contradicts the ones before; ERROR_MEMORY. */
int recount_events(struct recount *recount, const struct trace_event *events, size_t count,
		   const uint32_t *ids);

/* Once, behind the last event: the figures of the classes, the peak's shares, the totals,
 * and those of profile->end that events and stacks tell. */
int recount_finish(struct recount *recount);

#endif
