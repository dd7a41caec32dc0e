/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include "libcollect/recorder/drain.h"

#include <limits.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "libcollect/recorder/procfs.h"

enum {
	AHEAD_HEAD = 16, /* slots: the live table's chain heads and the node are fetched */
	AHEAD_BLOCK = 8, /* then the blocks */
	RELEASE_SLOTS = RING_SLOTS / 4
};
#define SIZE_MOST (UINT64_C(1) << 48)
#define FAR_NS    UINT64_C(1000000000)

void drain_release(struct drain *drain)
{
	free(drain->feeds);
	free(drain->heap);
	drain->feeds = NULL;
	drain->heap = NULL;
	drain->count = drain->room = 0;
}

/* --- rings ------------------------------------------------------------------------ */

static void release_slots(struct drain *drain, struct feed *feed)
{
	struct ring *ring = feed->ring;

	feed->released = feed->tail;
	atomic_store_explicit(&ring->tail, feed->tail, memory_order_release);
	atomic_fetch_add_explicit(&drain->shared->region->heartbeat, 1, memory_order_relaxed);
	/* Pairs with the program's store of waiting before its look at tail. */
	atomic_thread_fence(memory_order_seq_cst);
	if (atomic_load_explicit(&ring->waiting, memory_order_relaxed) != 0) {
		atomic_store(&ring->waiting, 0);
		atomic_fetch_add(&ring->room, 1);
		syscall(SYS_futex, &ring->room, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
	}
}

static int make_room(struct drain *drain)
{
	uint32_t room = drain->room != 0 ? drain->room * 2 : 4;
	struct feed *feeds;
	struct feed_key *heap;

	if (drain->count < drain->room)
		return 0;
	feeds = realloc(drain->feeds, room * sizeof(*feeds));
	if (feeds == NULL)
		return -1;
	drain->feeds = feeds;
	heap = realloc(drain->heap, room * sizeof(*heap));
	if (heap == NULL)
		return -1;
	drain->heap = heap;
	drain->room = room;
	return 0;
}

static void add_feed(struct drain *drain, uint32_t chunk, struct ring *ring)
{
	uint32_t owner = atomic_load_explicit(&drain->shared->owner[chunk], memory_order_relaxed);

	for (uint32_t i = 0; i < drain->count; i++) {
		if (drain->feeds[i].chunk == chunk)
			return;
		/* Two threads never have one number at one time. */
		if (drain->feeds[i].tid == ring->tid)
			drain->feeds[i].gone = 1;
	}
	if (owner != drain->epoch || ring->session != drain->slot || make_room(drain) != 0) {
		drain->bad++;
		return;
	}
	drain->feeds[drain->count++] =
	    (struct feed){.ring = ring, .chunk = chunk, .tid = ring->tid};
	drain->rings++;
}

static void adopt_rings(struct drain *drain)
{
	_Atomic uint32_t *list = &drain->session->rings;
	uint32_t chunk;

	if (atomic_load_explicit(list, memory_order_relaxed) == CHUNK_NONE)
		return;
	chunk = atomic_exchange(list, CHUNK_NONE);
	/* A list that runs in a circle is cut. */
	for (uint32_t i = 0; i < drain->shared->chunks; i++) {
		struct ring *ring = shared_chunk(drain->shared, chunk);

		if (ring == NULL)
			break;
		chunk = ring->next;
		add_feed(drain, (uint32_t)(((char *)ring - drain->shared->chunk0) / CHUNK_BYTES),
			 ring);
	}
}

int drain_drop_feed(struct drain *drain, uint32_t number)
{
	struct feed *feed = &drain->feeds[number];

	if (!feed->gone ||
	    atomic_load_explicit(&feed->ring->head, memory_order_acquire) != feed->tail)
		return -1;
	drain->lost += atomic_load(&feed->ring->lost);
	shared_return(drain->shared, feed->chunk);
	*feed = drain->feeds[--drain->count];
	return 0;
}

/* --- events ------------------------------------------------------------------------- */

static inline const struct event *slot_at(const struct feed *feed, uint64_t number)
{
	return &feed->ring->slot[number % RING_SLOTS];
}

static int name_thread(struct drain *drain, struct feed *feed)
{
	char name[THREAD_NAME_BYTES] = "";
	pid_t pid = drain->stacks->modules.pid;

	if (pid != 0)
		proc_thread_name(pid, feed->tid, name, sizeof(name));
	feed->thread = account_thread_new(drain->account, feed->tid, name);
	return feed->thread != 0 ? 0 : -1;
}

/* The size of an allocation, and how many slots it takes; 0: nonsense. */
static unsigned size_of(const struct feed *feed, const struct event *event, uint64_t *size)
{
	const struct event *wide;

	*size = event->size;
	if (event->size != SIZE_WIDE)
		return 1;
	if (feed->tail + 1 == feed->head)
		return 0;
	wide = slot_at(feed, feed->tail + 1);
	if (EVENT_KIND(wide->what) != EVENT_WIDE)
		return 0;
	*size = wide->time;
	return *size <= SIZE_MOST ? 2 : 0;
}

static void allocation(struct drain *drain, struct feed *feed, const struct event *event,
		       struct account_event *known)
{
	unsigned function = EVENT_FUNCTION(event->what);
	struct account_node *node;
	uint64_t size;
	unsigned slots = size_of(feed, event, &size);

	node = stacks_node(drain->stacks, drain->account->writer, event->node);
	if (slots == 0 || node == NULL) {
		drain->bad++;
		return;
	}
	feed->tail += slots - 1;
	account_allocation(drain->account, known, node, size,
			   function <= FUNCTION_NEW_ARRAY_ALIGNED_NOTHROW ? function
									  : FUNCTION_UNKNOWN);
}

/* Counts the event at the tail, which happened at a time, and steps behind it. */
static void take_event(struct drain *drain, struct feed *feed, uint64_t time)
{
	const struct event event = *slot_at(feed, feed->tail);
	struct account_event known = {.address = EVENT_ADDRESS(event.what), .time = event.time};
	unsigned kind = EVENT_KIND(event.what);

	if (time < drain->last)
		drain->late++;
	else
		drain->last = time;
	feed->last = time;
	ticks_at(&drain->account->ticks, time);
	if (known.time == 0 || known.time > drain->far)
		known.time = time;
	if (known.address == 0 || (feed->thread == 0 && name_thread(drain, feed) != 0))
		kind = 0;
	known.thread = feed->thread;
	known.realloc = kind == EVENT_REALLOC_ALLOC || kind == EVENT_REALLOC_FREE;
	if (kind == EVENT_ALLOC || kind == EVENT_REALLOC_ALLOC)
		allocation(drain, feed, &event, &known);
	else if (kind == EVENT_FREE || kind == EVENT_REALLOC_FREE)
		account_deallocation(drain->account, &known);
	else
		drain->bad++;
	feed->tail++;
}

static inline void fetch_ahead(const struct drain *drain, const struct feed *feed)
{
	if (feed->tail + AHEAD_HEAD < feed->head) {
		const struct event *event = slot_at(feed, feed->tail + AHEAD_HEAD);

		livetable_prefetch_head(&drain->account->live, EVENT_ADDRESS(event->what));
		stacks_prefetch(drain->stacks, event->node);
	}
	if (feed->tail + AHEAD_BLOCK < feed->head)
		livetable_prefetch_block(
		    &drain->account->live,
		    EVENT_ADDRESS(slot_at(feed, feed->tail + AHEAD_BLOCK)->what));
}

/* When the event at the tail happened. */
static inline uint64_t time_of_next(const struct drain *drain, const struct feed *feed)
{
	uint64_t time = slot_at(feed, feed->tail)->time;

	return time > feed->last && time <= drain->far ? time : feed->last;
}

/* Takes the events of one ring up to a time. Returns the time of the next one,
 * or UINT64_MAX when there is none. */
static uint64_t take_run(struct drain *drain, struct feed *feed, uint64_t time, uint64_t limit)
{
	do {
		fetch_ahead(drain, feed);
		take_event(drain, feed, time);
		if (feed->tail >= feed->head)
			return UINT64_MAX;
		if (feed->tail - feed->released >= RELEASE_SLOTS)
			release_slots(drain, feed);
		time = time_of_next(drain, feed);
	} while (time <= limit);
	return time;
}

/* --- the merge ------------------------------------------------------------------------ */

static void sift_down(struct feed_key *heap, uint32_t count, uint32_t at)
{
	struct feed_key key = heap[at];

	for (;;) {
		uint32_t child = 2 * at + 1;

		if (child >= count)
			break;
		if (child + 1 < count && heap[child + 1].time < heap[child].time)
			child++;
		if (heap[child].time >= key.time)
			break;
		heap[at] = heap[child];
		at = child;
	}
	heap[at] = key;
}

/* Reads all heads. Returns how many rings have something up to T. */
static uint32_t fill_heap(struct drain *drain)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < drain->count; i++) {
		struct feed *feed = &drain->feeds[i];
		uint64_t time;

		feed->head = atomic_load_explicit(&feed->ring->head, memory_order_acquire);
		/* A child that was forked in the middle of a hook may have set it back
		 * for a moment: its parent says it again. */
		if ((int64_t)(feed->head - feed->tail) < 0)
			continue;
		if (feed->head - feed->tail > RING_SLOTS) {
			/* Not what a hook wrote. Take it up again where it stands now. */
			drain->bad++;
			feed->tail = feed->head;
			release_slots(drain, feed);
		}
		if (feed->head == feed->tail)
			continue;
		time = time_of_next(drain, feed);
		if (time <= drain->now)
			drain->heap[count++] = (struct feed_key){time, i};
	}
	for (uint32_t at = count / 2; at-- > 0;)
		sift_down(drain->heap, count, at);
	return count;
}

