/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libcollect/preload/events.h"

#include "libcollect/preload/capture.h"
#include "libcollect/preload/clock.h"
#include "libcollect/preload/modules.h"
#include "libcollect/preload/prepare.h"
#include "libcollect/preload/put.h"
#include "libcollect/preload/segments.h"
#include "libcollect/preload/session.h"

#include "libcollect/preload/banned.h"

static inline void copy_event(struct thread *thread, uint64_t *event)
{
	uint64_t *at = put_at(thread);

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
			publish(thread, thread->head);
		}
	} while (!atomic_compare_exchange_strong(&thread->side_count, &n, 0) && n <= SIDE_EVENTS);
	if (n > SIDE_EVENTS)
		atomic_store(&thread->side_count, 0);
	thread->told = stamp();
}

static inline void begin(struct thread *thread, const struct frame *caller)
{
	thread_busy(thread, caller->pc, caller->sp);
}

/* 1 when signal handlers left nothing behind. */
static inline int end_is_plain(struct thread *thread)
{
	atomic_signal_fence(memory_order_seq_cst);
	thread->busy = 0;
	atomic_signal_fence(memory_order_seq_cst);
	return likely(atomic_load_explicit(&thread->side_count, memory_order_relaxed) == 0);
}

static cold void end_odd(struct thread *thread, uintptr_t sp)
{
	do {
		thread->busy = sp;
		atomic_signal_fence(memory_order_seq_cst);
		publish_side(thread);
	} while (!end_is_plain(thread));
}

static inline void end(struct thread *thread, uintptr_t sp)
{
	if (!end_is_plain(thread))
		end_odd(thread, sp);
}

