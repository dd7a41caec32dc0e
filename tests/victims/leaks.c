/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every third block is never given back. */
#include "expect.h"

#define BLOCKS      3000
#define BLOCK_BYTES 48

static void *keep_or_free(int keep)
{
	void *block = malloc(BLOCK_BYTES);

	MUST(block);
	if (!keep)
		free(block);
	return block;
}

int main(void)
{
	for (int i = 0; i < BLOCKS; i++)
		keep_or_free(i % 3 == 0);
	announce(&(struct figures){
	    .allocations = BLOCKS,
	    .deallocations = BLOCKS - BLOCKS / 3,
	    .bytes = BLOCKS * BLOCK_BYTES,
	    .temporary = BLOCKS - BLOCKS / 3,
	    .leaked_blocks = BLOCKS / 3,
	    .leaked_bytes = BLOCKS / 3 * BLOCK_BYTES,
	    /* the last group: its kept block and one that is freed at once */
	    .peak_bytes = (BLOCKS / 3 + 1) * BLOCK_BYTES,
	    .peak_blocks = BLOCKS / 3 + 1,
	});
	return 0;
}
