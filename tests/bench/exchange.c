/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * exchange THREADS BLOCKS: threads allocate BLOCKS blocks together, put each into a shared
 * slot and free the one that was there, mostly another thread's. Says how long a block
 * took, in nanoseconds of wall time, in the file that BENCH_INSIDE names.
 */
#include "tests/bench/inside.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { SLOTS = 1024, THREADS_MAX = 64 };

static _Atomic(void *) slots[SLOTS];
static unsigned long share;

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void *exchange(void *argument)
{
	uint64_t state = 88172645463325252u + (uint64_t)(uintptr_t)argument * 7919;

	for (unsigned long i = 0; i < share; i++) {
		uint64_t random = next_random(&state);
		void *block = malloc(16 + random / SLOTS % 240);

		if (block == NULL)
			abort();
		free(atomic_exchange(&slots[random % SLOTS], block));
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t threads[THREADS_MAX];
	unsigned long count = argc == 3 ? strtoul(argv[1], NULL, 10) : 0;
	double start;

	if (count == 0 || count > THREADS_MAX) {
		fputs("usage: exchange THREADS BLOCKS (THREADS up to 64)\n", stderr);
		return 2;
	}
	share = strtoul(argv[2], NULL, 10) / count;
	start = inside_now();
	for (uintptr_t i = 0; i < count; i++) {
		if (pthread_create(&threads[i], NULL, exchange, (void *)i) != 0)
			abort();
	}
	for (unsigned long i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	inside_report((inside_now() - start) / (double)(share * count));
	for (size_t i = 0; i < SLOTS; i++)
		free(slots[i]);
	printf("%lu blocks, %lu threads\n", share * count, count);
	return 0;
}
