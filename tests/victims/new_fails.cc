/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* operator new that fails: its new_handler allocates (an allocation of its own), and the
 * exception thrown through the hooks is one, too. Recording goes on behind it. */
#include <new>

#include "expect.h"

static const uint64_t ROUNDS = 50, HANDLER_BYTES = 70, AFTER_BYTES = 20;
/* libstdc++'s header in front of an exception object, 64 bit */
static const uint64_t HEADER_BYTES = 128;

static void *kept[ROUNDS];
static uint64_t calls;

static void handler()
{
	MUST((kept[calls++] = malloc(HANDLER_BYTES)));
	std::set_new_handler(nullptr);
}

int main()
{
	volatile size_t too_much = (size_t)PTRDIFF_MAX - 4096;
	uint64_t caught = 0;

	for (uint64_t i = 0; i < ROUNDS; i++) {
		std::set_new_handler(handler);
		try {
			if (i % 2)
				operator delete(operator new(too_much));
			else
				operator delete[](operator new[](too_much, std::align_val_t{64}),
						  std::align_val_t{64});
		} catch (const std::bad_alloc &) {
			caught++;
		}
		delete[] new char[AFTER_BYTES];
	}
	MUST(calls == ROUNDS && caught == ROUNDS);
	figures expected = {};

	expected.allocations = 3 * ROUNDS;
	expected.deallocations = 2 * ROUNDS;
	expected.bytes =
	    ROUNDS * (HANDLER_BYTES + HEADER_BYTES + sizeof(std::bad_alloc) + AFTER_BYTES);
	expected.temporary = 2 * ROUNDS;
	expected.leaked_blocks = ROUNDS;
	expected.leaked_bytes = ROUNDS * HANDLER_BYTES;
	expected.peak_bytes = ROUNDS * HANDLER_BYTES + HEADER_BYTES + sizeof(std::bad_alloc);
	expected.peak_blocks = ROUNDS + 1;
	say("expect base=empty_cc\n");
	announce(&expected);
	return 0;
}
