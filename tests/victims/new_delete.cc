/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* operator new and delete in every form; each counts once, though it calls malloc. */
#include <new>

#include "expect.h"

static const uint64_t ROUNDS = 100, BLOCK_BYTES = 56, ALIGNED_BYTES = 192;
static const std::align_val_t ALIGNMENT{64};

static void *aligned(void *block)
{
	MUST(block && (uintptr_t)block % 64 == 0);
	return block;
}

int main()
{
	for (uint64_t i = 0; i < ROUNDS; i++) {
		operator delete(operator new(BLOCK_BYTES));
		operator delete(operator new(BLOCK_BYTES), BLOCK_BYTES);
		operator delete(operator new(BLOCK_BYTES, std::nothrow), std::nothrow);
		operator delete[](operator new[](BLOCK_BYTES));
		operator delete[](operator new[](BLOCK_BYTES), BLOCK_BYTES);
		operator delete[](operator new[](BLOCK_BYTES, std::nothrow), std::nothrow);

		operator delete(aligned(operator new(ALIGNED_BYTES, ALIGNMENT)), ALIGNMENT);
		operator delete(aligned(operator new(ALIGNED_BYTES, ALIGNMENT)), ALIGNED_BYTES,
				ALIGNMENT);
		operator delete(aligned(operator new(ALIGNED_BYTES, ALIGNMENT, std::nothrow)),
				ALIGNMENT, std::nothrow);
		operator delete[](aligned(operator new[](ALIGNED_BYTES, ALIGNMENT)), ALIGNMENT);
		operator delete[](aligned(operator new[](ALIGNED_BYTES, ALIGNMENT)), ALIGNED_BYTES,
				  ALIGNMENT);
		operator delete[](aligned(operator new[](ALIGNED_BYTES, ALIGNMENT, std::nothrow)),
				  ALIGNMENT, std::nothrow);

		operator delete(nullptr);
		operator delete[](nullptr);
		operator delete(nullptr, ALIGNMENT);
		delete new int(5);
		delete[] new char[BLOCK_BYTES];
	}
	figures expected = {};

	expected.allocations = 14 * ROUNDS;
	expected.deallocations = 14 * ROUNDS;
	expected.bytes = ROUNDS * (6 * BLOCK_BYTES + 6 * ALIGNED_BYTES + sizeof(int) + BLOCK_BYTES);
	expected.temporary = 14 * ROUNDS;
	expected.peak_bytes = ALIGNED_BYTES;
	expected.peak_blocks = 1;
	say("expect base=empty_cc\n");
	announce(&expected);
	return 0;
}
