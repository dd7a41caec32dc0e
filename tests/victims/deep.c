/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Stacks deeper than the collector keeps: cut, but every figure is whole. */
#include "expect.h"

#define DEPTH       5000
#define BLOCK_BYTES 10

static void *down(unsigned depth)
{
	void *block = malloc(BLOCK_BYTES + depth % 3);
	void *below = depth > 1 ? down(depth - 1) : NULL;

	MUST(block);
	free(below);
	return block;
}

int main(void)
{
	uint64_t bytes = 0, peak;

	for (unsigned depth = DEPTH; depth >= 1; depth--)
		bytes += BLOCK_BYTES + depth % 3;
	peak = bytes;
	free(down(DEPTH));
	announce(&(struct figures){
	    .allocations = DEPTH,
	    .deallocations = DEPTH,
	    .bytes = bytes,
	    .temporary = 1,
	    .peak_bytes = peak,
	    .peak_blocks = DEPTH,
	});
	return 0;
}
