/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A hundred thousand threads, each of which allocates a little and ends; two at a time, so that one
 * starts while another is going. */
#include <pthread.h>

#include "expect.h"

#define THREADS     100000
#define AT_A_TIME   2
#define BLOCKS      2
#define BLOCK_BYTES 40

static void *run(void *unused)
{
	(void)unused;
	for (unsigned i = 0; i < BLOCKS; i++)
		free(malloc(BLOCK_BYTES));
	return NULL;
}

int main(void)
{
	const uint64_t blocks = (uint64_t)THREADS * BLOCKS;
	const uint64_t own = AT_A_TIME * thread_block_bytes(); /* kept with the stacks */
	pthread_t thread[AT_A_TIME];

	for (unsigned i = 0; i < THREADS; i++) {
		if (i >= AT_A_TIME)
			MUST(!pthread_join(thread[i % AT_A_TIME], NULL));
		MUST(!pthread_create(&thread[i % AT_A_TIME], NULL, run, NULL));
	}
	for (unsigned i = 0; i < AT_A_TIME; i++)
		MUST(!pthread_join(thread[i], NULL));
	announce(&(struct figures){
	    .allocations = blocks + AT_A_TIME,
	    .deallocations = blocks,
	    .bytes = blocks * BLOCK_BYTES + own,
	    .temporary = blocks,
	    .leaked_blocks = AT_A_TIME,
	    .leaked_bytes = own,
	    .peak_bytes = UNKNOWN,
	    .peak_blocks = UNKNOWN,
	});
	return 0;
}
