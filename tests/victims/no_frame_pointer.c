/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Built with -O2 -fomit-frame-pointer: rbp is a register like any other, holds anything,
 * and is saved by some frames only; arguments are pushed around calls. */
#include "expect.h"

#define ROUNDS      200
#define DEPTH       20
#define BLOCK_BYTES 24

#define APART __attribute__((noinline, noclone))

static uint64_t blocks;

APART static uint64_t allocate(uint64_t value)
{
	void *block = malloc(BLOCK_BYTES);

	blocks++;
	free(block);
	return value + 1;
}

APART static uint64_t descend(unsigned depth, uint64_t value);

/* keeps more alive over its calls than there are registers */
APART static uint64_t crowded(unsigned depth, uint64_t a)
{
	uint64_t b = allocate(a), c = allocate(b * a), d = allocate(c ^ b), e = allocate(d + a);
	uint64_t f = allocate(e * 3), g = allocate(f ^ a), h = allocate(g | b);

	return descend(depth, a ^ h) + a * b + c * d + e * f + g * h;
}

APART static uint64_t nine(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f,
			   unsigned depth, uint64_t h, uint64_t i)
{
	return descend(depth, a + b + c + d + e + f + h + i) + allocate(i);
}

APART static uint64_t pushing(unsigned depth, uint64_t value)
{
	uint64_t sum = nine(1, 2, 3, 4, 5, 6, depth, value, value * 7);

	return sum + nine(6, 5, 4, 3, 2, 1, 0, sum, value);
}

/* saves registers on one of its paths only */
APART static uint64_t hasty(unsigned depth, uint64_t value)
{
	if (value % 3 == 0)
		return descend(depth, value + 1);
	return allocate(value) * descend(depth, value * 5) + value;
}

APART static uint64_t roomy(unsigned depth, uint64_t value)
{
	volatile uint64_t room[40];

	room[value % 40] = value;
	return descend(depth, value / 2) + room[value % 40];
}

APART static uint64_t descend(unsigned depth, uint64_t value)
{
	if (depth == 0)
		return allocate(value);
	switch (value % 4) {
	case 0:
		return crowded(depth - 1, value / 4) + 1;
	case 1:
		return pushing(depth - 1, value / 4) + 2;
	case 2:
		return hasty(depth - 1, value / 4) + 3;
	default:
		return roomy(depth - 1, value / 4) + 4;
	}
}

int main(void)
{
	uint64_t sum = 0;

	for (uint64_t i = 0; i < ROUNDS; i++)
		sum += descend(DEPTH, i * UINT64_C(0x9e3779b97f4a7c15));
	MUST(sum != 0);
	announce(one_by_one(blocks, BLOCK_BYTES));
	return 0;
}
