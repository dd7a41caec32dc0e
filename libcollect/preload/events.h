/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_EVENTS_H
#define MALLOGRAPH_EVENTS_H

/*
 * From a hook to the ring.
 *
 * Allocations are recorded after the real allocator returned, deallocations
 * before it is called, so nobody can see an address twice alive. While a hook
 * does its bookkeeping thread->busy is set; a signal handler that allocates
 * then finds it so, leaves its events in the side buffer, and the hook
 * publishes them when it is done.
 */

#include "libcollect/preload/state.h"

/* Publishes what signal handlers left in the side buffer: without stamps it has to
 * come before what happens next. sp is the hook's CFA. */
void events_flush_side(struct thread *thread, uintptr_t sp);

/* p has been allocated: size bytes, by function, called from *caller. */
void event_allocation(unsigned function, const void *p, size_t size, const struct frame *caller);

/* p is about to be given back. */
void event_deallocation(unsigned function, const void *p, const struct frame *caller);
/* The same for one that happened already, at `time` (0: no stamp was needed). */
void event_deallocation_at(unsigned function, const void *p, const struct frame *caller,
			   uint64_t time);

/* A reallocation: begin before the real one, then end with its result unless it failed. */
struct reallocation {
	struct thread *thread; /* NULL: not recorded */
	uint32_t epoch;
	uint64_t time;
	uint64_t before; /* thread->allocations */
	const void *old;
};
void event_reallocation_begin(struct reallocation *r, const void *old, const struct frame *caller);
void event_reallocation_end(struct reallocation *r, unsigned function, const void *p, size_t size,
			    const struct frame *caller);

#endif