cold void events_flush_side(struct thread *thread, uintptr_t sp)
{
	thread_busy(thread, *(const uintptr_t *)(sp - 8), sp);
	end(thread, sp);
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
 * bookkeeping; NULL when there are none. They are stamped, since they are published later. */
static uint64_t (*take_side(unsigned entries))[EVENT_WORDS_MAX]
{
	struct thread *thread = &self;
	uint32_t at;

	if (thread->ours != 0)
		return NULL;
	if (thread->epoch == atomic_load(&state->epoch) &&
	    atomic_load(&thread->side_count) + entries <= SIDE_EVENTS) {
		at = atomic_fetch_add(&thread->side_count, entries);
		if (at + entries <= SIDE_EVENTS) {
			/* In a ring that another thread has used anything may be there. */
			for (unsigned i = 0; i < entries; i++)
				thread_scratch(thread)->side[at + i][0] = 0;
			return &thread_scratch(thread)->side[at];
		}
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
	write_allocation(side[0], stamp_among_others(), EVENT_ALLOC, function, p, 0, size);
	count(COUNT_STACK_UNKNOWN);
}

static cold void side_deallocation(unsigned function, const void *p)
{
	uint64_t(*side)[EVENT_WORDS_MAX] = take_side(1);

	if (side != NULL)
		write_deallocation(side[0], stamp_among_others(), EVENT_FREE, function, p);
}

static cold void side_reallocation(unsigned function, const void *old, const void *p, size_t size)
{
	uint64_t(*side)[EVENT_WORDS_MAX] = take_side(2);
	uint64_t time = stamp_among_others();

	if (side == NULL)
		return;
	/* The first last: without it the other is skipped. */
	write_allocation(side[1], time, EVENT_REALLOC_ALLOC, function, p, 0, size);
	write_deallocation(side[0], time, EVENT_REALLOC_FREE, function, old);
	count(COUNT_STACK_UNKNOWN);
}

/* The first event of a segment asks whether its thread may be solo. What comes next has a time
 * before it, from after the exchange. */
static inline void solo_offered(struct thread *thread)
{
	const struct session *session = state->session;
	uintptr_t none = 0;

	/* There is no session in a child that a signal handler has just forked. */
	if (thread->head % SEGMENT_WORDS == 0 && session != NULL &&
	    atomic_load_explicit(&session->lone, memory_order_relaxed) == thread->ring->chunk &&
	    atomic_compare_exchange_strong(&state->solo, &none, (uintptr_t)thread))
		thread->tick = atomic_load(&shared_region->tick) - 1;
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

static inline void allocated(struct thread *thread, const void *p)
{
	thread->allocations++;
	thread->last_allocation = (uintptr_t)p;
}

static cold void allocation_odd(struct thread *thread, uint32_t epoch, unsigned function,
				const void *p, size_t size, uint32_t node)
{
	if (!recordable(p) || !segments_room(thread) || other_process(thread, epoch))
		return;
	solo_offered(thread);
	put_allocation(thread, EVENT_ALLOC, function, p, node, size);
	publish(thread, thread->head);
	allocated(thread, p);
}

void *event_allocation_by(unsigned function, void *p, size_t size, uintptr_t pc, uintptr_t sp,
			  uintptr_t rbp)
{
	struct thread *thread = gate(sp);
	struct frame from = {pc, sp, rbp};
	uint32_t node, epoch;
	uint64_t time;

	if (unlikely(thread == NULL)) {
		allocation_not_now(function, p, size);
		return p;
	}
	epoch = thread->epoch;
	if (thread->label.text_bytes != 0 &&
	    pc - thread->label.text_start <= thread->label.text_bytes) {
		function = thread->label.function;
		size = thread->label.size;
		from = thread->label.caller;
		thread->label.used = 1;
		thread->label.text_bytes = 0;
	}
	thread_busy(thread, pc, sp);
	node = capture(thread, from);
	time = plain_stamp(thread, epoch, (uintptr_t)p >> EVENT_ADDRESS_BITS | size >> 32);
	if (likely(time != NOT_PLAIN)) {
		publish(thread, thread->head + write_allocation(put_at(thread), time, EVENT_ALLOC,
								function, p, node, (uint32_t)size));
		allocated(thread, p);
	} else {
		allocation_odd(thread, epoch, function, p, size, node);
	}
	end(thread, sp);
	return p;
}

/* The loader gives back p: perhaps a module's own record, or something of ours. */
static cold int loader_block(struct thread *thread, const void *p, const struct frame *caller)
{
	int ours;

	begin(thread, caller);
	modules_forget(p);
	hooks_cxx_forget(p);
	ours = modules_forget_our_block(p);
	end(thread, caller->sp);
	return ours;
}

static cold void deallocation_not_now(unsigned function, const void *p)
{
	if (self.busy != 0)
		side_deallocation(function, p);
	else if (self.ours != 0)
		modules_forget_our_block(p);
}

/* 1: somebody else tells that p is given back. Otherwise *function is who does. */
static inline int told_outside(struct thread *thread, unsigned *function, const void *p)
{
	if (thread->deleting != (uintptr_t)p)
		return 0;
	thread->deleting = 0;
	*function = thread->delete_function;
	return unlikely(*function == FUNCTION_UNKNOWN);
}

static inline void deallocated(struct thread *thread, const void *p)
{
	if (thread->last_allocation == (uintptr_t)p)
		thread->last_allocation = 0;
}

/* time: MADE_NOW, before the block is given back; else what past_begin() gave then. */
#define MADE_NOW UINT64_MAX
static void deallocation(unsigned function, const void *p, const struct frame *caller,
			 uint64_t time)
{
	struct thread *thread = gate(caller->sp);
	uint32_t epoch;

	if (unlikely(thread == NULL)) {
		deallocation_not_now(function, p);
		/* The operator delete around us shall not count it once more. */
		if (self.deleting == (uintptr_t)p)
			self.deleting = 0;
		return;
	}
	if (unlikely(modules_is_loader(caller->pc)) && loader_block(thread, p, caller))
		return;
	if (!recordable(p))
		return;
	if (told_outside(thread, &function, p))
		return;
	epoch = thread->epoch;
	begin(thread, caller);
	if (segments_room(thread) && !other_process(thread, epoch)) {
		if (time == MADE_NOW) {
			solo_offered(thread);
			put_deallocation(thread, function, p);
		} else {
			past_end(thread);
			put_past_deallocation(thread, time, EVENT_FREE, function, p);
		}
		publish(thread, thread->head);
		deallocated(thread, p);
	}
	end(thread, caller->sp);
}

void event_deallocation(unsigned function, const void *p, const struct frame *caller)
{
	deallocation(function, p, caller, MADE_NOW);
}

void event_past_deallocation(unsigned function, const void *p, const struct frame *caller,
			     uint64_t time)
{
	deallocation(function, p, caller, time);
}

static cold void deallocation_odd(unsigned function, void *p, uintptr_t pc, uintptr_t sp,
				  void (*give_back)(void *))
{
	const struct frame caller = {.pc = pc, .sp = sp};

	deallocation(function, p, &caller, MADE_NOW);
	give_back(p);
}

/* Signal handlers left something to publish. */
static cold void deallocation_odd_end(struct thread *thread, void *p, uintptr_t sp,
				      void (*give_back)(void *))
{
	end_odd(thread, sp);
	give_back(p);
}

void event_deallocation_then(unsigned function, void *p, uintptr_t pc, uintptr_t sp,
			     void (*give_back)(void *))
{
	struct thread *thread = &self;
	const uint32_t epoch = thread->epoch;
	uint64_t time;

	if (unlikely(!gate_is_open(thread) || modules_is_loader(pc))) {
		deallocation_odd(function, p, pc, sp, give_back);
		return;
	}
	thread_busy(thread, pc, sp);
	time = plain_stamp(thread, epoch, (uintptr_t)p >> EVENT_ADDRESS_BITS);
	if (unlikely(time == NOT_PLAIN)) {
		thread->busy = 0;
		atomic_signal_fence(memory_order_seq_cst);
		deallocation_odd(function, p, pc, sp, give_back);
		return;
	}
	if (!told_outside(thread, &function, p)) {
		publish(thread, thread->head + write_deallocation(put_at(thread), time, EVENT_FREE,
								  function, p));
		deallocated(thread, p);
	}
	if (end_is_plain(thread))
		give_back(p);
	else
		deallocation_odd_end(thread, p, sp, give_back);
}

/* With room for both events before the real one has changed anything. */
static cold int reallocation_room(struct thread *thread, const struct frame *caller)
{
	int room;

	begin(thread, caller);
	room = segments_room(thread);
	end(thread, caller->sp);
	return room;
}

static cold void reallocation_odd(struct thread *thread, uint32_t epoch, unsigned function,
				  const void *old, uint64_t freed, const void *p, size_t size,
				  uint32_t node)
{
	if (!recordable(p) || !recordable(old) || !segments_room(thread) ||
	    other_process(thread, epoch))
		return;
	put_past_deallocation(thread, freed, EVENT_REALLOC_FREE, function, old);
	put_allocation(thread, EVENT_REALLOC_ALLOC, function, p, node, size);
	publish(thread, thread->head);
	allocated(thread, p);
}

static inline void reallocated(struct thread *thread, uint32_t epoch, unsigned function,
			       const void *old, uint64_t freed, const void *p, size_t size,
			       const struct frame *caller)
{
	uint32_t node;
	uint64_t time;

	thread_busy(thread, caller->pc, caller->sp);
	past_end(thread);
	node = capture(thread, *caller);
	time = plain_stamp(thread, epoch,
			   ((uintptr_t)p | (uintptr_t)old) >> EVENT_ADDRESS_BITS | size >> 32);
	if (likely(time != NOT_PLAIN)) {
		uint64_t *at = put_at(thread);
		unsigned words;

		/* Somebody may have got old since; a handler, told the time, or gone solo. */
		if (time == 0 && likely(freed == thread->told))
			freed = 0;
		words = write_deallocation(at, freed, EVENT_REALLOC_FREE, function, old);
		words += write_allocation(at + words, time, EVENT_REALLOC_ALLOC, function, p, node,
					  (uint32_t)size);
		publish(thread, thread->head + words);
		allocated(thread, p);
	} else {
		reallocation_odd(thread, epoch, function, old, freed, p, size, node);
	}
	end(thread, caller->sp);
}

void *event_reallocation(unsigned function, void *old, size_t size, const struct frame *caller,
			 void *(*reallocate)(void *, size_t))
{
	struct thread *thread = gate(caller->sp);
	uint64_t freed = 0, before = self.allocations;
	uint32_t epoch = 0;
	void *p;

	if (likely(thread != NULL)) {
		if (unlikely(thread->head >= thread->limit) && !reallocation_room(thread, caller))
			thread = NULL;
		else
			freed = past_begin(thread);
		epoch = self.epoch;
		/* The allocator's realloc may call a free that is us. */
		self.deleting = (uintptr_t)old;
		self.delete_function = FUNCTION_UNKNOWN;
	}
	p = reallocate(old, size);
	self.deleting = 0;
	if (unlikely(p == NULL)) {
		if (size == 0)
			deallocation(function, old, caller, freed);
	} else if (unlikely(modules_is_loader(caller->pc)) && modules_forget_our_block(old)) {
		modules_note_our_block(p);
	} else if (unlikely(thread == NULL)) {
		if (self.busy != 0)
			side_reallocation(function, old, p, size);
	} else if (other_process(thread, epoch)) {
		return p;
	} else if (likely(thread->allocations == before) ||
		   thread->last_allocation != (uintptr_t)p) {
		reallocated(thread, epoch, function, old, freed, p, size, caller);
	} else {
		/* The allocator's realloc called a malloc that is us: that has been recorded. */
		deallocation(FUNCTION_FREE, old, caller, freed);
	}
	return p;
}
