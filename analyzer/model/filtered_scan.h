/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_FILTERED_SCAN_H
#define MALLOGRAPH_FILTERED_SCAN_H

/*
 * The events of the allocations that a filter selects, in order: the same
 * shape as profile_scan(), so whoever counts events counts those of a selection
 * as it does all.
 */

#include "analyzer/model/filter.h"
#include "analyzer/model/scan.h"

/* trace_event.operation, besides ALLOCATION and DEALLOCATION: the deallocation of a selected
 * block at or behind the end of the selection's time range. At the range's end the block is
 * alive; only what it is apart from that (its lifetime, being temporary) is told by it. */
enum { FILTER_LATE_DEALLOCATION = TRACE_OPERATION_DEALLOCATION | 64 };

/* What is not in the file: ERROR_UNSUPPORTED, and complaint (may be NULL) says what. On success it
 * is empty or has a remark, when a term can match nothing ("no thread is called 'x'"). Otherwise
 * the errors of profile_scan(), and what the callback returned. filter NULL: everything; frees of
 * unknown blocks are left out in any case. */
int filtered_scan(const struct profile *profile, const struct filter *filter, scan_events events,
		  void *context, char *complaint, size_t complaint_bytes);

/* The tick at which the selection's time range ends (its first tick outside); UINT64_MAX: with the
 * trace. */
uint64_t filter_range_end(const struct filter *filter);

/* A threshold is none of the events: temporary is what has at most as many allocations in between.
 */
static inline int filter_is_temporary(const struct filter *filter, const struct trace_event *event)
{
	return event->age_allocations <= (filter ? filter->temporary_threshold : 0);
}

#endif
