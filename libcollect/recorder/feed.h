/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_RECORDER_FEED_H
#define MALLOGRAPH_RECORDER_FEED_H

/*
 * A ring being read. Words are copied out of it into a batch of events, checked
 * and given a time, so the ring has them no longer than that takes: what the
 * program does to it afterwards doesn't matter, and the caller can look some
 * events ahead.
 *
 * The ring is memory that the program can scribble on. Whatever its words,
 * places and counts say, reading stays within the region, ends, and counts what
 * makes no sense in `bad`.
 *
 * Time. An event without a stamp happened at the last EVENT_TIME before it, or
 * behind. A program writes one whenever region.tick has changed, which happens
 * at each look at the rings, with each segment given back, right before
 * each nap, and every millisecond (ticker.h); a program that finds us in a long sleep
 * (SLEEPING_LONG) wakes us with its first event. So such an event's time is early
 * by a millisecond, or as long as the ticker is kept from the processors. It is never
 * late, and never before the event that it follows.
 */

#include <stdint.h>

#include "libcollect/recorder/batch.h"
#include "libcollect/recorder/region.h"

enum { FEED_EVENTS = 64 };

struct feed_event {
	uint64_t time; /* when it counts as happening: does not go back in a ring */
	/* Its own stamp, where it has one that can be true; the address is never 0. TEMPORARY:
	 * the next event of the feed frees it, and is there. */
	struct batch_event event;
};

struct feed {
	struct ring *ring;
	const uint64_t *segment; /* that tail lies in; NULL: not known */
	uint64_t head;           /* as read last */
	uint64_t tail;           /* words below have been read */
	uint64_t released;       /* of which the program knows */
	uint64_t before;         /* tail when the round began */
	uint32_t next, count;    /* of event[], next..count-1 have not been taken */

	uint64_t last;     /* time of the last event read */
	uint64_t odd_head; /* that has been counted as bad */
	uint64_t held;     /* words that it held when its program began to wait for room, or 0 */
	uint64_t bad;
	const struct shared *shared;
	uint32_t epoch;
	uint32_t chunk;
	int half; /* the last event was the first half of a reallocation */

	uint32_t thread; /* of the account, 0: no event yet */
	int32_t tid;
	int gone;            /* its thread has ended: nothing will be added */
	int missed;          /* its thread was not on the last list of them */
	uint64_t checked_ns; /* when its thread was last seen alive */
	uint64_t name_ns;    /* when its name is to be read again ... */
	uint64_t name_step;  /* ... and then how much later */

	struct feed_event event[FEED_EVENTS];
};

/* For a ring chunk of the session with this epoch; now: the clock. */
void feed_start(struct feed *feed, const struct shared *shared, uint32_t epoch, uint32_t chunk,
		uint64_t now);

/* Reads how far the program has come. */
void feed_look(struct feed *feed);

/* When all of event[] has been taken: reads the next ones up to head. Stamps
 * behind `far` cannot be true. Gives back each segment that is done. Returns
 * their number, 0 when there are none. */
uint32_t feed_fill(struct feed *feed, uint64_t far);

/* Tells the program what has been read, and wakes it where it waits and there is room
 * enough by now. Returns 0, or how much there is to be read until then. */
uint64_t feed_give_back(struct feed *feed);

/* 1 when everything that the program has published was read and taken. */
int feed_is_empty(const struct feed *feed);

/* Forgets a chunk that the ring claims to have grown into: it is another ring's. */
void feed_disown(struct feed *feed, uint32_t chunk);

/* Gives the chunks back. The ring must not be used after that. */
void feed_end(struct feed *feed);

#endif
