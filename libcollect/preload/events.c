/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libcollect/preload/events.h"

#include "libcollect/preload/capture.h"
#include "libcollect/preload/clock.h"
#include "libcollect/preload/modules.h"
#include "libcollect/preload/prepare.h"
#include "libcollect/preload/rawio.h"
#include "libcollect/preload/session.h"

#include "libcollect/preload/banned.h"

/* Slots that one hook may publish: two events of a reallocation, a wide size. */
enum { SLOTS_A_HOOK = 4, SIGN_OF_LIFE_MS = 10000, SLEEP_MS = 50 };

static void wake_recorder(void)
{
	if (atomic_load_explicit(&shared_region->sleeping, memory_order_relaxed) != 0) {
		atomic_fetch_add(&shared_region->wake, 1);
		raw_futex_wake(&shared_region->wake);
	}
}

/* The sleep itself. Nothing of the ring or the scratch memory is in use here,
 * so what signal handlers allocate meanwhile takes the ordinary way. */
static void sleep_for_room(struct thread *thread, uint32_t value)
{
	uintptr_t busy = thread->busy;

	atomic_fetch_add(&shared_region->wake, 1);
	raw_futex_wake(&shared_region->wake);
	if (atomic_load_explicit(&thread->side_count, memory_order_relaxed) == 0)
		thread->busy = 0;
	atomic_signal_fence(memory_order_seq_cst);
	raw_futex_wait(&thread->ring->room, value, SLEEP_MS);
	atomic_signal_fence(memory_order_seq_cst);
	thread->busy = busy;
	atomic_signal_fence(memory_order_seq_cst);
}

/* Sleeps until the ring has room. Returns 0 when there will be none. */
static cold int wait_for_room(struct thread *thread)
{
	struct ring *ring = thread->ring;
	uint32_t heartbeat = atomic_load(&shared_region->heartbeat);
	unsigned waited = 0;

	for (;;) {
		uint32_t value = atomic_load(&ring->room);
		uint64_t tail;

		/* Recording is over, or this is a child forked while we slept here. */
		if (atomic_load(&state->epoch) != thread->epoch)
			return 0;
		/* The recorder has taken us for ended, and is wrong. */
		if (state->session->epoch != thread->epoch) {
			session_off();
			return 0;
		}
		if (!session_owns(ring, thread->epoch)) {
			count(COUNT_LOST_NO_RING);
			thread->epoch = EPOCH_NONE;
			return 0;
		}
		/* Said again: a child that a signal handler forked in the middle of
		 * publish() has set it back. */
		atomic_store(&ring->head, thread->head);
		atomic_store(&ring->waiting, 1);
		tail = atomic_load(&ring->tail);
		if (thread->head + SLOTS_A_HOOK <= tail + RING_SLOTS) {
			thread->limit = tail + RING_SLOTS;
			return 1;
		}
		if (!session_recorder_lives()) {
			session_off();
			return 0;
		}
		sleep_for_room(thread, value);
		if (atomic_load(&shared_region->heartbeat) != heartbeat) {
			heartbeat = atomic_load(&shared_region->heartbeat);
			waited = 0;
		} else if ((waited += SLEEP_MS) >= SIGN_OF_LIFE_MS) {
			atomic_store(&state->session->state, SESSION_ABANDONED);
			session_off();
			return 0;
		}
	}
}

static inline int room(struct thread *thread)
{
	return likely(thread->head + SLOTS_A_HOOK <= thread->limit) || wait_for_room(thread);
}

static inline void put(struct thread *thread, uint64_t time, unsigned kind, unsigned function,
		       const void *p, uint32_t node, size_t size)
{
	struct event *slot = &thread->ring->slot[thread->head++ % RING_SLOTS];

	slot->time = time;
	slot->what = EVENT_WHAT(kind, function, (uintptr_t)p);
	slot->node = node;
	slot->size = size < SIZE_WIDE ? (uint32_t)size : SIZE_WIDE;
	if (unlikely(size >= SIZE_WIDE)) {
		slot = &thread->ring->slot[thread->head++ % RING_SLOTS];
		slot->time = size;
		slot->what = EVENT_WHAT(EVENT_WIDE, 0, 0);
		slot->node = 0;
		slot->size = 0;
	}
}

static inline void publish(struct thread *thread)
{
	atomic_store_explicit(&thread->ring->head, thread->head, memory_order_release);
	/* Once every quarter of the ring is often enough to look. */
	if (unlikely((thread->head & (RING_SLOTS / 4 - 1)) < 2))
		wake_recorder();
}

/* 1 when the next slot must be published with this one. */
static int goes_on(const struct event *event, const struct event *next)
{
	return EVENT_KIND(event->what) == EVENT_REALLOC_FREE ||
	       EVENT_KIND(next->what) == EVENT_WIDE;
}

/* What signal handlers did meanwhile. They only ever add: a slot is theirs from
 * the increment of side_count on, and filled when we see it, because they have
 * returned by then. */
static cold void publish_side(struct thread *thread)
{
	struct scratch *scratch = thread_scratch(thread);
	uint32_t done = 0, n;

	do {
		n = atomic_load_explicit(&thread->side_count, memory_order_relaxed);
		if (n > SIDE_EVENTS)
			n = SIDE_EVENTS;
		for (; done < n; done++) {
			const struct event *event = &scratch->side[done];
			int last = done + 1 == n || !goes_on(event, event + 1);

			if (!room(thread))
				break;
			if (event->what != 0)
				thread->ring->slot[thread->head++ % RING_SLOTS] = *event;
			if (last)
				atomic_store_explicit(&thread->ring->head, thread->head,
						      memory_order_release);
		}
		if (done < n) /* recording is over */
			done = n;
	} while (!atomic_compare_exchange_strong(&thread->side_count, &n, 0) && n <= SIDE_EVENTS);
	if (n > SIDE_EVENTS)
		atomic_store(&thread->side_count, 0);
}

