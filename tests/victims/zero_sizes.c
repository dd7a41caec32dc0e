/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Blocks of no bytes are blocks; they never make a peak. */
#include <malloc.h>

#include "expect.h"

#define ROUNDS    50
#define KINDS     6
#define ONE_BYTES 1

int main(void)
{
	void *one;

	MUST(one = malloc(ONE_BYTES));
	for (int round = 0; round < ROUNDS; round++) {
		void *block[KINDS];

		MUST(block[0] = malloc(0));
		MUST(block[1] = calloc(0, 0));
		MUST(block[2] = realloc(NULL, 0));
		MUST(posix_memalign(&block[3], 64, 0) == 0);
		MUST(block[4] = memalign(64, 0));
		MUST(block[5] = valloc(0));
		for (int i = 0; i < KINDS; i++)
			free(block[i]);
	}
	announce(&(struct figures){
	    .allocations = 1 + ROUNDS * KINDS,
	    .deallocations = ROUNDS * KINDS,
	    .bytes = ONE_BYTES,
	    .temporary = ROUNDS,
	    .leaked_blocks = 1,
	    .leaked_bytes = ONE_BYTES,
	    .peak_bytes = ONE_BYTES,
	    .peak_blocks = 1, /* the first instant: before any empty block */
	});
	free(NULL);
	return one == NULL;
}
