/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * exchange [THREADS [BLOCKS]]: threads hand blocks to each other through shared slots;
 * each frees what it got there. Addresses are used again at once, in another thread:
 * whoever orders events badly sees frees without a block, or leaks.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "expect.h"

#define SLOTS       64
#define THREADS_MAX 64
#define STACK_BYTES (256 << 10)

static _Atomic(void *) slot[SLOTS];
static unsigned long threads = 8, blocks = 800000;

static void *run(void *argument)
{
	uint64_t random = 88172645463325252u + (uintptr_t)argument * 7919;
	unsigned long i;

	for (i = 0; i < blocks / threads; i++) {
		void *block;

		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		MUST(block = malloc(1 + random / 64 % 256));
		free(atomic_exchange(&slot[random % SLOTS], block));
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t thread[THREADS_MAX];
	pthread_attr_t attributes;
	uint64_t all;

	if (argc > 1)
		threads = strtoul(argv[1], NULL, 10);
	if (argc > 2)
		blocks = strtoul(argv[2], NULL, 10);
	MUST(threads > 0 && threads <= THREADS_MAX);
	MUST(!pthread_attr_init(&attributes));
	MUST(!pthread_attr_setstacksize(&attributes, STACK_BYTES));
	for (size_t i = 0; i < threads; i++)
		MUST(!pthread_create(&thread[i], &attributes, run, (void *)i));
	for (size_t i = 0; i < threads; i++)
		pthread_join(thread[i], NULL);
	for (size_t i = 0; i < SLOTS; i++)
		free(slot[i]);
	all = blocks / threads * threads;
	announce(&(struct figures){
	    .allocations = UNKNOWN, /* how many stacks are cached depends on timing */
	    .deallocations = all,
	    .bytes = UNKNOWN,
	    .temporary = UNKNOWN,
	    .reallocations = 0,
	    .leaked_blocks = UNKNOWN,
	    .leaked_bytes = UNKNOWN,
	    .peak_bytes = UNKNOWN,
	    .peak_blocks = UNKNOWN,
	});
	expect("unmatched", 0); /* allocations - deallocations - leaked blocks */
	return 0;
}
