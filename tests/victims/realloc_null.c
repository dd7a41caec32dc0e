/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* realloc(NULL, n) is an allocation and no reallocation; other allocations between
 * make that no block is temporary. */
#include "expect.h"

#define ROUNDS       400
#define FIRST_BYTES  33
#define SECOND_BYTES 44
#define OTHER_BYTES  5

int main(void)
{
	for (int i = 0; i < ROUNDS; i++) {
		void *block, *other[2];

		MUST(block = realloc(NULL, FIRST_BYTES));
		MUST(other[0] = malloc(OTHER_BYTES));
		MUST(block = realloc(block, SECOND_BYTES));
		MUST(other[1] = malloc(OTHER_BYTES));
		free(block);
		free(other[0]);
		MUST(other[0] = realloc(NULL, 0)); /* a block of no bytes */
		free(other[1]);
		MUST(block = malloc(OTHER_BYTES));
		free(other[0]);
		free(block); /* nothing was allocated since */
	}
	announce(&(struct figures){
	    .allocations = 6 * ROUNDS,
	    .deallocations = 6 * ROUNDS,
	    .bytes = (uint64_t)ROUNDS * (FIRST_BYTES + SECOND_BYTES + 3 * OTHER_BYTES),
	    .temporary = ROUNDS,
	    .reallocations = ROUNDS,
	    .peak_bytes = SECOND_BYTES + 2 * OTHER_BYTES,
	    .peak_blocks = 3,
	});
	return 0;
}
