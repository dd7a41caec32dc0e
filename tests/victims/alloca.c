/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames whose size changes while they run: alloca and arrays of variable length. */
#include <alloca.h>

#include "expect.h"

#define ROUNDS      200
#define DEPTH       10
#define BLOCK_BYTES 16

static uint64_t blocks;

static void allocate(void)
{
	free(malloc(BLOCK_BYTES));
	blocks++;
}

static void array(unsigned depth, size_t size);

static void grow(unsigned depth, size_t size)
{
	for (unsigned i = 0; i < 3; i++) {
		char *room = alloca(size + i * 24);

		memset(room, (int)i, size);
		allocate();
	}
	if (depth > 0)
		array(depth - 1, size + 8);
	allocate();
}

static void array(unsigned depth, size_t size)
{
	for (size_t i = 1; i < 4; i++) {
		char room[size * i];

		memset(room, 0, sizeof(room));
		allocate();
		if (depth > 0 && i == 2)
			grow(depth - 1, size);
	}
	allocate();
}

int main(void)
{
	for (size_t i = 0; i < ROUNDS; i++)
		grow(DEPTH, 1 + i % 50);
	MUST(blocks == ROUNDS * (DEPTH + 1) * 4);
	announce(one_by_one(blocks, BLOCK_BYTES));
	return 0;
}
