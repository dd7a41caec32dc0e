/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_DRAIN_H
#define MALLOGRAPH_DRAIN_H

/*
 * Takes the events of a session out of its rings, in the order of time.
 *
 * A round reads the clock first (T), then looks for new rings, then reads the
 * heads of all, and merges events of times up to T. What is stamped later stays
 * for the next round: another ring, read a moment before, may hold something
 * older. Since a thread publishes a deallocation before it makes it, and an
 * allocation before the program sees the block, every event up to T that
 * another one up to T depends on is there. Only halves of a realloc and events
 * of signal handlers can be late; the account puts those right.
 *
 * Within a ring events keep their order; where a stamp steps back, the event
 * counts as happening at the moment of the one before it. Events without a
 * stamp (feed.h) are those of one thread while no other recorded any; a round in which
 * one ring alone had something proposes that its thread goes without (session.lone).
 *
 * Most blocks die young: an allocation whose very next event is its own
 * deallocation goes to the account in one piece, when no other ring has an event
 * between them and both are of one tick, so nobody can tell the difference.
 */

#include <stdint.h>

#include "libcollect/recorder/account.h"
#include "libcollect/recorder/feed.h"
#include "libcollect/recorder/region.h"
#include "libcollect/recorder/stacks.h"

struct feed_key {
	uint64_t time;
	uint32_t feed;
};

/* Classes of allocations by their session's node and what: most are of a few. */
struct drain_recent {
	uint64_t what;
	uint32_t node, class_id; /* 0: none */
};
enum { DRAIN_RECENT = 1024 };

struct drain {
	const struct shared *shared;
	struct session *session;
	uint32_t slot, epoch; /* of the session */
	const struct clock *clock;
	struct account *account;
	struct stacks *stacks;
	struct batch *batch; /* being filled in; NULL: none */

	struct drain_recent *recent;
	struct feed *feeds;
	struct feed_key *heap;
	uint32_t count, room;
	uint32_t rings; /* seen so far */
	uint64_t last;  /* time of the last event of any ring */
	uint64_t now;   /* T of this round */
	uint64_t far;   /* stamps behind this cannot be true */
	uint64_t late, bad;
	uint32_t unadopted; /* chunk of the first ring of a list that there was no memory for */
};

void drain_release(struct drain *drain);

/* One round; now is T. final: the program can add nothing more; take everything.
 * Returns the number of words read, and of those for which a program waits. */
uint64_t drain_round(struct drain *drain, uint64_t now, int final);

/* Gives the ring of an ended thread back, when it is empty. */
int drain_drop_feed(struct drain *drain, uint32_t feed);

#endif
