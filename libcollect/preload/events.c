/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libcollect/preload/events.h"

#include "libcollect/preload/capture.h"
#include "libcollect/preload/clock.h"
#include "libcollect/preload/modules.h"
#include "libcollect/preload/prepare.h"
#include "libcollect/preload/segments.h"
#include "libcollect/preload/session.h"

#include "libcollect/preload/banned.h"

/* Tells the recorder how late it is, for the events behind, which have no stamp. */
static cold void put_time(struct thread *thread, uint32_t tick)
{
	uint64_t *at = &thread->segment[thread->head % SEGMENT_WORDS];

	at[0] = EVENT_WORD(EVENT_TIME, 0, 0) | EVENT_STAMPED;
	at[1] = stamp();
	thread->head += 2;
	thread->tick = tick;
	session_wake_recorder(SLEEPING_LONG);
}

static inline uint64_t *put_at(struct thread *thread, uint64_t time)
{
	uint32_t tick = atomic_load_explicit(&shared_region->tick, memory_order_relaxed);

	if (unlikely(tick != thread->tick) && time == 0)
		put_time(thread, tick);
	return &thread->segment[thread->head % SEGMENT_WORDS];
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

static cold void put_allocation_odd(struct thread *thread, uint64_t time, unsigned kind,
				    unsigned function, const void *p, uint32_t node, size_t size)
{
	uint64_t *at = put_at(thread, time);

	thread->head += write_allocation(at, time, kind, function, p, node, size);
}

static inline void put_allocation(struct thread *thread, unsigned kind, unsigned function,
				  const void *p, uint32_t node, size_t size)
{
	uint64_t time = stamp_if_needed(), *at = &thread->segment[thread->head % SEGMENT_WORDS];
	uint32_t tick = atomic_load_explicit(&shared_region->tick, memory_order_relaxed);

	if (unlikely((time | size >> 32 | (tick ^ thread->tick)) != 0)) {
		put_allocation_odd(thread, time, kind, function, p, node, size);
		return;
	}
	at[0] = EVENT_WORD(kind, function, (uintptr_t)p);
	at[1] = EVENT_NODE_WORD(node, size);
	thread->head += 2;
}

static inline void put_deallocation(struct thread *thread, uint64_t time, unsigned kind,
				    unsigned function, const void *p)
{
	uint64_t *at = put_at(thread, time);

	thread->head += write_deallocation(at, time, kind, function, p);
}

static inline void publish(struct thread *thread)
{
	atomic_store_explicit(&thread->ring->head, thread->head, memory_order_release);
}

static inline void copy_event(struct thread *thread, uint64_t *event)
{
	uint64_t *at = &thread->segment[thread->head % SEGMENT_WORDS];

	/* There is room for as many in any case. */
	for (unsigned i = 0; i < EVENT_WORDS_MAX; i++)
		at[i] = event[i];
	thread->head += event_words(event[0]);
	event[0] = 0;
}

/* What signal handlers did meanwhile. They only ever add: an entry is theirs from
 * the increment of side_count on, and filled when we see it, because they have
 * returned by then; or empty for good, because they left by a longjmp. */
static cold void publish_side(struct thread *thread)
{
	uint64_t(*side)[EVENT_WORDS_MAX] = thread_scratch(thread)->side;
	uint32_t done = 0, n;

	do {
		n = atomic_load_explicit(&thread->side_count, memory_order_relaxed);
		if (n > SIDE_EVENTS)
			n = SIDE_EVENTS;
		while (done < n) {
			uint64_t *event = side[done++];

			if (event[0] == 0 || !segments_room(thread))
				continue;
			if (EVENT_KIND(event[0]) == EVENT_REALLOC_FREE && done < n)
				copy_event(thread, event), event = side[done++];
			copy_event(thread, event);
			publish(thread);
		}
	} while (!atomic_compare_exchange_strong(&thread->side_count, &n, 0) && n <= SIDE_EVENTS);
	if (n > SIDE_EVENTS)
		atomic_store(&thread->side_count, 0);
}

static inline void begin(struct thread *thread, const struct frame *caller)
{
	thread_busy(thread, caller->pc, caller->sp);
}

static inline void end(struct thread *thread)
{
	uintptr_t busy = thread->busy;

	for (;;) {
		atomic_signal_fence(memory_order_seq_cst);
		thread->busy = 0;
		atomic_signal_fence(memory_order_seq_cst);
		if (likely(atomic_load_explicit(&thread->side_count, memory_order_relaxed) == 0))
			return;
		thread->busy = busy;
		atomic_signal_fence(memory_order_seq_cst);
		publish_side(thread);
	}
}

cold void events_flush_side(struct thread *thread, uintptr_t sp)
{
	const struct frame here = {.pc = *(const uintptr_t *)(sp - 8), .sp = sp};

	begin(thread, &here);
	end(thread);
}

/* A signal handler forked in the middle of a hook, and this is the child: the
 * event is the parent's, and it publishes it. (From here to the store the child
 * writes to a copy of the ring: hooks_fork.c.) */
static inline int other_process(const struct thread *thread, uint32_t epoch)
{
	return unlikely(atomic_load_explicit(&state->epoch, memory_order_relaxed) != epoch ||
			thread->epoch != epoch);
}

/* Entries of the side buffer for a signal handler that interrupted a hook's
 * bookkeeping; NULL when there are none. */
static uint64_t (*take_side(unsigned entries))[EVENT_WORDS_MAX]
{
	struct thread *thread = &self;
	uint32_t at;

	if (thread->ours != 0)
		return NULL;
	if (thread->epoch == atomic_load(&state->epoch) &&
	    atomic_load(&thread->side_count) + entries <= SIDE_EVENTS) {
		at = atomic_fetch_add(&thread->side_count, entries);
		if (at + entries <= SIDE_EVENTS)
			return &thread_scratch(thread)->side[at];
		atomic_fetch_sub(&thread->side_count, entries);
	}
	count(COUNT_LOST_SIGNAL);
	return NULL;
}

/* Without a stack, because the walk's memory is in use. */
static cold void side_allocation(unsigned function, const void *p, size_t size)
{
	uint64_t(*side)[EVENT_WORDS_MAX] = take_side(1);

	if (side == NULL)
		return;
	write_allocation(side[0], stamp_if_needed(), EVENT_ALLOC, function, p, 0, size);
	count(COUNT_STACK_UNKNOWN);
}

static cold void side_deallocation(unsigned function, const void *p)
{
	uint64_t(*side)[EVENT_WORDS_MAX] = take_side(1);

	if (side != NULL)
		write_deallocation(side[0], stamp_if_needed(), EVENT_FREE, function, p);
}

static cold void side_reallocation(unsigned function, const void *old, const void *p, size_t size)
{
	uint64_t(*side)[EVENT_WORDS_MAX] = take_side(2);
	uint64_t time = stamp_if_needed();

	if (side == NULL)
		return;
	/* The first last: without it the other is skipped. */
	write_allocation(side[1], time, EVENT_REALLOC_ALLOC, function, p, 0, size);
	write_deallocation(side[0], time, EVENT_REALLOC_FREE, function, old);
	count(COUNT_STACK_UNKNOWN);
}

static int recordable(const void *p)
{
	if (likely((uintptr_t)p >> EVENT_ADDRESS_BITS == 0))
		return 1;
	count(COUNT_LOST_ADDRESS);
	return 0;
}

static cold void allocation_not_now(unsigned function, const void *p, size_t size)
{
	if (self.busy != 0)
		side_allocation(function, p, size);
	else if (self.ours != 0)
		modules_note_our_block(p);
	/* The operator new around us shall not record it once more. */
	self.allocations++;
	self.last_allocation = (uintptr_t)p;
}

void event_allocation(unsigned function, const void *p, size_t size, const struct frame *caller)
{
	struct thread *thread = gate(caller->sp);
	struct frame outer;
	const struct frame *from = caller;
	uint32_t node, epoch;

	if (unlikely(thread == NULL)) {
		allocation_not_now(function, p, size);
		return;
	}
	if (!recordable(p))
		return;
	epoch = thread->epoch;
	if (thread->label.text_bytes != 0 &&
	    caller->pc - thread->label.text_start <= thread->label.text_bytes) {
		function = thread->label.function;
		size = thread->label.size;
		outer = thread->label.caller;
		from = &outer;
		thread->label.used = 1;
		thread->label.text_bytes = 0;
	}
	begin(thread, caller);
	node = capture(thread, from);
	if (segments_room(thread) && !other_process(thread, epoch)) {
		put_allocation(thread, EVENT_ALLOC, function, p, node, size);
		publish(thread);
		thread->allocations++;
		thread->last_allocation = (uintptr_t)p;
	}
	end(thread);
}

/* The loader gives back p: perhaps a module's own record, or something of ours. */
static cold int loader_block(struct thread *thread, const void *p, const struct frame *caller)
{
	int ours;

	begin(thread, caller);
	modules_forget(p);
	hooks_cxx_forget(p);
	ours = modules_forget_our_block(p);
	end(thread);
	return ours;
}

static cold void deallocation_not_now(unsigned function, const void *p)
{
	if (self.busy != 0)
		side_deallocation(function, p);
	else if (self.ours != 0)
		modules_forget_our_block(p);
}

static inline __attribute__((always_inline)) void
deallocation(unsigned function, const void *p, const struct frame *caller, uint64_t time)
{
	struct thread *thread = gate(caller->sp);
	uint32_t epoch;

	if (unlikely(thread == NULL)) {
		deallocation_not_now(function, p);
		return;
	}
	if (unlikely(modules_is_loader(caller->pc)) && loader_block(thread, p, caller))
		return;
	if (!recordable(p))
		return;
	if (thread->deleting == (uintptr_t)p) {
		thread->deleting = 0;
		function = thread->delete_function;
	}
	epoch = thread->epoch;
	begin(thread, caller);
	if (segments_room(thread) && !other_process(thread, epoch)) {
		put_deallocation(thread, time != 0 ? time : stamp_if_needed(), EVENT_FREE, function,
				 p);
		publish(thread);
		if (thread->last_allocation == (uintptr_t)p)
			thread->last_allocation = 0;
	}
	end(thread);
}

void event_deallocation(unsigned function, const void *p, const struct frame *caller)
{
	deallocation(function, p, caller, 0);
}

void event_deallocation_at(unsigned function, const void *p, const struct frame *caller,
			   uint64_t time)
{
	deallocation(function, p, caller, time);
}

void event_reallocation_begin(struct reallocation *r, const void *old, const struct frame *caller)
{
	r->thread = gate(caller->sp);
	r->old = old;
	if (likely(r->thread != NULL) && recordable(old)) {
		begin(r->thread, caller);
		if (!segments_room(r->thread))
			r->thread = NULL;
		end(&self);
		r->time = r->thread != NULL ? stamp_if_needed() : 0;
		r->epoch = self.epoch;
		r->before = self.allocations;
	}
}

void event_reallocation_end(struct reallocation *r, unsigned function, const void *p, size_t size,
			    const struct frame *caller)
{
	struct thread *thread = r->thread;
	uint32_t node;

	if (unlikely(modules_is_loader(caller->pc)) && modules_forget_our_block(r->old)) {
		modules_note_our_block(p);
		return;
	}
	if (unlikely(thread == NULL)) {
		if (self.busy != 0)
			side_reallocation(function, r->old, p, size);
		return;
	}
	if (!recordable(p) || !recordable(r->old) || other_process(thread, r->epoch))
		return;
	/* An allocator whose realloc is made of malloc and free that are us: both have
	 * been recorded. */
	if (unlikely(thread->allocations != r->before) && thread->last_allocation == (uintptr_t)p)
		return;
	begin(thread, caller);
	node = capture(thread, caller);
	if (segments_room(thread) && !other_process(thread, r->epoch)) {
		put_deallocation(thread, r->time, EVENT_REALLOC_FREE, function, r->old);
		put_allocation(thread, EVENT_REALLOC_ALLOC, function, p, node, size);
		publish(thread);
		thread->allocations++;
		thread->last_allocation = (uintptr_t)p;
	}
	end(thread);
}
