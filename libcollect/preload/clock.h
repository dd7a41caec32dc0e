/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_CLOCK_H
#define MALLOGRAPH_CLOCK_H

/*
 * The stamp of an event. Order between threads hangs on it: for one address
 * allocation < deallocation < next allocation must hold. lfence keeps rdtsc
 * from running ahead of the loads before it; without it the stamp of a thread
 * that receives a block can be older than that of the one that made it.
 */

#include <sys/single_threaded.h>
#include <time.h>

#include "libcollect/preload/state.h"

static inline uint64_t stamp_tsc(void)
{
	uint32_t low, high;

	__asm__ volatile("lfence\n\trdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

static inline uint64_t stamp(void)
{
	struct timespec now;

	if (unlikely(self.strict != 0))
		return self.strict_since;
	if (likely(shared_region->clock == CLOCK_TSC))
		return stamp_tsc();
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/*
 * While a process has one ring, that is the order, and events need no stamp, however many
 * threads there are. A thread that opens another one sets state->many before it records anything.
 * Whatever the first one does in consequence of that, be it that it is given a block that was given
 * back, it does after it has seen something that was written after many: so it sees that, too.
 * Events of which neither is a consequence of the other may stand in any order.
 *
 * What is told after it was made must not be taken for later than it was: put.h.
 */
static inline int stamp_is_needed(void)
{
	return unlikely(atomic_load_explicit(&state->many, memory_order_relaxed) != 0);
}

/* Whether some other thread may open a ring, or has. */
static inline int others_may_come(void)
{
	return __libc_single_threaded == 0 || stamp_is_needed();
}

/* The stamp that an event needs, or 0. */
static inline uint64_t stamp_if_needed(void)
{
	return stamp_is_needed() ? stamp() : 0;
}

/* The stamp for what is made now and told in a moment, behind what handlers may tell until then:
 * where it needs none, that of the last event that has been told. */
static inline uint64_t stamp_to_tell(const struct thread *thread)
{
	return stamp_is_needed() ? stamp() : thread->told;
}

#endif
