/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libcollect/preload/segments.h"

#include <time.h>

#include "libcollect/preload/chunks.h"
#include "libcollect/preload/rawio.h"
#include "libcollect/preload/session.h"

#include "libcollect/preload/banned.h"

enum { SIGN_OF_LIFE_S = 10, SLEEP_MS = 50 };

/* Never 0. */
static long seconds(struct thread *thread)
{
	struct timespec now;

	if (unlikely(thread->strict != 0))
		return 1 + (long)(thread->strict++ / (1000 / SLEEP_MS));
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* The sleep itself. Nothing of the ring or the scratch memory is in use here,
 * so what signal handlers allocate meanwhile takes the ordinary way. */
static void sleep_for_room(struct thread *thread, uint32_t value)
{
	uintptr_t busy = thread->busy, busy_pc = thread->busy_pc;

	session_wake_recorder(SLEEPING_NOT);
	if (atomic_load_explicit(&thread->side_count, memory_order_relaxed) == 0)
		thread->busy = 0;
	atomic_signal_fence(memory_order_seq_cst);
	raw_futex_wait(&thread->ring->room, value, SLEEP_MS);
	atomic_signal_fence(memory_order_seq_cst);
	thread_busy(thread, busy_pc, busy);
}

/* Where a place of the ring lies, NULL when its chunk can't be had. */
static uint64_t *place_at(struct ring *ring, unsigned place)
{
	unsigned more = (place - RING_FIRST_SEGMENTS) / SEGMENTS_PER_CHUNK;
	uint32_t chunk;

	if (place < RING_FIRST_SEGMENTS)
		return ring->segment[place];
	chunk = atomic_load_explicit(&ring->more[more], memory_order_relaxed);
	if (chunk == CHUNK_NONE) {
		chunk = chunk_take_spare();
		if (chunk == CHUNK_NONE)
			return NULL;
		atomic_store(&ring->more[more], chunk);
	}
	return (uint64_t *)region_chunk(shared_region, chunk) +
	       (uint64_t)((place - RING_FIRST_SEGMENTS) % SEGMENTS_PER_CHUNK) * SEGMENT_WORDS;
}

static void enter_segment(struct thread *thread, uint64_t number, unsigned place, uint64_t *at)
{
	struct ring *ring = thread->ring;
	uint64_t *rest = &thread->segment[thread->head % SEGMENT_WORDS];

	if (thread->head < number * SEGMENT_WORDS)
		*rest = EVENT_WORD(EVENT_SKIP, 0, 0);
	atomic_store_explicit(&ring->place[number % RING_SEGMENTS], (uint8_t)place,
			      memory_order_relaxed);
	thread->head = number * SEGMENT_WORDS;
	thread->segment = at;
	thread->tick = atomic_load(&shared_region->tick) - 1; /* a time at each one's head */
	thread_scratch(thread)->until[place] = thread->head + SEGMENT_WORDS;
	/* Behind all else: a handler may jump away here. */
	atomic_signal_fence(memory_order_seq_cst);
	thread->limit = thread->head + SEGMENT_WORDS - WORDS_A_HOOK + 1;
	atomic_store_explicit(&ring->head, thread->head, memory_order_release);
}

/* Goes on in the first place that the recorder has drained, or that is new. */
static int next_segment(struct thread *thread)
{
	const uint64_t *until = thread_scratch(thread)->until;
	uint64_t number = thread->head / SEGMENT_WORDS + (thread->head % SEGMENT_WORDS != 0);
	uint64_t tail = atomic_load(&thread->ring->tail);

	for (unsigned place = 0; place < RING_SEGMENTS; place++) {
		uint64_t *at;

		if (until[place] > tail)
			continue;
		at = place_at(thread->ring, place);
		if (at == NULL)
			break;
		enter_segment(thread, number, place, at);
		return 1;
	}
	return 0;
}

void segments_forget(struct thread *thread)
{
	struct ring *ring = thread->ring;
	struct scratch *scratch = thread_scratch(thread);

	for (unsigned i = 0; i < RING_MORE_CHUNKS; i++)
		atomic_store(&ring->more[i], CHUNK_NONE);
	for (unsigned i = 0; i < RING_SEGMENTS; i++) {
		atomic_store_explicit(&ring->place[i], 0, memory_order_relaxed);
		scratch->until[i] = 0;
	}
}

void segments_open(struct thread *thread)
{
	struct ring *ring = thread->ring;

	thread->head = 0;
	thread->limit = SEGMENT_WORDS - WORDS_A_HOOK + 1;
	thread->segment = ring->segment[0];
	thread->tick = atomic_load(&shared_region->tick) - 1;
	thread->allocations = 0;
	thread->last_allocation = 0;
	atomic_store(&thread->side_count, 0);
	thread_scratch(thread)->until[0] = SEGMENT_WORDS;
	atomic_store(&ring->head, 0);
	atomic_store(&ring->tail, 0);
	atomic_store(&ring->waiting, 0);
	atomic_store(&ring->room, 0);
}

/* The segment is full. Sleeps while the ring is, too. Returns 0 when there will
 * be no room any more. */
cold int segments_make_room(struct thread *thread)
{
	struct ring *ring = thread->ring;
	uint32_t heartbeat = atomic_load(&shared_region->heartbeat);
	long since = 0; /* the recorder's last sign of life, as far as we looked */

	for (;;) {
		uint32_t value = atomic_load(&ring->room);

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
		if (since != 0)
			atomic_store(&ring->waiting, 1);
		if (next_segment(thread)) {
			session_wake_recorder(SLEEPING);
			return 1;
		}
		if (!session_recorder_lives()) {
			session_off();
			return 0;
		}
		if (since == 0) { /* say so, and look once more */
			since = seconds(thread);
			continue;
		}
		/* Said again: a child that a signal handler forked in the middle of
		 * publish() has set it back. */
		atomic_store(&ring->head, thread->head);
		sleep_for_room(thread, value);
		if (atomic_load(&shared_region->heartbeat) != heartbeat) {
			heartbeat = atomic_load(&shared_region->heartbeat);
			since = seconds(thread);
		} else if (seconds(thread) - since > SIGN_OF_LIFE_S) {
			atomic_store(&state->session->state, SESSION_ABANDONED);
			session_off();
			return 0;
		}
	}
}
