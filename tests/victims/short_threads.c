/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* 64 threads that live at once and shortly, again and again on the same stacks. */
#include <pthread.h>

#include "expect.h"

#define THREADS     64
#define ROUNDS      4
#define DEPTH       10
#define STACK_BYTES (64 << 10)
#define BLOCK_BYTES 33

static pthread_barrier_t barrier;

static void down(unsigned depth)
{
	free(malloc(BLOCK_BYTES));
	if (depth > 1)
		down(depth - 1);
}

static void *run(void *unused)
{
	(void)unused;
	pthread_barrier_wait(&barrier);
	down(DEPTH);
	return NULL;
}

int main(void)
{
	const uint64_t blocks = (uint64_t)THREADS * ROUNDS * DEPTH;
	const uint64_t own = THREADS * thread_block_bytes(); /* kept with the stacks */
	pthread_t thread[THREADS];
	pthread_attr_t attributes;

	MUST(!pthread_barrier_init(&barrier, NULL, THREADS));
	MUST(!pthread_attr_init(&attributes));
	MUST(!pthread_attr_setstacksize(&attributes, STACK_BYTES));
	for (unsigned round = 0; round < ROUNDS; round++) {
		for (unsigned i = 0; i < THREADS; i++)
			MUST(!pthread_create(&thread[i], &attributes, run, NULL));
		for (unsigned i = 0; i < THREADS; i++)
			MUST(!pthread_join(thread[i], NULL));
	}
	announce(&(struct figures){
	    .allocations = blocks + THREADS,
	    .deallocations = blocks,
	    .bytes = blocks * BLOCK_BYTES + own,
	    .temporary = blocks,
	    .leaked_blocks = THREADS,
	    .leaked_bytes = own,
	    .peak_bytes = UNKNOWN,
	    .peak_blocks = UNKNOWN,
	});
	return 0;
}
