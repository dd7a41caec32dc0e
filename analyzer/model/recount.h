/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_RECOUNT_H
#define MALLOGRAPH_RECOUNT_H

/* Counts events into the classes, threads and totals of a profile: for traces
 * without an end, and to check those that have one. Private to the model. */

#include "analyzer/model/profile.h"

struct recount {
	struct profile *profile;
	/* stamp[class]: the peak number at the class's last change after a peak */
	uint64_t *stamp;
	size_t stamp_count;
	uint64_t peak_number;
	uint64_t live_bytes, live_blocks;
	uint64_t last_tick;
};

/* The profile's figures must be 0 at the first event. */
void recount_init(struct recount *recount, struct profile *profile);
void recount_release(struct recount *recount);

/* ERROR_DAMAGED: the event contradicts the ones before; ERROR_MEMORY. */
int recount_event(struct recount *recount, const struct trace_event *event);

/* Once, behind the last event: the peak's shares, the totals, and those of
 * profile->end that events tell. */
int recount_finish(struct recount *recount);

#endif
