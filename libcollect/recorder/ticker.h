/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_RECORDER_TICKER_H
#define MALLOGRAPH_RECORDER_TICKER_H

/*
 * A thread that changes region.tick every millisecond, so that events without a
 * stamp get a time that often also while the recorder writes, compresses or waits for
 * a processor. It rests while the recorder is in a long sleep, of which a program
 * wakes it with its first event.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "libcollect/ring.h"

struct ticker {
	struct region *region;
	pthread_t thread;
	int runs;               /* 0: there is none, and the recorder's own ticks must do */
	_Atomic uint32_t awake; /* futex word */
	_Atomic uint32_t stop;
};

void ticker_start(struct ticker *ticker, struct region *region);
void ticker_rest(struct ticker *ticker);
void ticker_wake(struct ticker *ticker);
void ticker_stop(struct ticker *ticker);

#endif
