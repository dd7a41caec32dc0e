/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* realloc(p, 0) frees and returns NULL: a deallocation, no reallocation. */
#include "expect.h"

#define ROUNDS      250
#define BLOCK_BYTES 77

int main(void)
{
	volatile size_t zero = 0;

	for (int i = 0; i < ROUNDS; i++) {
		void *block;

		MUST(block = malloc(BLOCK_BYTES));
		MUST(!realloc(block, zero));
	}
	announce(&(struct figures){
	    .allocations = ROUNDS,
	    .deallocations = ROUNDS,
	    .bytes = ROUNDS * BLOCK_BYTES,
	    .temporary = ROUNDS,
	    .peak_bytes = BLOCK_BYTES,
	    .peak_blocks = 1,
	});
	return 0;
}
