/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Destructors of thread-specific data free and allocate when the thread is almost
 * gone: in several rounds, as POSIX allows. */
#include <pthread.h>

#include "expect.h"

#define THREADS     50
#define BLOCK_BYTES 120
#define LATE_BYTES  60
#define STACK_BYTES (256 << 10)

static pthread_key_t first, second;

static void free_and_go_on(void *block)
{
	free(block);
	MUST(block = malloc(LATE_BYTES));
	pthread_setspecific(second, block);
}

static void *run(void *unused)
{
	void *block;

	(void)unused;
	MUST(block = malloc(BLOCK_BYTES));
	pthread_setspecific(first, block);
	return NULL;
}

int main(void)
{
	pthread_attr_t attributes;

	MUST(!pthread_key_create(&first, free_and_go_on));
	MUST(!pthread_key_create(&second, free));
	MUST(!pthread_attr_init(&attributes));
	MUST(!pthread_attr_setstacksize(&attributes, STACK_BYTES));
	for (int i = 0; i < THREADS; i++) {
		pthread_t thread;

		MUST(!pthread_create(&thread, &attributes, run, NULL));
		pthread_join(thread, NULL); /* the next one takes the stack over */
	}
	announce(&(struct figures){
	    .allocations = 2 * THREADS + 1,
	    .deallocations = 2 * THREADS,
	    .bytes = THREADS * (BLOCK_BYTES + LATE_BYTES) + thread_block_bytes(),
	    .temporary = 2 * THREADS,
	    .leaked_blocks = 1,
	    .leaked_bytes = thread_block_bytes(),
	    .peak_bytes = BLOCK_BYTES + thread_block_bytes(),
	    .peak_blocks = 2,
	});
	return 0;
}
