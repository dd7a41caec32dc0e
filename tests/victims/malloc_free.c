/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* malloc and free, oldest first; free(NULL) is nothing. */
#include "expect.h"

#define BLOCKS 1000

int main(void)
{
	static void *block[BLOCKS];

	for (size_t i = 0; i < BLOCKS; i++)
		MUST(block[i] = malloc(i));
	for (size_t i = 0; i < BLOCKS; i++) {
		free(block[i]);
		free(NULL);
	}
	announce(&(struct figures){
	    .allocations = BLOCKS,
	    .deallocations = BLOCKS,
	    .bytes = BLOCKS * (BLOCKS - 1) / 2,
	    .temporary = 1, /* the last one: nothing was allocated behind it */
	    .peak_bytes = BLOCKS * (BLOCKS - 1) / 2,
	    .peak_blocks = BLOCKS,
	});
	return 0;
}
