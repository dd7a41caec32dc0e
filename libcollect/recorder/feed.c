/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include "libcollect/recorder/feed.h"

#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SIZE_MOST   (UINT64_C(1) << 48)
#define UNREAD_MOST ((uint64_t)RING_SEGMENTS * SEGMENT_WORDS)

#define unlikely(x) __builtin_expect(!!(x), 0)

/* What bits 48-53 of an event's first word (kind, stamped, wide, none) say of it:
 * how many words it has, and so on. All others begin no event. */
enum {
	SHAPE_WORDS = 7,
	SHAPE_ALLOCATES = 8,
	SHAPE_STAMPED = 16,
	SHAPE_RARE = 32, /* not simply one allocation or deallocation */

	STAMPED = 1 << 3,
	WIDE = 1 << 4,
	ALLOCATION = 2 | SHAPE_ALLOCATES,
	STAMP = 1 | SHAPE_STAMPED,
	SIZE = 1 | SHAPE_RARE
};
static const uint8_t shape_of[64] = {
    [EVENT_ALLOC] = ALLOCATION,
    [EVENT_ALLOC | STAMPED] = ALLOCATION + STAMP,
    [EVENT_ALLOC | WIDE] = ALLOCATION + SIZE,
    [EVENT_ALLOC | STAMPED | WIDE] = ALLOCATION + STAMP + SIZE,
    [EVENT_FREE] = 1,
    [EVENT_FREE | STAMPED] = 1 + STAMP,
    [EVENT_REALLOC_FREE] = 1 | SHAPE_RARE,
    [EVENT_REALLOC_FREE | STAMPED] = (1 + STAMP) | SHAPE_RARE,
    [EVENT_REALLOC_ALLOC] = ALLOCATION | SHAPE_RARE,
    [EVENT_REALLOC_ALLOC | STAMPED] = (ALLOCATION + STAMP) | SHAPE_RARE,
    [EVENT_REALLOC_ALLOC | WIDE] = ALLOCATION + SIZE,
    [EVENT_REALLOC_ALLOC | STAMPED | WIDE] = ALLOCATION + STAMP + SIZE,
    [EVENT_TIME | STAMPED] = (1 + STAMP) | SHAPE_RARE,
};

void feed_start(struct feed *feed, const struct shared *shared, uint32_t epoch, uint32_t chunk,
		uint64_t now)
{
	feed->shared = shared;
	feed->epoch = epoch;
	feed->chunk = chunk;
	feed->ring = shared_chunk(shared, chunk);
	feed->tid = feed->ring->tid;
	feed->segment = NULL;
	feed->head = feed->tail = feed->released =
	    atomic_load_explicit(&feed->ring->tail, memory_order_relaxed);
	feed->odd_head = feed->held = feed->bad = 0;
	feed->next = feed->count = 0;
	feed->last = feed->ring->opened;
	if (feed->last == 0 || feed->last > now)
		feed->last = now;
	feed->half = 0;
	feed->thread = 0;
	feed->gone = feed->missed = 0;
	feed->checked_ns = feed->name_ns = feed->name_step = 0;
}

/* --- where words lie -------------------------------------------------------------- */

static inline uint64_t load(const uint64_t *word)
{
	return __atomic_load_n(word, __ATOMIC_RELAXED);
}

/* A chunk that a ring has grown into; NULL when it is none of this session's. */
static uint64_t *more_chunk(const struct feed *feed, unsigned number, uint32_t *chunk)
{
	*chunk = atomic_load_explicit(&feed->ring->more[number], memory_order_relaxed);
	if (shared_chunk(feed->shared, *chunk) == NULL || *chunk == feed->chunk ||
	    atomic_load_explicit(&feed->shared->owner[*chunk], memory_order_relaxed) != feed->epoch)
		return NULL;
	return shared_chunk(feed->shared, *chunk);
}

