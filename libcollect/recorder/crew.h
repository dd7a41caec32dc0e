/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_RECORDER_CREW_H
#define MALLOGRAPH_RECORDER_CREW_H

/*
 * Who works at batches: the draining thread alone, or helpers beside it, as many as
 * there are cores to spare. One crew serves all accounts, one at a time.
 *
 * Behind the draining thread, which merges, looks up nodes and classes and submits, a batch
 * is paired, in shares by address, and then finished: counted and told to the
 * trace. Each share takes the batches in their order, and so does finishing. Whoever is free
 * takes the oldest piece of work; the draining thread, too, when CREW_DEPTH batches are on their
 * way. Alone it does all of it at once. So what comes out is the same for any number of hands.
 *
 * All calls are the draining thread's. Between crew_submit() and crew_wait() the accounts'
 * pairing, counts and writer are the crew's.
 */

#include <pthread.h>
#include <stdint.h>

#include "libcollect/recorder/batch.h"

struct account;

enum { CREW_DEPTH = 32, CREW_MOST = 8 };

struct crew { /* all zero: nobody but the draining thread */
	struct account *account;
	struct batch *batch[CREW_DEPTH]; /* number n lies at n % CREW_DEPTH; NULL: not yet needed */
	uint64_t submitted;

	unsigned hands; /* of which one is the draining thread's */
	unsigned threads;
	pthread_t thread[CREW_MOST];
	struct crew_state *state; /* NULL: never had helpers */
};

void crew_release(struct crew *crew);

/* So many hands from now on, 1 to CREW_MOST; fewer when threads cannot be had. */
void crew_hire(struct crew *crew, unsigned hands);

/* An empty batch of this account; NULL when out of memory. */
struct batch *crew_batch(struct crew *crew, struct account *account);
/* Takes the batch that was got last. */
void crew_submit(struct crew *crew);
/* Until all that was submitted is finished. NULL is allowed. */
void crew_wait(struct crew *crew);

#endif
