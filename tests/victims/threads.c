/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Threads that all run at once, each with blocks of its own size. */
#include <pthread.h>

#include "expect.h"

#define THREADS     8
#define BLOCKS      20000
#define STACK_BYTES (256 << 10)

static pthread_barrier_t barrier;

static void *run(void *argument)
{
	size_t size = (size_t)argument;
	void **block;

	MUST(block = calloc(BLOCKS, sizeof(*block)));
	pthread_barrier_wait(&barrier);
	for (int i = 0; i < BLOCKS; i++)
		MUST(block[i] = malloc(size));
	pthread_barrier_wait(&barrier);
	for (int i = 0; i < BLOCKS; i++)
		free(block[i]);
	pthread_barrier_wait(&barrier);
	free(block);
	return NULL;
}

int main(void)
{
	const uint64_t sizes = THREADS * (THREADS + 1) / 2;
	const uint64_t tables = (uint64_t)THREADS * BLOCKS * sizeof(void *);
	const uint64_t own = THREADS * thread_block_bytes();
	pthread_t thread[THREADS];
	pthread_attr_t attributes;

	MUST(!pthread_barrier_init(&barrier, NULL, THREADS));
	MUST(!pthread_attr_init(&attributes));
	MUST(!pthread_attr_setstacksize(&attributes, STACK_BYTES));
	for (size_t i = 0; i < THREADS; i++)
		MUST(!pthread_create(&thread[i], &attributes, run, (void *)(i + 1)));
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	announce(&(struct figures){
	    .allocations = THREADS * (BLOCKS + 2),
	    .deallocations = THREADS * (BLOCKS + 1),
	    .bytes = sizes * BLOCKS + tables + own,
	    .temporary = THREADS, /* the last block of each */
	    .leaked_blocks = THREADS,
	    .leaked_bytes = own,
	    .peak_bytes = sizes * BLOCKS + tables + own,
	    .peak_blocks = THREADS * (BLOCKS + 2),
	});
	return 0;
}
