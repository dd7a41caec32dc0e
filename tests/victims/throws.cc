/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Exceptions through 50 frames whose destructors allocate; every tenth frame catches,
 * allocates, and throws on: the same exception or another. */
#include "expect.h"

static const uint64_t ROUNDS = 40, DEPTH = 50;
static const uint64_t FRAME_BYTES = 200, DESTRUCTOR_BYTES = 30, CATCH_BYTES = 60;
/* libstdc++'s header in front of an exception object, 64 bit */
static const uint64_t HEADER_BYTES = 128;

struct failure {
	uint64_t depth;
};

struct frame {
	void *block = malloc(FRAME_BYTES);
	~frame()
	{
		free(malloc(DESTRUCTOR_BYTES));
		free(block);
	}
};

static void down(uint64_t depth);

static void halt(uint64_t depth)
{
	try {
		down(depth - 1);
	} catch (const failure &) {
		free(malloc(CATCH_BYTES));
		if (depth % 20 == 0)
			throw;
		throw failure{depth};
	}
}

static void down(uint64_t depth)
{
	frame here;

	if (depth == 0)
		throw failure{depth};
	if (depth % 10 == 0)
		halt(depth);
	else
		down(depth - 1);
}

int main()
{
	/* those at 10, 30, 50, and the first; caught at 10, 20, ... 50, and here */
	const uint64_t frames = DEPTH + 1, thrown = 4, caught = DEPTH / 10 + 1;
	const uint64_t exception = HEADER_BYTES + sizeof(failure);
	uint64_t last = 0;
	figures expected = {};

	for (uint64_t i = 0; i < ROUNDS; i++) {
		try {
			down(DEPTH);
		} catch (const failure &failure) {
			free(malloc(CATCH_BYTES));
			last += failure.depth;
		}
	}
	MUST(last == ROUNDS * DEPTH);
	expected.allocations = ROUNDS * (2 * frames + thrown + caught);
	expected.deallocations = expected.allocations;
	expected.bytes = ROUNDS * (frames * (FRAME_BYTES + DESTRUCTOR_BYTES) + thrown * exception +
				   caught * CATCH_BYTES);
	expected.temporary = ROUNDS * (frames + caught);
	expected.peak_bytes = frames * FRAME_BYTES + exception + DESTRUCTOR_BYTES;
	expected.peak_blocks = frames + 2;
	say("expect base=empty_cc\n");
	announce(&expected);
	return 0;
}
