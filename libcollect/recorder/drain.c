/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include "libcollect/recorder/drain.h"

#include <stdlib.h>

#include "libcollect/recorder/procfs.h"

/* Events ahead: what a chain head of the live table points to is fetched. */
enum { AHEAD = 8 };
#define FAR_NS UINT64_C(1000000000)

void drain_release(struct drain *drain)
{
	free(drain->feeds);
	free(drain->heap);
	drain->feeds = NULL;
	drain->heap = NULL;
	drain->count = drain->room = 0;
}

/* --- rings ------------------------------------------------------------------------ */

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
	feed_start(&drain->feeds[drain->count++], drain->shared, drain->epoch, chunk, drain->now);
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

	if (!feed->gone || !feed_is_empty(feed))
		return -1;
	/* Not what another one stands on, whatever has been written there. */
	for (uint32_t i = 0; i < drain->count; i++)
		feed_disown(feed, drain->feeds[i].chunk);
	drain->bad += feed->bad;
	feed_end(feed);
	*feed = drain->feeds[--drain->count];
	return 0;
}

/* --- events ------------------------------------------------------------------------- */

static int name_thread(struct drain *drain, struct feed *feed)
{
	char name[THREAD_NAME_BYTES] = "";
	pid_t pid = drain->stacks->modules.pid;

	if (pid != 0)
		proc_thread_name(pid, feed->tid, name, sizeof(name));
	feed->thread = account_thread_new(drain->account, feed->tid, name);
	return feed->thread != 0 ? 0 : -1;
}

static inline void note_time(struct drain *drain, uint64_t time)
{
	if (time < drain->last)
		drain->late++;
	else
		drain->last = time;
}

static inline struct account_event known(const struct feed *feed, const struct feed_event *event)
{
	return (struct account_event){.time = event->stamp,
				      .address = event->address,
				      .thread = feed->thread,
				      .realloc = (event->what & FEED_REALLOC) != 0};
}

static inline unsigned known_function(const struct feed_event *event)
{
	unsigned function = feed_event_function(event);

	return function <= FUNCTION_NEW_ARRAY_ALIGNED_NOTHROW ? function : FUNCTION_UNKNOWN;
}

/* Counts an event; or two, when the next one of its ring belongs to it. Returns how many. */
static inline uint32_t take_event(struct drain *drain, struct feed *feed,
				  const struct feed_event *event, uint64_t limit)
{
	struct account *account = drain->account;
	struct account_event what = known(feed, event), then;
	struct account_node *node;

	note_time(drain, event->time);
	ticks_at(&account->ticks, event->time);
	if (!feed_event_is_allocation(event)) {
		account_deallocation(account, &what);
		return 1;
	}
	node = stacks_node(drain->stacks, account->writer, event->node);
	if (node == NULL) {
		drain->bad++;
		return 1;
	}
	if (!(event->what & FEED_TEMPORARY) || event[1].time > limit ||
	    event[1].time >= account->ticks.until) {
		account_allocation(account, &what, node, event->size, known_function(event));
		return 1;
	}
	then = known(feed, event + 1);
	note_time(drain, event[1].time);
	account_temporary(account, &what, &then, node, event->size, known_function(event));
	return 2;
}

static inline void fetch_block(const struct drain *drain, const struct feed *feed, uint32_t number)
{
	if (number < feed->count)
		livetable_prefetch_block(&drain->account->live, feed->event[number].address);
}

/* The next events of a ring. Returns their number. */
static uint32_t fill(struct drain *drain, struct feed *feed)
{
	uint32_t count = feed_fill(feed, drain->far);

	for (uint32_t i = 0; i < count; i++) {
		const struct feed_event *event = &feed->event[i];

		livetable_prefetch_head(&drain->account->live, event->address);
		stacks_prefetch(drain->stacks, event->node);
	}
	for (uint32_t i = 0; i < AHEAD; i++)
		fetch_block(drain, feed, i);
	return count;
}

/* Takes the events of one ring up to a time. Returns the time of the next one,
 * or UINT64_MAX when there is none. */
static uint64_t take_run(struct drain *drain, struct feed *feed, uint64_t limit)
{
	if (feed->thread == 0 && name_thread(drain, feed) != 0) {
		drain->bad += feed->count - feed->next;
		feed->next = feed->count;
	}
	do {
		while (feed->next < feed->count) {
			const struct feed_event *event = &feed->event[feed->next];

			if (event->time > limit)
				return event->time;
			fetch_block(drain, feed, feed->next + AHEAD);
			feed->next += take_event(drain, feed, event, limit);
		}
	} while (fill(drain, feed) != 0 && feed->thread != 0);
	return feed->next < feed->count ? feed->event[feed->next].time : UINT64_MAX;
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

/* Looks at all rings. Returns how many have something up to T. */
static uint32_t fill_heap(struct drain *drain)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < drain->count; i++) {
		struct feed *feed = &drain->feeds[i];

		feed_look(feed);
		if (feed->next == feed->count &&
		    (feed->tail == feed->head || fill(drain, feed) == 0))
			continue;
		if (feed->event[feed->next].time <= drain->now)
			drain->heap[count++] = (struct feed_key){feed->event[feed->next].time, i};
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
		heap[0].time = take_run(drain, &drain->feeds[heap[0].feed], limit);
		if (heap[0].time > drain->now)
			heap[0] = heap[--count];
		sift_down(heap, count, 0);
	}
}

uint64_t drain_round(struct drain *drain, uint64_t now, int final)
{
	uint64_t words = 0;

	shared_alive(drain->shared);
	drain->far = now + clock_from_ns(drain->clock, FAR_NS);
	drain->now = final ? drain->far : now;
	adopt_rings(drain);
	/* Where one ring was the only one, its order is the truth: nothing is late. */
	if (drain->rings > 1 && drain->account->wait == 0)
		drain->account->wait = clock_from_ns(drain->clock, FAR_NS);
	modules_read(&drain->stacks->modules);
	for (uint32_t i = 0; i < drain->count; i++)
		words -= drain->feeds[i].tail;
	merge(drain);
	for (uint32_t i = 0; i < drain->count; i++) {
		struct feed *feed = &drain->feeds[i];

		words += feed->tail;
		drain->bad += feed->bad;
		feed->bad = 0;
		if (feed->tail != feed->released)
			words += feed_give_back(feed);
	}
	account_settle(drain->account, final ? UINT64_MAX : now);
	return words;
}
