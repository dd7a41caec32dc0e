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

/* p has been allocated: size bytes, by function, called from the frame pc, sp, rbp. Returns p:
 * it may be a hook's last call. */
void *event_allocation_by(unsigned function, void *p, size_t size, uintptr_t pc, uintptr_t sp,
			  uintptr_t rbp);
static inline void *event_allocation(unsigned function, void *p, size_t size,
				     const struct frame *caller)
{
	return event_allocation_by(function, p, size, caller->pc, caller->sp, caller->rbp);
}

/* p is about to be given back. */
void event_deallocation(unsigned function, const void *p, const struct frame *caller);
/* The same, and then gives it back. */
void event_deallocation_then(unsigned function, void *p, uintptr_t pc, uintptr_t sp,
			     void (*give_back)(void *));
/* The same for one that was made a moment ago; time is what past_begin() gave before. */
void event_past_deallocation(unsigned function, const void *p, const struct frame *caller,
			     uint64_t time);

/* Has old reallocated, and records it unless that fails. Returns what it gave. */
void *event_reallocation(unsigned function, void *old, size_t size, const struct frame *caller,
			 void *(*reallocate)(void *, size_t));

#endif