static void merge(struct drain *drain)
{
	struct feed_key *heap = drain->heap;
	uint32_t count = fill_heap(drain);

	while (count > 0) {
		uint64_t limit = drain->now;

		for (uint32_t child = 1; child <= 2 && child < count; child++)
			if (heap[child].time < limit)
				limit = heap[child].time;
		heap[0].time = take_run(drain, &drain->feeds[heap[0].feed], heap[0].time, limit);
		if (heap[0].time > drain->now)
			heap[0] = heap[--count];
		sift_down(heap, count, 0);
	}
}

uint64_t drain_round(struct drain *drain, int final)
{
	uint64_t slots = 0, now = clock_now(drain->clock);

	drain->far = now + clock_from_ns(drain->clock, FAR_NS);
	drain->now = final ? drain->far : now;
	adopt_rings(drain);
	/* Where one ring was the only one, its order is the truth: nothing is late. */
	if (drain->rings > 1 && drain->account->wait == 0)
		drain->account->wait = clock_from_ns(drain->clock, FAR_NS);
	modules_read(&drain->stacks->modules);
	for (uint32_t i = 0; i < drain->count; i++)
		slots -= drain->feeds[i].tail;
	merge(drain);
	for (uint32_t i = 0; i < drain->count; i++) {
		struct feed *feed = &drain->feeds[i];

		slots += feed->tail;
		if (feed->tail != feed->released)
			release_slots(drain, feed);
	}
	account_settle(drain->account, final ? UINT64_MAX : now);
	return slots;
}
