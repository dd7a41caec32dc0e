/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames that align the stack for vectors: their CFA is read from a slot that moves with
 * the caller's alignment. Built with -mavx2, as realign at -O2 and as realign_o3 at -O3. */
#include <alloca.h>
#include <immintrin.h>

#include "expect.h"

#define ROUNDS      300
#define DEPTH       9
#define BLOCK_BYTES 32

#define APART __attribute__((noinline, noclone))

static uint64_t blocks;
static volatile int sink;

APART static void allocate(void *seen)
{
	sink = *(volatile char *)seen;
	free(malloc(BLOCK_BYTES));
	blocks++;
}

APART static void descend(unsigned depth, unsigned way);

APART static int vector(unsigned depth, unsigned way)
{
	__m256i lanes[2] = {_mm256_set1_epi32((int)depth), _mm256_set1_epi32((int)way)};

	allocate(lanes);
	descend(depth, way);
	lanes[0] = _mm256_add_epi32(lanes[0], lanes[1]);
	allocate(lanes);
	return _mm256_extract_epi32(lanes[0], 3);
}

/* with arguments on the stack, which only the old stack pointer reaches */
APART static int many(long a, long b, long c, long d, long e, long f, unsigned depth, unsigned way)
{
	char line[64] __attribute__((aligned(64)));

	memset(line, (int)(a + b + c + d + e + f), sizeof(line));
	allocate(line);
	descend(depth, way);
	return line[depth] + (int)way;
}

APART static int grown(unsigned depth, unsigned way)
{
	__m256i lanes = _mm256_set1_epi8((char)way);
	char *room = alloca(depth * 24 + 40);

	memset(room, 1, depth * 24 + 40);
	allocate(room);
	allocate(&lanes);
	descend(depth, way);
	return room[3] + _mm256_extract_epi8(lanes, 5);
}

/* moves the stack by 16 bytes, so that the others have to align it differently */
APART static int small(unsigned depth, unsigned way)
{
	volatile long room = (long)depth;

	descend(depth, way);
	allocate((void *)&room);
	return (int)room;
}

APART static void descend(unsigned depth, unsigned way)
{
	if (depth == 0)
		return;
	switch (way % 4) {
	case 0:
		sink += vector(depth - 1, way / 4 * 5 + 1);
		break;
	case 1:
		sink += many(1, 2, 3, 4, 5, 6, depth - 1, way / 4 * 3 + 2);
		break;
	case 2:
		sink += grown(depth - 1, way / 4 * 7 + 3);
		break;
	default:
		sink += small(depth - 1, way / 4 * 11);
	}
}

int main(void)
{
	if (!__builtin_cpu_supports("avx2")) {
		say("this processor has no AVX2\n");
		return 77;
	}
	for (unsigned i = 0; i < ROUNDS; i++)
		descend(DEPTH, i * 37);
	announce(one_by_one(blocks, BLOCK_BYTES));
	return 0;
}
