/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The cold path behind the gate: a ring for this thread, and what is to be done where a hook's
 * bookkeeping was interrupted. It runs once in each thread, at its first hook call; a
 * process' first opens the session, too (session.c). It calls nothing that session.c
 * doesn't.
 */
#include "libcollect/preload/state.h"

#include <signal.h>

#include "libcollect/preload/capture.h"
#include "libcollect/preload/chunks.h"
#include "libcollect/preload/clock.h"
#include "libcollect/preload/events.h"
#include "libcollect/preload/memo.h"
#include "libcollect/preload/rawio.h"
#include "libcollect/preload/segments.h"
#include "libcollect/preload/session.h"

#include "libcollect/preload/banned.h"

__thread struct thread self __attribute__((tls_model("initial-exec"))) = {.epoch = EPOCH_NONE};

enum { POOL_TRIES = 200 }; /* 5 ms apart: a second until a thread goes unrecorded */

/* Whether libc's own number of a thread was right where it could be compared. */
static _Atomic int libc_knows_tid;

/* A child of vfork runs on its parent's memory, and what it allocates is the
 * parent's: so is the number of the thread. */
static int thread_id(void)
{
	int number = raw_libc_tid();

	if (raw_getpid() == state->session->pid) {
		int tid = raw_gettid();

		if (tid == number)
			atomic_store_explicit(&libc_knows_tid, 1, memory_order_relaxed);
		return tid;
	}
	return atomic_load_explicit(&libc_knows_tid, memory_order_relaxed) ? number
									   : state->session->pid;
}

/* A ring in memory that is there is worth a dozen page faults, most of what a short thread costs.
 */
static uint32_t take_ring(struct thread *thread)
{
	uint32_t chunk = chunk_take_used_ring();

	if (chunk == CHUNK_NONE)
		return chunk_take();
	thread->ring = region_chunk(shared_region, chunk);
	segments_forget(thread);
	memos_forget(thread_memos(thread));
	return chunk;
}

static int ring_open(struct thread *thread)
{
	struct session *session = state->session;
	uint32_t chunk = take_ring(thread);
	struct ring *ring;
	uint32_t first;

	/* Waiting helps where a thread has just ended. One that once waited in vain asks again at
	 * each event, but waits no more; nor do others, until there is a ring again. */
	for (int i = 0; chunk == CHUNK_NONE && i < POOL_TRIES && thread->limit == 0 &&
			atomic_load(&state->no_rings) == 0;
	     i++) {
		raw_futex_wait(&shared_region->epochs, atomic_load(&shared_region->epochs), 5);
		chunk = take_ring(thread);
	}
	/* The recorder has taken us for ended: nobody would drain this ring. */
	if (session->epoch != atomic_load(&state->epoch)) {
		session_off();
		return -1;
	}
	if (chunk == CHUNK_NONE) {
		thread->limit = 1;
		atomic_store(&state->no_rings, 1);
		count(COUNT_LOST_NO_RING);
		return -1;
	}
	atomic_store(&state->no_rings, 0);
	ring = region_chunk(shared_region, chunk);
	ring->session = (uint32_t)(session - shared_region->session);
	ring->tid = thread_id();
	ring->chunk = chunk;
	thread->ring = ring;
	if (atomic_exchange(&state->opened, 1) == 0)
		atomic_store(&state->solo, (uintptr_t)thread);
	ring->opened = stamp(); /* after that */
	thread->told = ring->opened;
	segments_open(thread);
	capture_thread(thread, ring->tid == session->pid);
	first = atomic_load(&session->rings);
	do {
		ring->next = first;
	} while (!atomic_compare_exchange_weak(&session->rings, &first, chunk));
	return 0;
}

static int on_signal_stack(void)
{
	stack_t stack = {.ss_flags = 0};

	return raw_syscall(SYS_sigaltstack, 0, (long)&stack, 0, 0, 0, 0) == 0 &&
	       (stack.ss_flags & SS_ONSTACK) != 0;
}

/* Whether a hook's bookkeeping was interrupted in this thread, or its frame is gone: left
 * by a longjmp out of a signal handler. What interrupts a frame lies below it on
 * the same stack, or on a signal stack, and the frame's return address is still there. */
static int interrupted(struct thread *thread, uintptr_t sp)
{
	uintptr_t busy = thread->busy;
	int known = busy > thread->stack_low && busy <= thread->stack_high;

	if (busy == 0)
		return 0;
	if (sp != busy && (known || raw_readable(busy - 8)) &&
	    *(const uintptr_t *)(busy - 8) == thread->busy_pc &&
	    !(known && sp > busy && sp < thread->stack_high && !on_signal_stack()))
		return 1;
	thread->busy = 0;
	return 0;
}

/* With signals blocked: what a handler leaves by a longjmp half-way would stay so. */
static int thread_open(struct thread *thread, uintptr_t sp, uint32_t epoch)
{
	const uint64_t blocked = RAW_ASYNCHRONOUS;
	const int new_process = epoch == 0 || thread->epoch != EPOCH_NONE;
	uint64_t before = 0;
	long masked = raw_syscall(SYS_rt_sigprocmask, SIG_SETMASK, (long)&blocked, (long)&before,
				  sizeof(before), 0, 0);

	thread->epoch = EPOCH_NONE;
	thread->stack_low = thread->stack_high = 0;
	thread->busy = sp;
	atomic_signal_fence(memory_order_seq_cst);
	thread->deleting = 0;
	if (new_process)
		thread->limit = 0; /* it has not yet waited for a ring in this process */
	if ((epoch != 0 || session_open() == 0) && ring_open(thread) == 0)
		thread->epoch = atomic_load(&state->epoch);
	atomic_signal_fence(memory_order_seq_cst);
	thread->busy = 0;
	if (!raw_failed(masked))
		raw_syscall(SYS_rt_sigprocmask, SIG_SETMASK, (long)&before, 0, sizeof(before), 0,
			    0);
	return thread->epoch < EPOCH_OFF ? 0 : -1;
}

cold struct thread *gate_cold(uintptr_t sp)
{
	struct thread *thread = &self;
	uint32_t epoch = atomic_load(&state->epoch);

	if (epoch == EPOCH_OFF || thread->ours != 0)
		return NULL;
	/* Without a clock its events have no place among those of others. */
	if (unlikely(thread->strict != 0) && others_may_come(thread)) {
		count(COUNT_LOST_OTHER);
		return NULL;
	}
	if (epoch != 0 && thread->epoch == epoch) {
		if (interrupted(thread, sp))
			return NULL;
		events_flush_side(thread, sp);
		return thread->epoch == epoch ? thread : NULL;
	}

	/* A new process, a forked child or a new thread. What TLS says of a hook
	 * under way is the parent's, unless we are interrupting ourselves here. */
	if (thread->busy != 0 && thread->epoch == EPOCH_NONE)
		return NULL;
	return thread_open(thread, sp, epoch) == 0 ? thread : NULL;
}
