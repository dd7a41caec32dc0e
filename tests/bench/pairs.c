/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * pairs DEPTH PAIRS: allocates and frees a block PAIRS times, with DEPTH frames of this
 * program below malloc, main included. Says how long a pair took, in nanoseconds, in the
 * file that BENCH_INSIDE names.
 */
#include "tests/bench/inside.h"

#include <stdio.h>
#include <stdlib.h>

enum { WARM = 1000, SMALLEST_DEPTH = 3 };

/* What is volatile is not optimised away. */
static void *volatile block;
static volatile unsigned frames;

__attribute__((noinline)) static void allocate(size_t bytes)
{
	block = malloc(bytes);
	if (block == NULL)
		abort();
}

__attribute__((noinline)) static void pairs(unsigned long count)
{
	for (unsigned long i = 0; i < count; i++) {
		allocate(16 + i % 16 * 8);
		free(block);
	}
}

/* main, descend (depth - 3 times), pairs, allocate. */
__attribute__((noinline)) static void descend(unsigned left, unsigned long count)
{
	if (left > 0)
		descend(left - 1, count);
	else
		pairs(count);
	frames++;
}

int main(int argc, char **argv)
{
	unsigned long count;
	unsigned depth;
	double start;

	if (argc != 3 || (depth = (unsigned)strtoul(argv[1], NULL, 10)) < SMALLEST_DEPTH) {
		fputs("usage: pairs DEPTH PAIRS (DEPTH from 3)\n", stderr);
		return 2;
	}
	count = strtoul(argv[2], NULL, 10);
	if (depth == SMALLEST_DEPTH) {
		pairs(WARM);
		start = inside_now();
		pairs(count);
	} else {
		descend(depth - SMALLEST_DEPTH - 1, WARM);
		start = inside_now();
		descend(depth - SMALLEST_DEPTH - 1, count);
	}
	inside_report((inside_now() - start) / (double)count);
	printf("%lu pairs at depth %u\n", count, depth);
	return 0;
}
