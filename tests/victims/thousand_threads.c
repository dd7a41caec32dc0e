/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A thousand threads that all live at the same time, each with blocks of its own; one of each is
 * freed by its neighbour. */
#include <limits.h>
#include <pthread.h>

#include "expect.h"

#define THREADS     1000
#define BLOCKS      20
#define BLOCK_BYTES 56
#define GIFT_BYTES  88

static pthread_barrier_t barrier;
static void *gift[THREADS];

static void *run(void *number)
{
	const size_t own = (size_t)number;
	void *block[BLOCKS];

	for (unsigned i = 0; i < BLOCKS; i++)
		MUST((block[i] = malloc(BLOCK_BYTES)));
	MUST((gift[own] = malloc(GIFT_BYTES)));
	pthread_barrier_wait(&barrier);
	for (unsigned i = 0; i < BLOCKS; i++)
		free(block[i]);
	free(gift[(own + 1) % THREADS]);
	return NULL;
}

int main(void)
{
	const uint64_t own = THREADS * thread_block_bytes(); /* kept with the stacks */
	static pthread_t thread[THREADS];
	pthread_attr_t attributes;

	MUST(!pthread_barrier_init(&barrier, NULL, THREADS));
	MUST(!pthread_attr_init(&attributes));
	/* So small that glibc keeps all of them. */
	MUST(!pthread_attr_setstacksize(&attributes, PTHREAD_STACK_MIN));
	for (size_t i = 0; i < THREADS; i++)
		MUST(!pthread_create(&thread[i], &attributes, run, (void *)i));
	for (unsigned i = 0; i < THREADS; i++)
		MUST(!pthread_join(thread[i], NULL));
	announce(&(struct figures){
	    .allocations = THREADS * (BLOCKS + 2),
	    .deallocations = THREADS * (BLOCKS + 1),
	    .bytes = THREADS * (BLOCKS * BLOCK_BYTES + GIFT_BYTES) + own,
	    /* a thread's last, freed before that thread allocates again: not again at all */
	    .temporary = THREADS,
	    .leaked_blocks = THREADS,
	    .leaked_bytes = own,
	    .peak_bytes = THREADS * (BLOCKS * BLOCK_BYTES + GIFT_BYTES) + own,
	    .peak_blocks = THREADS * (BLOCKS + 2),
	});
	return 0;
}
