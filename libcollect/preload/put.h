/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_PUT_H
#define MALLOGRAPH_PUT_H

/*
 * The words of events, and where in the ring they go (ring.h). All of it only while
 * thread->busy is set and segments_room() has said yes.
 */

#include "libcollect/preload/clock.h"
#include "libcollect/preload/session.h"
#include "libcollect/preload/state.h"

static inline uint64_t *put_at(const struct thread *thread)
{
	return &thread->segment[thread->head % SEGMENT_WORDS];
}

/* Tells the recorder how late it is, for the events behind, which have no stamp. */
static cold void put_time(struct thread *thread, uint64_t now, uint32_t tick)
{
	uint64_t *at = put_at(thread);

	at[0] = EVENT_WORD(EVENT_TIME, 0, 0) | EVENT_STAMPED;
	at[1] = now;
	thread->head += 2;
	thread->tick = tick;
	thread->told = now;
	session_wake_recorder(SLEEPING_LONG);
}

/* The stamp that the event behind needs, or 0: the recorder knows how late it is. Meanwhile another
 * thread may have ended the solo, and another begun one: that would not know our time. */
static inline uint64_t stamp_or_put_time(struct thread *thread)
{
	uint32_t tick = atomic_load_explicit(&shared_region->tick, memory_order_relaxed);
	uint64_t now;

	if (!stamp_is_needed(thread) && likely(tick == thread->tick))
		return 0;
	now = stamp_among_others();
	if (stamp_is_needed(thread))
		return now;
	put_time(thread, now, tick);
	return 0;
}

/* Both write an event's words to *at and return how many. */
static inline unsigned write_allocation(uint64_t *at, uint64_t time, unsigned kind,
					unsigned function, const void *p, uint32_t node,
					size_t size)
{
	uint64_t word = EVENT_WORD(kind, function, (uintptr_t)p);
	unsigned words = 2;

	at[1] = EVENT_NODE_WORD(node, size);
	if (unlikely(time != 0)) {
		word |= EVENT_STAMPED;
		at[words++] = time;
	}
	if (unlikely(size > UINT32_MAX)) {
		word |= EVENT_WIDE;
		at[words++] = size;
	}
	at[0] = word;
	return words;
}

static inline unsigned write_deallocation(uint64_t *at, uint64_t time, unsigned kind,
					  unsigned function, const void *p)
{
	uint64_t word = EVENT_WORD(kind, function, (uintptr_t)p);

	at[0] = word;
	if (likely(time == 0))
		return 1;
	at[0] = word | EVENT_STAMPED;
	at[1] = time;
	return 2;
}

static inline void put_allocation(struct thread *thread, unsigned kind, unsigned function,
				  const void *p, uint32_t node, size_t size)
{
	uint64_t time = stamp_or_put_time(thread);

	thread->head += write_allocation(put_at(thread), time, kind, function, p, node, size);
}

/* time: what past_begin() gave when it was made. */
static inline void put_past_deallocation(struct thread *thread, uint64_t time, unsigned kind,
					 unsigned function, const void *p)
{
	thread->head += write_deallocation(put_at(thread), time, kind, function, p);
}

/* One that is made next. */
static inline void put_deallocation(struct thread *thread, unsigned function, const void *p)
{
	put_past_deallocation(thread, stamp_or_put_time(thread), EVENT_FREE, function, p);
}

/* Nearly all events are plain: there is room, the process is still the same, no EVENT_TIME
 * comes before, the clock is the TSC, and no bits are set that a plain one has no place for.
 * Gives its stamp, 0: none is needed; NOT_PLAIN. */
#define NOT_PLAIN UINT64_MAX
static inline uint64_t plain_stamp(const struct thread *thread, uint32_t epoch, uint64_t bits)
{
	if (unlikely(thread->head >= thread->limit) ||
	    unlikely(atomic_load_explicit(&state->epoch, memory_order_relaxed) != epoch) ||
	    unlikely(bits != 0))
		return NOT_PLAIN;
	if (stamp_is_needed(thread)) {
		uint64_t time;

		if (unlikely(shared_region->clock != CLOCK_TSC))
			return NOT_PLAIN;
		time = stamp_tsc();
		solo_look(time);
		return time;
	}
	return likely(atomic_load_explicit(&shared_region->tick, memory_order_relaxed) ==
		      thread->tick)
		   ? 0
		   : NOT_PLAIN;
}

static inline void publish(struct thread *thread, uint64_t head)
{
	thread->head = head;
	atomic_store_explicit(&thread->ring->head, head, memory_order_release);
}

#endif
