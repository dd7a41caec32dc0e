/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include "libcollect/recorder/drain.h"

#include <stdlib.h>

#include "formats/error.h"
#include "libcollect/recorder/procfs.h"

#define FAR_NS UINT64_C(1000000000)

void drain_release(struct drain *drain)
{
	free(drain->feeds);
	free(drain->heap);
	free(drain->recent);
	drain->recent = NULL;
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

/* All that the program has published there and nobody has taken is lost. */
static void lose(struct drain *drain, struct feed *feed)
{
	do {
		drain->bad += feed->count - feed->next;
		feed->next = feed->count;
	} while (feed_fill(feed, drain->far) != 0);
}

static uint32_t chunk_of(const struct drain *drain, const struct ring *ring)
{
	return (uint32_t)(((const char *)ring - drain->shared->chunk0) / CHUNK_BYTES);
}

/* Whether it is this session's, and no feed reads it. */
static int is_new(struct drain *drain, const struct ring *ring)
{
	uint32_t chunk = chunk_of(drain, ring);

	for (uint32_t i = 0; i < drain->count; i++)
		if (drain->feeds[i].chunk == chunk)
			return 0;
	if (atomic_load_explicit(&drain->shared->owner[chunk], memory_order_relaxed) ==
		drain->epoch &&
	    ring->session == drain->slot)
		return 1;
	drain->bad++;
	return 0;
}

/* 0 or ERROR_MEMORY. */
static int add_feed(struct drain *drain, const struct ring *ring)
{
	if (!is_new(drain, ring))
		return 0;
	/* Two threads never have one number at one time. */
	for (uint32_t i = 0; i < drain->count; i++)
		if (drain->feeds[i].tid == ring->tid)
			drain->feeds[i].gone = 1;
	if (make_room(drain) != 0)
		return ERROR_MEMORY;
	feed_start(&drain->feeds[drain->count++], drain->shared, drain->epoch,
		   chunk_of(drain, ring), drain->now);
	drain->rings++;
	return 0;
}

/* Without memory for rings their threads must not wait for us. */
static void lose_rings(struct drain *drain)
{
	struct ring *ring = shared_chunk(drain->shared, drain->unadopted);
	struct feed feed;

	for (uint32_t i = 0; i < drain->shared->chunks && ring != NULL; i++) {
		if (!is_new(drain, ring))
			return;
		feed_start(&feed, drain->shared, drain->epoch, chunk_of(drain, ring), drain->now);
		feed_look(&feed);
		lose(drain, &feed);
		if (feed.tail != feed.released)
			feed_give_back(&feed);
		drain->bad += feed.bad;
		ring = shared_chunk(drain->shared, ring->next);
	}
}

/* Takes the list of new rings, in front of those that wait already. */
static void take_list(struct drain *drain)
{
	_Atomic uint32_t *list = &drain->session->rings;
	struct ring *ring, *last = NULL;
	uint32_t first;

	if (atomic_load_explicit(list, memory_order_relaxed) == CHUNK_NONE)
		return;
	first = atomic_exchange(list, CHUNK_NONE);
	ring = shared_chunk(drain->shared, first);
	/* A list that runs in a circle is cut. */
	for (uint32_t i = 0; i < drain->shared->chunks && ring != NULL; i++) {
		last = ring;
		ring = shared_chunk(drain->shared, ring->next);
	}
	if (last != NULL) {
		last->next = drain->unadopted;
		drain->unadopted = first;
	}
}

static void adopt_rings(struct drain *drain)
{
	take_list(drain);
	for (uint32_t i = 0; i < drain->shared->chunks && drain->unadopted != CHUNK_NONE; i++) {
		struct ring *ring = shared_chunk(drain->shared, drain->unadopted);

		if (ring == NULL)
			break;
		if (add_feed(drain, ring) != 0) {
			lose_rings(drain);
			return;
		}
		drain->unadopted = ring->next;
	}
	drain->unadopted = CHUNK_NONE;
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
	for (uint32_t i = feed->next; i < feed->count; i++)
		feed->event[i].event.thread = feed->thread;
	return feed->thread != 0 ? 0 : -1;
}

static inline struct drain_recent *recent_of(const struct drain *drain, uint32_t node,
					     uint64_t what)
{
	uint64_t h = ((uint64_t)node << 40 ^ what ^ what >> 44) * UINT64_C(0x9e3779b97f4a7c15);

	return &drain->recent[h >> 32 & (DRAIN_RECENT - 1)];
}

/* What classes_resolve() overwrites, until it is known again. */
static void remember_whats(const struct batch *batch, uint64_t what[BATCH_EVENTS])
{
	for (uint32_t i = 0; i < batch->unknown_count; i++)
		what[i] = batch->event[batch->unknown[i].at].number;
}

static void remember_classes(struct drain *drain, const struct batch *batch,
			     const uint64_t what[BATCH_EVENTS])
{
	for (uint32_t i = 0; i < batch->unknown_count; i++) {
		const struct batch_unknown *unknown = &batch->unknown[i];

		*recent_of(drain, unknown->node, what[i]) = (struct drain_recent){
		    what[i], unknown->node, batch->event[unknown->at].class_id};
	}
}

/* Nodes and classes are found here, the rest is the crew's. */
static void submit(struct drain *drain)
{
	struct account *account = drain->account;
	struct batch *batch = drain->batch;
	uint64_t what[BATCH_EVENTS];

	drain->batch = NULL;
	if (batch == NULL)
		return;
	remember_whats(batch, what);
	stacks_resolve(drain->stacks, account->writer, batch);
	classes_resolve(&account->classes, batch);
	remember_classes(drain, batch, what);
	crew_submit(account->crew);
}

static int begin_batch(struct drain *drain)
{
	struct account *account = drain->account;

	submit(drain);
	if (drain->recent == NULL)
		drain->recent = calloc(DRAIN_RECENT, sizeof(*drain->recent));
	if (drain->recent == NULL)
		return -1;
	drain->batch = crew_batch(account->crew, account);
	if (drain->batch == NULL)
		return -1;
	drain->batch->tick = account->ticks.now;
	return 0;
}

static inline void note_time(struct drain *drain, uint64_t time)
{
	if (time < drain->last)
		drain->late++;
	else
		drain->last = time;
}

/* Gives an allocation its numbers, and its class where that is known. */
static inline void prepare(struct drain *drain, struct batch *batch, struct batch_event *event)
{
	struct account *account = drain->account;
	const struct drain_recent *recent = recent_of(drain, event->node, event->number);
	uint64_t number = ++account_thread_at(account, event->thread)->made;

	event->sequence = (uint32_t)++account->sequence;
	if (recent->what == event->number && recent->node == event->node && recent->class_id != 0) {
		event->class_id = recent->class_id;
		event->number = number;
		return;
	}
	if (event->number >> CLASS_SIZE_BITS > FUNCTION_NEW_ARRAY_ALIGNED_NOTHROW)
		event->number =
		    CLASS_WHAT(event->number & (CLASS_WHAT(0, 1) - 1), FUNCTION_UNKNOWN);
	stacks_prefetch(drain->stacks, event->node);
	batch->unknown[batch->unknown_count++] =
	    (struct batch_unknown){number, event->node, batch->count - 1};
}

/* Adds an event; or two in one, when the next one of its ring belongs to it. Returns how many. */
static inline uint32_t take_event(struct drain *drain, const struct feed_event *from,
				  uint64_t limit)
{
	struct ticks *ticks = &drain->account->ticks;
	struct batch *batch = drain->batch;
	struct batch_event *event;

	note_time(drain, from->time);
	if (from->time >= ticks->until || batch == NULL || batch->count == BATCH_EVENTS) {
		ticks_at(ticks, from->time);
		if (begin_batch(drain) != 0) {
			drain->bad++;
			return 1;
		}
		batch = drain->batch;
	}
	event = &batch->event[batch->count++];
	*event = from->event;
	if (event->operation == BATCH_DEALLOCATION)
		return 1;
	prepare(drain, batch, event);
	if (event->operation == BATCH_ALLOCATION)
		return 1;
	if (from[1].time > limit || from[1].time >= ticks->until) {
		event->operation = BATCH_ALLOCATION;
		return 1;
	}
	note_time(drain, from[1].time);
	return 2;
}

/* Takes the events of one ring up to a time. Returns the time of the next one,
 * or UINT64_MAX when there is none. */
static uint64_t take_run(struct drain *drain, struct feed *feed, uint64_t limit)
{
	do {
		while (feed->next < feed->count) {
			const struct feed_event *event = &feed->event[feed->next];

			if (event->time > limit)
				return event->time;
			feed->next += take_event(drain, event, limit);
		}
	} while (feed_fill(feed, drain->far) != 0);
	return UINT64_MAX;
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

/* Threads are numbered by their first events; here, while nobody else is at work. */
static uint32_t name_threads(struct drain *drain, uint32_t count)
{
	struct feed_key *heap = drain->heap;

	for (;;) {
		uint32_t first = count;

		for (uint32_t i = 0; i < count; i++)
			if (drain->feeds[heap[i].feed].thread == 0 &&
			    (first == count || heap[i].time < heap[first].time))
				first = i;
		if (first == count)
			return count;
		if (name_thread(drain, &drain->feeds[heap[first].feed]) != 0) {
			lose(drain, &drain->feeds[heap[first].feed]);
			heap[first] = heap[--count];
		}
	}
}

/* Looks at all rings. Returns how many have something up to T. */
static uint32_t fill_heap(struct drain *drain)
{
	uint32_t count = 0, fresh = 0;

	for (uint32_t i = 0; i < drain->count; i++) {
		struct feed *feed = &drain->feeds[i];

		feed_look(feed);
		if (feed->next == feed->count &&
		    (feed->tail == feed->head || feed_fill(feed, drain->far) == 0))
			continue;
		if (feed->event[feed->next].time > drain->now)
			continue;
		drain->heap[count++] = (struct feed_key){feed->event[feed->next].time, i};
		fresh |= feed->thread == 0;
	}
	if (fresh)
		count = name_threads(drain, count);
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

/* The end of a round: what waited long enough is settled, and all is finished. */
static void settle(struct drain *drain, uint64_t now)
{
	struct account *account = drain->account;

	if (drain->batch == NULL && account->pairing.wait != 0 && pairing_waits(&account->pairing))
		begin_batch(drain);
	if (drain->batch != NULL)
		drain->batch->settle = account->pairing.wait != 0 ? now : 0;
	submit(drain);
	crew_wait(account->crew);
}

uint64_t drain_round(struct drain *drain, uint64_t now, int final)
{
	uint64_t words = 0;
	uint32_t lone = 0, active = 0;

	shared_alive(drain->shared);
	drain->far = now + clock_from_ns(drain->clock, FAR_NS);
	drain->now = final ? drain->far : now;
	adopt_rings(drain);
	/* Where one ring was the only one, its order is the truth: nothing is late. */
	if (drain->rings > 1 && drain->account->pairing.wait == 0)
		drain->account->pairing.wait = clock_from_ns(drain->clock, FAR_NS);
	modules_read(&drain->stacks->modules);
	for (uint32_t i = 0; i < drain->count; i++)
		drain->feeds[i].before = drain->feeds[i].tail;
	merge(drain);
	settle(drain, final ? UINT64_MAX : now);
	for (uint32_t i = 0; i < drain->count; i++) {
		struct feed *feed = &drain->feeds[i];

		words += feed->tail - feed->before;
		if (feed->tail != feed->before && ++active == 1)
			lone = feed->chunk;
		drain->bad += feed->bad;
		feed->bad = 0;
		if (feed->tail != feed->released)
			words += feed_give_back(feed);
	}
	if (drain->rings > 1)
		atomic_store_explicit(&drain->session->lone, active == 1 ? lone : 0,
				      memory_order_relaxed);
	return words;
}
