/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* malloc_usable_size tells the truth, and counts nothing. */
#include <malloc.h>

#include "expect.h"

#define BLOCKS 500

int main(void)
{
	for (size_t i = 0; i < BLOCKS; i++) {
		char *block;

		MUST(block = malloc(i));
		MUST(malloc_usable_size(block) >= i);
		memset(block, 1, malloc_usable_size(block));
		free(block);
	}
	MUST(malloc_usable_size(NULL) == 0);
	announce(&(struct figures){
	    .allocations = BLOCKS,
	    .deallocations = BLOCKS,
	    .bytes = BLOCKS * (BLOCKS - 1) / 2,
	    .temporary = BLOCKS,
	    .peak_bytes = BLOCKS - 1,
	    .peak_blocks = 1,
	});
	return 0;
}
