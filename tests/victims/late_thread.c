/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * late_thread [START]: again and again a thread begins to record while the main thread, which
 * was the only one to do so for a while, is in the middle of it, at its START-th block of that
 * round; and each gives back, and reallocates, what the other allocated. With START 0 it never
 * begins.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "expect.h"

#define ROUNDS      40
#define BLOCKS      16000 /* of the main thread in each; multiples of SLOTS */
#define LATE_BLOCKS 400
#define SLOTS       8
#define STACK_BYTES (256 << 10)

static _Atomic(void *) slot[SLOTS];
static _Atomic unsigned long main_blocks;
static unsigned long start;

/* Both use the same sizes, so that what one gives back the other gets. */
static void hand_over(unsigned long i)
{
	void *block;

	MUST(block = malloc(24 + i % 3 * 32));
	MUST(block = realloc(block, 120 + i % 2 * 32));
	block = atomic_exchange(&slot[i % SLOTS], block);
	if (block == NULL)
		return;
	MUST(block = realloc(block, 24 + i % 5 * 32));
	free(block);
}

static void *run(void *unused)
{
	for (unsigned long round = 0; round < ROUNDS && start != 0; round++) {
		while (atomic_load(&main_blocks) < round * BLOCKS + start)
			;
		if (start % 2 == 1)
			free(atomic_exchange(&slot[0], NULL));
		for (unsigned long i = 0; i < LATE_BLOCKS; i++)
			hand_over(i);
	}
	return unused;
}

int main(int argc, char **argv)
{
	pthread_attr_t attributes;
	pthread_t thread;
	uint64_t all, resized;

	start = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000;
	MUST(start < BLOCKS);
	MUST(!pthread_attr_init(&attributes));
	MUST(!pthread_attr_setstacksize(&attributes, STACK_BYTES));
	MUST(!pthread_create(&thread, &attributes, run, NULL));
	for (unsigned long i = 0; i < ROUNDS * BLOCKS; i++) {
		atomic_store(&main_blocks, i);
		hand_over(i);
	}
	pthread_join(thread, NULL);
	for (size_t i = 0; i < SLOTS; i++)
		free(slot[i]);
	all = ROUNDS * (start != 0 ? BLOCKS + LATE_BLOCKS : BLOCKS);
	resized = all + all - SLOTS - (start % 2 == 1 ? ROUNDS : 0);
	announce(&(struct figures){
	    .allocations = all + resized + 1,
	    .deallocations = all + resized,
	    .bytes = UNKNOWN,
	    .temporary = UNKNOWN,
	    .reallocations = resized,
	    .leaked_blocks = 1,
	    .leaked_bytes = thread_block_bytes(),
	    .peak_bytes = UNKNOWN,
	    .peak_blocks = UNKNOWN,
	});
	return 0;
}
