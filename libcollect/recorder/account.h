/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_ACCOUNT_H
#define MALLOGRAPH_ACCOUNT_H

/*
 * The books of a session: takes batches of events in the order of time, pairs, counts
 * by class and by thread, and tells the trace. docs/mallograph-trace.5 says what
 * the figures mean.
 *
 * Batches may be on their way in other threads between crew_submit() and crew_wait(). Until
 * then only ticks, sequence, the threads' `made` and classes_resolve() are the caller's.
 */

#include <stdint.h>

#include "formats/trace/writer.h"
#include "libcollect/recorder/area.h"
#include "libcollect/recorder/classes.h"
#include "libcollect/recorder/clock.h"
#include "libcollect/recorder/crew.h"
#include "libcollect/recorder/pairing.h"
#include "libcollect/recorder/stacks.h"

enum { THREAD_NAME_BYTES = 16 };

struct account_thread { /* ids count from 1 */
	_Alignas(64) uint64_t allocations, deallocations, temporary, bytes;
	uint64_t lost;              /* allocations */
	_Alignas(64) uint64_t made; /* allocations submitted */
	int32_t tid;
	char name[THREAD_NAME_BYTES + 4];
};

struct account {
	struct trace_writer *writer; /* not owned; NULL after it failed: counting goes on */
	struct stacks *stacks;       /* whose nodes the trace is told; NULL: it has them */
	struct crew *crew;           /* who works at it */
	int with_events;             /* events are written, too */
	int inherited;               /* unknown blocks are those of the parent process */

	struct ticks ticks; /* of who submits */
	uint64_t sequence;  /* allocations submitted */
	struct classes classes;
	struct pairing pairing;
	struct area threads; /* struct account_thread */
	uint32_t thread_count;

	uint32_t told_nodes, told_classes; /* to the trace */
	uint64_t finished;                 /* allocations */
	uint64_t reallocations, unknown_frees, inherited_frees;
	uint64_t lost;           /* for want of memory */
	int gaps;                /* lost ones were counted as told: `sequence` is not the trace's */
	uint64_t events_stopped; /* 1 + the tick at which with_events became 0 */
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

/* For the crew: counts a batch that has been paired, and tells the trace. */
void account_finish(struct account *account, struct batch *batch);

struct account_totals {
	uint64_t allocations, deallocations, temporary, bytes;
	uint64_t stacks_unknown, stacks_incomplete, stacks_cut, stacks_guessed;
};
void account_total(const struct account *account, struct account_totals *totals);

#endif
