/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Several maxima, the highest reached twice with different numbers of blocks: the
 * first instant is the peak. */
#include "expect.h"

#define HIGH 6000u

/* `count` blocks that are `high` bytes together, and freed again */
static void hill(unsigned count, unsigned high)
{
	void *block[64];

	for (unsigned i = 0; i < count; i++)
		MUST(block[i] = malloc(high / count));
	for (unsigned i = 0; i < count; i++)
		free(block[i]);
}

int main(void)
{
	hill(10, HIGH / 2);
	hill(6, HIGH); /* the peak */
	hill(4, HIGH / 3);
	hill(30, HIGH); /* as high, later */
	hill(60, HIGH - 60);
	announce(&(struct figures){
	    .allocations = 10 + 6 + 4 + 30 + 60,
	    .deallocations = 10 + 6 + 4 + 30 + 60,
	    .bytes = HIGH / 2 + HIGH + HIGH / 3 + HIGH + HIGH - 60,
	    .temporary = 5, /* the last block of each hill */
	    .peak_bytes = HIGH,
	    .peak_blocks = 6,
	});
	return 0;
}
