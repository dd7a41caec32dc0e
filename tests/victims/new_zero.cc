/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* operator new of 0 bytes is an allocation of 0 bytes, whatever the runtime makes of it. */
#include <new>

#include "expect.h"

static const uint64_t BLOCKS = 40;

int main()
{
	void *block[BLOCKS];

	for (uint64_t i = 0; i < BLOCKS; i++)
		MUST((block[i] = i % 2 ? operator new(0) : operator new[](0, std::nothrow)));
	for (uint64_t i = BLOCKS; i-- > 0;)
		operator delete(block[i]);
	figures expected = {};

	expected.allocations = BLOCKS;
	expected.deallocations = BLOCKS;
	expected.temporary = 1;
	say("expect base=empty_cc\n");
	announce(&expected);
	return 0;
}
