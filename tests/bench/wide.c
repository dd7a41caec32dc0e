/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * wide ROUNDS: in each round each of 100,000 functions allocates a block of a size of its own,
 * called by a chain of others that is always the same; all but one in ten are given back at once.
 */
#include <stdint.h>
#include <stdlib.h>

enum { FUNCTIONS = 100000, DEEPEST = 128, KEPT = 10, SIZES = 5000 };

typedef void *(*function)(size_t bytes);

/* wide_functions.S: each calls what wide_path points to next, with what it was called with. */
extern function wide_functions[FUNCTIONS];
function *wide_path;

static uint32_t callers[FUNCTIONS];

static void *allocate(uint32_t number)
{
	const size_t bytes = 16 + number % SIZES;
	function path[DEEPEST + 1];
	int at = DEEPEST;

	path[at] = malloc;
	for (; number && at > 1; number = callers[number])
		path[--at] = wide_functions[number];
	path[--at] = wide_functions[0];
	wide_path = &path[at + 1];
	return path[at](bytes);
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 1;
	uint64_t state = 1;

	for (uint32_t i = 1; i < FUNCTIONS; i++) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		callers[i] = (uint32_t)(state % i);
	}
	for (int round = 0; round < rounds; round++)
		for (uint32_t i = 0; i < FUNCTIONS; i++) {
			void *volatile block = allocate(i);

			if (((uint32_t)round + i) % KEPT)
				free(block);
		}
	return 0;
}
