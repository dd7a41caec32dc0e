/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_SCAN_H
#define MALLOGRAPH_SCAN_H

/*
 * The events of a profile's file once more, in order, whatever kind of file it
 * is: for filters, instants and everything else that counters can't tell.
 */

#include <stdatomic.h>

#include "analyzer/model/profile.h"

/* How far a scan is, for those who look on, and their way to stop it. */
struct scan_watch {
	_Atomic uint64_t done; /* events of this scan; by the scan */
	atomic_int cancel;     /* non-zero: it ends with ERROR_CANCELLED; by whoever looks on */
	/* NULL, or called every few hundred events, in the thread of the work: how much of all
	 * of it is done. path NULL: it has ended. */
	void (*look)(struct scan_watch *watch, const char *path, uint64_t done, uint64_t total);
};

/* The scans that the calling thread begins from now on tell it; NULL: nobody looks on. */
void scan_watch_set(struct scan_watch *watch);
/* For other work on a whole file: calls look() of the calling thread's watch. */
void scan_watch_tell(const char *path, uint64_t done, uint64_t total);
/* How many events a scan gives: exact, or close to it. */
uint64_t scan_event_count(const struct profile *profile);

/* A batch, valid during the call; ids are those of the profile. Non-zero stops
 * the scan with that value. */
typedef int (*scan_events)(void *context, const struct trace_event *events, size_t count);

/* Reads profile->path again, as far as the profile was read: a trace that has grown since
 * gives the events that the profile knows. Of a selection: those of its whole.
 * profile->state may be TRACE_CUT or TRACE_DAMAGED; then the scan ends where the profile does.
 * Returns what a callback returned, 0, or an error: ERROR_SYSTEM (the file is gone: errno),
 * ERROR_FOREIGN (another file by now), ERROR_DAMAGED (events_fault says what), ERROR_MEMORY,
 * ERROR_UNSUPPORTED (no path, or two: a combined profile). Any number of threads may scan one
 * profile. */
int profile_scan(const struct profile *profile, scan_events events, void *context);

#endif