static const uint64_t *find_segment(const struct feed *feed, uint64_t number)
{
	unsigned place =
	    atomic_load_explicit(&feed->ring->place[number % RING_SEGMENTS], memory_order_relaxed);
	const uint64_t *words;
	uint32_t chunk;

	if (place < RING_FIRST_SEGMENTS)
		return feed->ring->segment[place];
	if (place >= RING_SEGMENTS)
		return NULL;
	place -= RING_FIRST_SEGMENTS;
	words = more_chunk(feed, place / SEGMENTS_PER_CHUNK, &chunk);
	return words != NULL ? words + place % SEGMENTS_PER_CHUNK * SEGMENT_WORDS : NULL;
}

/* --- words to events ---------------------------------------------------------------- */

/* The word at the cursor begins no event. Returns how many words to leave out. */
static uint32_t step_over(struct feed *feed, uint64_t word, uint32_t left)
{
	uint32_t words = event_words(word);

	if (EVENT_KIND(word) == EVENT_SKIP && (word & ~EVENT_WORD(7, 0, 0)) == 0)
		return left;
	feed->bad++;
	/* One that goes beyond the end tells nothing about where the next begins. */
	return words < left ? words : left;
}

/* The two halves of a reallocation follow each other. Returns 1 when this event
 * is such a half. */
static uint8_t pair_halves(struct feed *feed, unsigned kind)
{
	int half = feed->half;

	feed->half = kind == EVENT_REALLOC_FREE;
	feed->bad += half != (kind == EVENT_REALLOC_ALLOC);
	return feed->half || (half && kind == EVENT_REALLOC_ALLOC);
}

/* Makes *to of what begins at *at. Returns 1, or 0 when that is no event. Which of
 * allocation and deallocation comes next nobody can predict, so there is no branch on it. */
static inline int read_event(struct feed *feed, const uint64_t *at, uint64_t word, unsigned shape,
			     uint64_t far, struct feed_event *to)
{
	unsigned allocates = shape / SHAPE_ALLOCATES & 1;
	uint64_t node = load(at + allocates), last = feed->last, stamp = last;
	uint64_t size = EVENT_SIZE(node);
	struct batch_event *event = &to->event;

	if (shape & SHAPE_STAMPED) {
		stamp = load(at + allocates + 1);
		if (stamp > last && stamp <= far)
			feed->last = last = stamp;
		if (unlikely(stamp == 0 || stamp > far))
			stamp = last;
	}
	to->time = last;
	event->address = EVENT_ADDRESS(word);
	event->time = stamp;
	event->node = EVENT_NODE(node);
	event->thread = feed->thread;
	event->operation = (uint8_t)(BATCH_DEALLOCATION - 2 * allocates);
	event->realloc = 0;
	if (unlikely((shape & SHAPE_RARE) != 0)) {
		if (word & EVENT_WIDE)
			size = load(at + (shape & SHAPE_WORDS) - 1);
		if (size >= SIZE_MOST)
			event->address = 0;
		if (EVENT_KIND(word) == EVENT_TIME)
			return 0;
	}
	if (unlikely((shape & SHAPE_RARE) != 0 || feed->half))
		event->realloc = pair_halves(feed, EVENT_KIND(word));
	if (unlikely(event->address == 0)) {
		feed->bad++;
		return 0;
	}
	event->number = CLASS_WHAT(size, EVENT_FUNCTION(word));
	return 1;
}
_Static_assert(BATCH_DEALLOCATION - 2 == BATCH_ALLOCATION, "see above");

/* Whether the allocation before is freed by this event: both are no halves of a reallocation. */
static inline int frees(const struct batch_event *event, const struct batch_event *before)
{
	return event->address == before->address && event->operation == BATCH_DEALLOCATION &&
	       before->operation == BATCH_ALLOCATION && !event->realloc && !before->realloc;
}

