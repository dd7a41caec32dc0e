/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_TIMELINE_H
#define MALLOGRAPH_TIMELINE_H

/*
 * Points of heap and resident memory over time: every 10 ms at first, and no
 * more than a thousandth of the time so far apart later, so their number grows with
 * the logarithm of the run.
 */

#include <stdint.h>
#include <sys/types.h>

#include "libcollect/recorder/account.h"

struct timeline {
	pid_t pid;    /* 0: gone */
	int statm_fd; /* -1: none */
	uint64_t started_ns, next_ns, next_peak_ns;
	uint64_t rss, peak_rss;          /* bytes; 0: not known */
	const _Atomic uint32_t *leaving; /* not 0: /proc may tell of another image */
	uint64_t last_tick;              /* of the last point */
};

/* rss: bytes that the program says it began with, or 0. leaving may be NULL. */
void timeline_start(struct timeline *timeline, pid_t pid, uint64_t rss,
		    const _Atomic uint32_t *leaving, uint64_t now_ns);
/* Adds a point when it is time for one, or in any case. tick is the present one. */
void timeline_point(struct timeline *timeline, const struct account *account, uint64_t tick,
		    uint64_t now_ns, int in_any_case);
void timeline_release(struct timeline *timeline);

#endif
