/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Built with -O2: functions that jump to malloc and free instead of calling them, and to
 * each other, so that the caller of a hook is not the function that asked for the block. */
#include "expect.h"

#define ROUNDS      500
#define DEPTH       8
#define BLOCK_BYTES 64

#define APART __attribute__((noinline, noclone))

typedef void *allocator(size_t);
typedef void *relay(unsigned, size_t);

APART static void *direct(size_t size)
{
	return malloc(size);
}

APART static void *cleared(size_t size)
{
	return calloc(1, size);
}

APART static void *larger(size_t size)
{
	return direct(size + 1);
}

APART static void release(void *block)
{
	free(block);
}

static allocator *volatile const allocators[3] = {direct, cleared, larger};

APART static void *last(unsigned way, size_t size)
{
	return allocators[way % 3](size);
}

APART static void *first(unsigned way, size_t size)
{
	char *block = malloc(size);

	if (way % 2)
		block[0] = 1;
	release(block);
	return last(way, size);
}

static relay *volatile const relays[2] = {first, last};

APART static void *nested(unsigned depth, unsigned way)
{
	volatile char room[1];

	room[0] = 1;
	if (depth == 0)
		return relays[way % 2](way, BLOCK_BYTES);
	release(relays[(way / 2) % 2](depth, BLOCK_BYTES));
	return (char *)nested(depth - 1, way) + room[0] - 1;
}

int main(void)
{
	uint64_t blocks = 0, bytes = 0, most = 0;

	for (unsigned way = 0; way < ROUNDS; way++) {
		release(nested(DEPTH, way));
		for (unsigned depth = 0; depth <= DEPTH; depth++) {
			unsigned used = depth ? depth : way;
			unsigned which = depth ? (way / 2) % 2 : way % 2;

			blocks += which == 0 ? 2 : 1;
			bytes += (which == 0 ? 2 : 1) * BLOCK_BYTES + (used % 3 == 2);
		}
	}
	most = BLOCK_BYTES + 1;
	announce(&(struct figures){
	    .allocations = blocks,
	    .deallocations = blocks,
	    .bytes = bytes,
	    .temporary = blocks,
	    .peak_bytes = most,
	    .peak_blocks = 1,
	});
	return 0;
}