/* Reads events from `left` words of one segment. Returns the words read. */
static uint32_t read_words(struct feed *feed, const uint64_t *words, uint32_t left, uint64_t far)
{
	const uint64_t *at = words, *end = words + left;
	struct feed_event *event = &feed->event[feed->count], *most = &feed->event[FEED_EVENTS];

	while (at < end && event < most) {
		uint64_t word = load(at);
		unsigned shape = shape_of[word >> 48 & 63];

		if (unlikely(word >> 60 != 0 || shape == 0 || at + (shape & SHAPE_WORDS) > end)) {
			at += step_over(feed, word, (uint32_t)(end - at));
			continue;
		}
		if (read_event(feed, at, word, shape, far, event)) {
			if (event > feed->event && frees(&event->event, &event[-1].event)) {
				event[-1].event.operation = BATCH_TEMPORARY;
				event[-1].event.freed = event->event.time;
			}
			event++;
		}
		at += shape & SHAPE_WORDS;
	}
	feed->count = (uint32_t)(event - feed->event);
	return (uint32_t)(at - words);
}

/* --- the ring's ends ----------------------------------------------------------------- */

/* Everything up to tail may be written again. Who waits for room is woken when a
 * quarter of what the ring held is free, not for every piece. */
uint64_t feed_give_back(struct feed *feed)
{
	struct ring *ring = feed->ring;
	uint64_t more = feed->tail - feed->released, unread;

	feed->released = feed->tail;
	atomic_store_explicit(&ring->tail, feed->tail, memory_order_release);
	shared_alive(feed->shared);
	/* Pairs with the program's store of waiting before its look at tail. */
	atomic_thread_fence(memory_order_seq_cst);
	if (atomic_load_explicit(&ring->waiting, memory_order_relaxed) == 0)
		return 0;
	unread = atomic_load_explicit(&ring->head, memory_order_relaxed) - feed->tail;
	if (unread <= UNREAD_MOST && feed->held < unread + more)
		feed->held = unread + more;
	if (unread <= UNREAD_MOST && unread > feed->held / 4 * 3)
		return unread;
	feed->held = 0;
	atomic_store(&ring->waiting, 0);
	atomic_fetch_add(&ring->room, 1);
	syscall(SYS_futex, &ring->room, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
	return 0;
}

void feed_look(struct feed *feed)
{
	uint64_t head = atomic_load_explicit(&feed->ring->head, memory_order_acquire);

	/* A child that was forked in the middle of a hook may have set it back for
	 * a moment: its parent says it again. So does a hook where something else
	 * wrote there. */
	if ((int64_t)(head - feed->tail) < 0)
		return;
	if (head - feed->tail > UNREAD_MOST) {
		feed->bad += head != feed->odd_head;
		feed->odd_head = head;
		return;
	}
	feed->head = head;
}

uint32_t feed_fill(struct feed *feed, uint64_t far)
{
	feed->next = feed->count = 0;
	while (feed->tail != feed->head && feed->count < FEED_EVENTS) {
		uint32_t offset = (uint32_t)(feed->tail % SEGMENT_WORDS);
		uint32_t left = SEGMENT_WORDS - offset;

		if (left > feed->head - feed->tail)
			left = (uint32_t)(feed->head - feed->tail);
		if (offset == 0 || feed->segment == NULL)
			feed->segment = find_segment(feed, feed->tail / SEGMENT_WORDS);
		if (feed->segment != NULL) {
			feed->tail += read_words(feed, feed->segment + offset, left, far);
		} else {
			feed->bad++;
			feed->tail += left;
		}
		if (feed->tail % SEGMENT_WORDS == 0)
			feed_give_back(feed);
	}
	return feed->count;
}

int feed_is_empty(const struct feed *feed)
{
	uint64_t head = atomic_load_explicit(&feed->ring->head, memory_order_acquire);

	return feed->next == feed->count && feed->tail == feed->head &&
	       (head == feed->head || head == feed->odd_head);
}

void feed_disown(struct feed *feed, uint32_t chunk)
{
	for (unsigned i = 0; i < RING_MORE_CHUNKS; i++)
		if (atomic_load_explicit(&feed->ring->more[i], memory_order_relaxed) == chunk)
			atomic_store(&feed->ring->more[i], CHUNK_NONE);
}

void feed_end(struct feed *feed)
{
	uint32_t chunk;

	for (unsigned i = 0; i < RING_MORE_CHUNKS; i++)
		if (more_chunk(feed, i, &chunk) != NULL)
			shared_return(feed->shared, chunk);
	shared_return_ring(feed->shared, feed->chunk);
}
