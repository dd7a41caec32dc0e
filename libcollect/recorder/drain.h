/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_DRAIN_H
#define MALLOGRAPH_DRAIN_H

/*
 * Takes the events of a session out of its rings, in the order of time.
 *
 * A round reads the clock first (T), then looks for new rings, then reads the
 * heads of all, and merges events stamped up to T. What is stamped later stays
 * for the next round: another ring, read a moment before, may hold something
 * older. Since a thread publishes a deallocation before it makes it, and an
 * allocation before the program sees the block, every event up to T that
 * another one up to T depends on is there. Only halves of a realloc and events
 * of signal handlers can be late; the account puts those right.
 *
 * Within a ring events keep their order; where a stamp steps back, the event
 * counts as happening at the moment of the one before it.
 */

#include <stdint.h>

#include "libcollect/recorder/account.h"
#include "libcollect/recorder/region.h"
#include "libcollect/recorder/stacks.h"

struct feed { /* a ring being drained */
	struct ring *ring;
	uint32_t chunk;
	uint32_t thread; /* of the account, 0: no event yet */
	int32_t tid;
	int gone;            /* its thread has ended: nothing will be added */
	int missed;          /* its thread was not on the last list of them */
	uint64_t head;       /* as read in this round */
	uint64_t tail;       /* consumed */
	uint64_t released;   /* of which the program knows */
	uint64_t last;       /* time of the last event consumed */
	uint64_t checked_ns; /* when its thread was last seen alive */
	uint64_t name_ns;    /* when its name is to be read again ... */
	uint64_t name_step;  /* ... and then how much later */
};

struct feed_key {
	uint64_t time;
	uint32_t feed;
};

struct drain {
	const struct shared *shared;
	struct session *session;
	uint32_t slot, epoch; /* of the session */
	const struct clock *clock;
	struct account *account;
	struct stacks *stacks;

	struct feed *feeds;
	struct feed_key *heap;
	uint32_t count, room;
	uint32_t rings; /* seen so far */
	uint64_t last;  /* time of the last event of any ring */
	uint64_t now;   /* T of this round */
	uint64_t far;   /* stamps behind this cannot be true */
	uint64_t late, bad, lost;
};

void drain_release(struct drain *drain);

/* One round. final: the program can add nothing more; take everything.
 * Returns the number of slots consumed. */
uint64_t drain_round(struct drain *drain, int final);

/* Gives the ring of an ended thread back, when it is empty. */
int drain_drop_feed(struct drain *drain, uint32_t feed);

#endif
