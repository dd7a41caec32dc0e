/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Goes up and down through functions with frames of different sizes, as chance has it, and
 * allocates at each step. */
#include "expect.h"

#define STEPS       10000
#define DEPTH       120
#define BLOCK_BYTES 28

static uint32_t chance = 2463534242;
static unsigned steps;

static unsigned dice(void)
{
	chance ^= chance << 13;
	chance ^= chance >> 17;
	chance ^= chance << 5;
	return chance >> 8;
}

static void walk(unsigned depth);

#define FRAME_OF(name, bytes)                                                                      \
	static void name(unsigned depth)                                                           \
	{                                                                                          \
		volatile char room[bytes];                                                         \
                                                                                                   \
		room[0] = 0;                                                                       \
		walk(depth + 1 + (unsigned)room[0]);                                               \
	}
FRAME_OF(slim, 8)
FRAME_OF(middling, 72)
FRAME_OF(wide, 1000)

static void walk(unsigned depth)
{
	while (steps < STEPS) {
		unsigned throw = dice();

		steps++;
		free(malloc(BLOCK_BYTES));
		if (throw % 2 && depth > 0)
			return;
		if (depth == DEPTH)
			continue;
		if (throw % 3 == 0)
			slim(depth);
		else if (throw % 3 == 1)
			middling(depth);
		else
			wide(depth);
	}
}

int main(void)
{
	walk(0);
	announce(&(struct figures){
	    .allocations = STEPS,
	    .deallocations = STEPS,
	    .bytes = STEPS * BLOCK_BYTES,
	    .temporary = STEPS,
	    .peak_bytes = BLOCK_BYTES,
	    .peak_blocks = 1,
	});
	return 0;
}
