/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TESTS_BENCH_DRIVER_H
#define TESTS_BENCH_DRIVER_H

/* The recorder's duties towards the programs, without its work: what the
 * contract (libcollect/ring.h) asks of R, and nothing else. */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "libcollect/recorder/clock.h"
#include "libcollect/recorder/region.h"
#include "libcollect/ring.h"

struct driver_ring {
	struct ring *ring;
	uint32_t chunk;
	int32_t tid;
	uint32_t number; /* in the session's capture */
	int gone;        /* its thread has ended */
};

/* What came; of one session, or of all. */
struct driver_sums {
	uint64_t words, rings, waits; /* waits: looks that found a thread waiting for room */
	uint64_t ring_chunks;         /* most that one ring had */
	uint64_t nodes, module_bytes, chunks;
	uint64_t kind[8], stamped, wide, bad; /* with counting only */
	uint64_t unknown;                     /* allocations with node 0 */
	uint64_t counter[SESSION_COUNTERS];
};

struct driver_session {
	struct session *session;
	uint32_t epoch;
	pid_t pid;
	int pidfd; /* -1: the process was over when we looked */
	struct driver_ring *rings;
	size_t count, room;
	struct driver_sums sums;
	FILE *capture; /* NULL: none */
};

struct driver {
	struct shared shared;
	FILE *output; /* NULL: says nothing */
	int counting;
	const char *save; /* the first session's capture; others have their number behind */
	struct clock clock;
	struct driver_session session[SESSIONS_MAX]; /* NULL session: not open */
	unsigned open, sessions;
	uint32_t epochs;
	double scanned, ends, threads; /* when it was last looked for, in seconds */
	struct driver_sums sums;
};

/* driver->output, counting and save are the caller's to set. */
void driver_open(struct driver *driver, struct region *region);

/* One look at everything; `all`: at each thing, however recently it was looked at. */
void driver_round(struct driver *driver, double now, int all);

/* Ends the sessions that are still open, and says the sums. */
void driver_leave(struct driver *driver);

#endif
