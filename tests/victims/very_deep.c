/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A recursion of 100,000 frames: each allocates on its way down and frees on its way back;
 * in a thread that has the room. */
#include <pthread.h>

#include "expect.h"

#define DEPTH       100000
#define ROUNDS      1
#define BLOCK_BYTES 24
#define STACK_BYTES (64u << 20)

static uint64_t down(unsigned depth)
{
	void *block = malloc(BLOCK_BYTES);
	uint64_t sum = depth > 1 ? down(depth - 1) + 1 : 1;

	free(block);
	return sum;
}

static void *run(void *unused)
{
	(void)unused;
	for (unsigned i = 0; i < ROUNDS; i++)
		MUST(down(DEPTH) == DEPTH);
	return NULL;
}

int main(void)
{
	const uint64_t own = thread_block_bytes();
	pthread_attr_t attributes;
	pthread_t thread;

	MUST(!pthread_attr_init(&attributes));
	MUST(!pthread_attr_setstacksize(&attributes, STACK_BYTES));
	MUST(!pthread_create(&thread, &attributes, run, NULL));
	MUST(!pthread_join(thread, NULL));
	announce(&(struct figures){
	    .allocations = (uint64_t)ROUNDS * DEPTH + 1,
	    /* a stack above glibc's limit is not kept, nor is the block that belongs to it */
	    .deallocations = (uint64_t)ROUNDS * DEPTH + 1,
	    .bytes = (uint64_t)ROUNDS * DEPTH * BLOCK_BYTES + own,
	    .temporary = ROUNDS + 1,
	    .peak_bytes = (uint64_t)DEPTH * BLOCK_BYTES + own,
	    .peak_blocks = DEPTH + 1,
	});
	return 0;
}
