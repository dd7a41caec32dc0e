/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Two deep stacks by turns, which have nothing in common but their start. */
#include "expect.h"

#define ROUNDS      1000
#define DEPTH       200
#define BLOCK_BYTES 20

static void *left(unsigned depth)
{
	return depth > 1 ? left(depth - 1) : malloc(BLOCK_BYTES);
}

static void *right(unsigned depth)
{
	volatile char room[24];
	void *block;

	room[0] = 0;
	block = depth > 1 ? right(depth - 1) : malloc(BLOCK_BYTES);
	return (char *)block + room[0];
}

int main(void)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		void *one = left(DEPTH), *other = right(DEPTH);

		free(one);
		free(other);
	}
	announce(&(struct figures){
	    .allocations = 2 * ROUNDS,
	    .deallocations = 2 * ROUNDS,
	    .bytes = 2 * ROUNDS * BLOCK_BYTES,
	    .temporary = ROUNDS, /* the second of each two */
	    .peak_bytes = 2 * BLOCK_BYTES,
	    .peak_blocks = 2,
	});
	return 0;
}