static inline void begin(struct thread *thread, const struct frame *caller)
{
	thread->busy_pc = caller->pc;
	thread->busy = caller->sp;
	atomic_signal_fence(memory_order_seq_cst);
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

/* A signal handler forked in the middle of a hook, and this is the child: the
 * event is the parent's, and it publishes it. (From here to the store the child
 * writes to a copy of the ring: hooks_fork.c.) */
static inline int other_process(const struct thread *thread, uint32_t epoch)
{
	return unlikely(atomic_load_explicit(&state->epoch, memory_order_relaxed) != epoch ||
			thread->epoch != epoch);
}

/* Of a signal handler that interrupted a hook's bookkeeping: without a stack,
 * because the walk's memory is in use. */
static cold void side_event(unsigned kind, unsigned function, const void *p, size_t size)
{
	struct thread *thread = &self;
	uint32_t slots = size < SIZE_WIDE ? 1 : 2, at;
	struct event *slot;

	if (thread->ours != 0)
		return;
	if (thread->epoch != atomic_load(&state->epoch) ||
	    atomic_load(&thread->side_count) + slots > SIDE_EVENTS) {
		count(COUNT_LOST_SIGNAL);
		return;
	}
	at = atomic_fetch_add(&thread->side_count, slots);
	if (at + slots > SIDE_EVENTS) {
		atomic_fetch_sub(&thread->side_count, slots);
		count(COUNT_LOST_SIGNAL);
		return;
	}
	slot = &thread_scratch(thread)->side[at];
	slot->time = stamp();
	slot->what = EVENT_WHAT(kind, function, (uintptr_t)p);
	slot->node = 0;
	slot->size = slots == 1 ? (uint32_t)size : SIZE_WIDE;
	if (slots == 2) {
		slot[1].time = size;
		slot[1].what = EVENT_WHAT(EVENT_WIDE, 0, 0);
		slot[1].node = slot[1].size = 0;
	}
	if (kind == EVENT_ALLOC)
		count(COUNT_STACK_UNKNOWN);
}

static int recordable(const void *p)
{
	if (likely((uintptr_t)p >> EVENT_ADDRESS_BITS == 0))
		return 1;
	count(COUNT_LOST_ADDRESS);
	return 0;
}

void event_allocation(unsigned function, const void *p, size_t size, const struct frame *caller)
{
	struct thread *thread = gate(caller->sp);
	struct frame from = *caller;
	uint32_t node, epoch;

	if (unlikely(thread == NULL)) {
		if (self.busy != 0)
			side_event(EVENT_ALLOC, function, p, size);
		else if (self.ours != 0)
			modules_note_our_block(p);
		/* The operator new around us shall not record it once more. */
		self.allocations++;
		self.last_allocation = (uintptr_t)p;
		return;
	}
	if (!recordable(p))
		return;
	epoch = thread->epoch;
	if (thread->label.text_bytes != 0 &&
	    caller->pc - thread->label.text_start <= thread->label.text_bytes) {
		function = thread->label.function;
		size = thread->label.size;
		from = thread->label.caller;
		thread->label.used = 1;
		thread->label.text_bytes = 0;
	}
	begin(thread, caller);
	node = capture(thread, &from);
	if (room(thread) && !other_process(thread, epoch)) {
		put(thread, stamp(), EVENT_ALLOC, function, p, node, size);
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

void event_deallocation_at(unsigned function, const void *p, const struct frame *caller,
			   uint64_t time)
{
	struct thread *thread = gate(caller->sp);
	uint32_t epoch;

	if (unlikely(thread == NULL)) {
		if (self.busy != 0)
			side_event(EVENT_FREE, function, p, 0);
		else if (self.ours != 0)
			modules_forget_our_block(p);
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
	if (room(thread) && !other_process(thread, epoch)) {
		put(thread, time != 0 ? time : stamp(), EVENT_FREE, function, p, 0, 0);
		publish(thread);
		if (thread->last_allocation == (uintptr_t)p)
			thread->last_allocation = 0;
	}
	end(thread);
}

void event_deallocation(unsigned function, const void *p, const struct frame *caller)
{
	event_deallocation_at(function, p, caller, 0);
}

void event_reallocation_begin(struct reallocation *r, const void *old, const struct frame *caller)
{
	r->thread = gate(caller->sp);
	r->old = old;
	if (likely(r->thread != NULL) && recordable(old)) {
		begin(r->thread, caller);
		if (!room(r->thread))
			r->thread = NULL;
		end(&self);
		r->time = r->thread != NULL ? stamp() : 0;
		r->epoch = self.epoch;
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
		if (self.busy != 0) {
			side_event(EVENT_REALLOC_FREE, function, r->old, 0);
			side_event(EVENT_REALLOC_ALLOC, function, p, size);
		}
		return;
	}
	if (!recordable(p) || !recordable(r->old) || other_process(thread, r->epoch))
		return;
	begin(thread, caller);
	node = capture(thread, caller);
	if (room(thread) && !other_process(thread, r->epoch)) {
		put(thread, r->time, EVENT_REALLOC_FREE, function, r->old, 0, 0);
		put(thread, stamp(), EVENT_REALLOC_ALLOC, function, p, node, size);
		publish(thread);
		thread->allocations++;
		thread->last_allocation = (uintptr_t)p;
	}
	end(thread);
}
