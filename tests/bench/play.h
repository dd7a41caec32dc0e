/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_BENCH_PLAY_H
#define MALLOGRAPH_BENCH_PLAY_H

/*
 * Feeds a capture to the recorder as a program would: its words go into rings of a region,
 * as many as fit, and drain.c takes them out up to the moment until which all rings are
 * filled; again, until all is drained. Only the drain, the books and the writer are timed,
 * not the copying.
 */

#include "libcollect/recorder/account.h"
#include "tests/bench/capture.h"

struct play_options {
	enum trace_codec codec;
	int level;
	unsigned hands;    /* that work at it, as crew.h has them; 0: one */
	unsigned segments; /* of a ring that are filled for a round; 0: all */
};

struct play_result {
	double seconds, cpu_seconds; /* of all threads */
	uint64_t bytes;              /* of the trace */
	uint64_t rounds, late, bad;
	struct account_totals totals;
	uint64_t peak_bytes, peak_blocks, peak_tick, live_bytes, live_blocks;
	uint64_t classes, nodes, unknown_frees, reallocations;
	uint64_t figures; /* a sum over every class' and thread's counters, peak shares included */
};

/* fd: of the trace, written from its present place. 0, or -1 with errno. */
int play(const struct capture *capture, const struct play_options *options, int fd,
	 struct play_result *result);

#endif
