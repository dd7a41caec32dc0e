/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_ACCOUNT_H
#define MALLOGRAPH_ACCOUNT_H

/*
 * The books of one session: events come in, in the order of time, with stacks
 * already translated to nodes of the file; allocations and deallocations are paired by
 * address, counted by class and thread, and go on to the trace.
 *
 * Pairing follows stamps, not arrival: a deallocation belongs to an allocation
 * stamped before it. See looseends.h for those that come out of order.
 */

#include <stdint.h>

#include "formats/trace/writer.h"
#include "libcollect/recorder/classes.h"
#include "libcollect/recorder/clock.h"
#include "libcollect/recorder/livetable.h"
#include "libcollect/recorder/looseends.h"

enum { THREAD_NAME_BYTES = 16 };

struct account_thread { /* ids count from 1 */
	uint64_t allocations, deallocations, temporary, bytes;
	int32_t tid;
	char name[THREAD_NAME_BYTES + 4];
};

struct account {
	struct trace_writer *writer; /* not owned; NULL after it failed: counting goes on */
	int with_events;             /* events are written, too */
	int inherited;               /* unknown blocks are those of the parent process */
	uint64_t wait; /* units of the clock that a loose end is kept; 0: not at all */

	struct ticks ticks;
	struct classes classes;
	struct livetable live;
	struct looseends loose;
	struct area threads; /* struct account_thread */
	uint32_t thread_count;

	uint64_t sequence; /* allocations written as events */
	/* Blocks stamped after fence[0].time were written after fence[0].sequence, which
	 * is less than 2^32 ago: so 32 bits of a block's own are enough. */
	struct account_fence {
		uint64_t time, sequence;
	} fence[2];

	uint64_t reallocations, unknown_frees, inherited_frees;
	uint64_t lost;           /* for want of memory */
	uint64_t events_stopped; /* 1 + the tick at which with_events became 0 */
};

/* Of a stack node of the file; the caller keeps it with the node. */
struct account_node {
	uint32_t node;
	uint32_t recent_class; /* 0 or the class of the last allocation there */
	uint8_t flags;
};

struct account_event {
	uint64_t time; /* its stamp; never 0 */
	uint64_t address;
	uint32_t thread;
	int realloc;
};

void account_release(struct account *account);
/* What is only needed while events come in. */
void account_release_live(struct account *account);

/* The thread's id, 0 when out of memory. */
uint32_t account_thread_new(struct account *account, int32_t tid, const char *name);
void account_thread_name(struct account *account, uint32_t thread, const char *name);

static inline struct account_thread *account_thread_at(const struct account *account,
						       uint32_t thread)
{
	return (struct account_thread *)account->threads.base + thread;
}

/* node->recent_class is updated. */
void account_allocation(struct account *account, const struct account_event *event,
			struct account_node *node, uint64_t size, unsigned function);
void account_deallocation(struct account *account, const struct account_event *event);

/* Both at once, of an allocation whose deallocation is the next event of its
 * thread, without one of another thread between them. Counts exactly what the
 * two calls would. */
void account_temporary(struct account *account, const struct account_event *allocation,
		       const struct account_event *deallocation, struct account_node *node,
		       uint64_t size, unsigned function);

/* Settles loose ends that have waited long enough at this time of the clock;
 * UINT64_MAX: all of them. */
void account_settle(struct account *account, uint64_t now);

struct account_totals {
	uint64_t allocations, deallocations, temporary, bytes;
	uint64_t stacks_unknown, stacks_incomplete, stacks_cut, stacks_guessed;
};
void account_total(const struct account *account, struct account_totals *totals);

#endif
