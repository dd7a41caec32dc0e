/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Two threads in lockstep: what the other thread allocates between does not matter;
 * what it frees is judged by the thread that allocated. */
#include <pthread.h>

#include "expect.h"

#define ROUNDS      500
#define BLOCK_BYTES 64
#define STACK_BYTES (256 << 10)

static pthread_barrier_t barrier;
static void *handed_over;

static void step(void)
{
	pthread_barrier_wait(&barrier);
}

static void *other(void *unused)
{
	(void)unused;
	for (int i = 0; i < ROUNDS; i++) {
		void *mine;

		step();
		MUST(mine = malloc(BLOCK_BYTES)); /* between main's malloc and free */
		step();
		step();
		free(handed_over); /* main's block */
		free(mine);        /* temporary: this thread allocated nothing else */
		step();
	}
	return NULL;
}

int main(void)
{
	pthread_t thread;
	pthread_attr_t attributes;

	MUST(!pthread_barrier_init(&barrier, NULL, 2));
	MUST(!pthread_attr_init(&attributes));
	MUST(!pthread_attr_setstacksize(&attributes, STACK_BYTES));
	MUST(!pthread_create(&thread, &attributes, other, NULL));
	for (int i = 0; i < ROUNDS; i++) {
		void *mine;

		MUST(mine = malloc(BLOCK_BYTES));
		step();
		step();
		free(mine); /* temporary: only the other thread allocated since */
		MUST(handed_over = malloc(BLOCK_BYTES));
		step(); /* freed by the other thread: temporary as well */
		step();
	}
	pthread_join(thread, NULL);
	announce(&(struct figures){
	    .allocations = 3 * ROUNDS + 1,
	    .deallocations = 3 * ROUNDS,
	    .bytes = 3 * ROUNDS * BLOCK_BYTES + thread_block_bytes(),
	    .temporary = 3 * ROUNDS,
	    .leaked_blocks = 1,
	    .leaked_bytes = thread_block_bytes(),
	    .peak_bytes = 2 * BLOCK_BYTES + thread_block_bytes(),
	    .peak_blocks = 3,
	});
	return 0;
}
