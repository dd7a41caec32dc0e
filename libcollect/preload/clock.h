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
 * One thread of a process may leave out stamps: state->solo. Its ring is its events' order, and
 * an EVENT_TIME now and then says how late it is. Every other thread stamps, and between
 * the stamp and whatever may come of the event (the block is given back, or given to the
 * program) it looks whether there is a solo thread, and ends that.
 *
 * So what the solo thread does in consequence of another's event it does after it has seen that the
 * solo is over, and stamps. And whoever begins a solo gets its first time behind that: others, that
 * saw no solo after they had stamped, had stamped before; and so had the one that was solo
 * before, which looks behind each EVENT_TIME, too. Events of which neither is a
 * consequence of the other may stand in any order. What is told after it was made must not
 * be taken for later than it was: past_begin().
 *
 * The first thread to open a ring is solo; later the recorder proposes the one whose
 * ring alone has had anything to drain (session.lone).
 */
static inline int stamp_is_needed(const struct thread *thread)
{
	return unlikely(atomic_load_explicit(&state->solo, memory_order_relaxed) !=
			(uintptr_t)thread);
}

/* Whether some other thread may record something, or does. */
static inline int others_may_come(const struct thread *thread)
{
	return __libc_single_threaded == 0 || stamp_is_needed(thread);
}

static cold void solo_end(uintptr_t solo)
{
	if (solo != (uintptr_t)&self)
		atomic_compare_exchange_strong(&state->solo, &solo, 0);
}

/* time is the stamp of an event that has not yet had consequences. */
static inline void solo_look(uint64_t time)
{
	/* By an address that depends on the stamp: the processor can't look before it has it. */
	uintptr_t solo = atomic_load_explicit(&state->solo + (time >> 63), memory_order_relaxed);

	if (unlikely(solo != 0))
		solo_end(solo);
}

static inline uint64_t stamp_among_others(void)
{
	uint64_t time = stamp();

	solo_look(time);
	return time;
}

/*
 * Around what is made now and told in a moment. Gives its stamp: where it needs none, that of the
 * last event that has been told, unless that is long ago. What handlers, or the allocator, tell
 * until then is to be of a later time: stamped, or behind an EVENT_TIME, since no tick is as far
 * as that. Who tells nothing may leave out the end.
 */
#define TICKS_AWAY 0x10000000u
static inline uint64_t past_begin(struct thread *thread)
{
	uint32_t tick = atomic_load_explicit(&shared_region->tick, memory_order_relaxed);
	uint64_t time = stamp_is_needed(thread) || unlikely(tick != thread->tick)
			    ? stamp_among_others()
			    : thread->told;

	thread->tick += TICKS_AWAY;
	return time;
}

static inline void past_end(struct thread *thread)
{
	thread->tick -= TICKS_AWAY;
}

#endif
