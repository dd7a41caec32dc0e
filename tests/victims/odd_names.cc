/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names that other tools' formats have a meaning for: lambdas ('#'), templates and blanks of
 * C++, and a C symbol that tests/cli/export-tools.sh renames to worse. Inlined frames, too. */
#include <map>
#include <string>

#include "expect.h"

/* At least 2 of every block, so that each costs something of every kind. */
static const uint64_t LAMBDA_BLOCKS = 70, LAMBDA_BYTES = 100;
static const uint64_t TEMPLATE_BLOCKS = 50, TEMPLATE_BYTES = 1000;
static const uint64_t PLAIN_BLOCKS = 30, PLAIN_BYTES = 3000;
static const uint64_t INLINE_BLOCKS = 20, INLINE_BYTES = 500;

/* One of ten stays, one of ten is temporary, the others live until the eleventh. */
static void *blocks[10];

__attribute__((always_inline)) static inline void place(void *block, uint64_t i)
{
	MUST(block != NULL);
	blocks[i % 10] = block;
	if (i % 10 == 1) {
		free(block);
		blocks[1] = NULL;
	}
	if (i % 10 == 9)
		for (unsigned j = 1; j < 10; j++)
			free(blocks[j]);
}

template <typename Key, typename Value> struct table {
	__attribute__((noinline)) static void fill(const std::map<Key, Value> *)
	{
		for (uint64_t i = 0; i < TEMPLATE_BLOCKS; i++)
			place(malloc(TEMPLATE_BYTES), i);
	}
};

extern "C" __attribute__((noinline)) void plain_symbol(void)
{
	for (uint64_t i = 0; i < PLAIN_BLOCKS; i++)
		place(malloc(PLAIN_BYTES), i);
}

__attribute__((always_inline)) static inline void inlined_into_main(void)
{
	for (uint64_t i = 0; i < INLINE_BLOCKS; i++)
		place(malloc(INLINE_BYTES), i);
}

namespace {
struct holder {
	__attribute__((noinline)) void operator()(int) const
	{
		auto keep = [](int) __attribute__((noinline)) {
			for (uint64_t i = 0; i < LAMBDA_BLOCKS; i++)
				place(malloc(LAMBDA_BYTES), i);
		};
		keep(1);
	}
};
} // namespace

int main()
{
	figures expected = {};

	operator delete(nullptr); /* the C++ runtime is there, as in empty_cc */
	holder()(1);
	table<std::string, unsigned long>::fill(nullptr);
	plain_symbol();
	inlined_into_main();
	expected.allocations = LAMBDA_BLOCKS + TEMPLATE_BLOCKS + PLAIN_BLOCKS + INLINE_BLOCKS;
	expected.deallocations = expected.allocations / 10 * 9;
	expected.bytes = LAMBDA_BLOCKS * LAMBDA_BYTES + TEMPLATE_BLOCKS * TEMPLATE_BYTES +
			 PLAIN_BLOCKS * PLAIN_BYTES + INLINE_BLOCKS * INLINE_BYTES;
	expected.temporary = expected.allocations / 10 * 2;
	expected.leaked_blocks = expected.allocations / 10;
	expected.leaked_bytes = expected.bytes / 10;
	/* when the last ten of plain_symbol live but the one freed; INLINE blocks are smaller */
	expected.peak_bytes = LAMBDA_BLOCKS / 10 * LAMBDA_BYTES +
			      TEMPLATE_BLOCKS / 10 * TEMPLATE_BYTES +
			      (PLAIN_BLOCKS / 10 - 1) * PLAIN_BYTES + 9 * PLAIN_BYTES;
	expected.peak_blocks = LAMBDA_BLOCKS / 10 + TEMPLATE_BLOCKS / 10 + PLAIN_BLOCKS / 10 - 1 + 9;
	say("expect base=empty_cc\n");
	announce(&expected);
	return 0;
}
