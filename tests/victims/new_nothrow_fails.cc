/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A nothrow new that fails: libstdc++ throws and catches inside, and returns NULL. A
 * new_handler that makes room lets the same call succeed: one allocation, not two. */
#include <new>
#include <sys/resource.h>

#include "expect.h"

static const uint64_t ROUNDS = 25, AFTER_BYTES = 20, HEADER_BYTES = 128;
static const uint64_t BIG_BYTES = UINT64_C(1) << 30;

static uint64_t calls;
static rlimit roomy;

static void make_room()
{
	calls++;
	MUST(!setrlimit(RLIMIT_AS, &roomy));
	std::set_new_handler(nullptr);
}

int main()
{
	volatile size_t too_much = (size_t)PTRDIFF_MAX - 4096;

	for (uint64_t i = 0; i < ROUNDS; i++) {
		MUST(!(i % 2 ? operator new(too_much, std::nothrow) :
			     operator new[](too_much, std::nothrow)));
		delete[] new char[AFTER_BYTES];
	}
	MUST(!getrlimit(RLIMIT_AS, &roomy));
	rlimit tight = roomy;

	tight.rlim_cur = BIG_BYTES / 2;
	/* A recorder's shared memory may be more than that already: no matter. */
	MUST(!setrlimit(RLIMIT_AS, &tight));
	std::set_new_handler(make_room);
	void *big = operator new(BIG_BYTES);

	MUST(big && calls == 1);
	operator delete(big);
	figures expected = {};

	expected.allocations = 2 * ROUNDS + 1;
	expected.deallocations = 2 * ROUNDS + 1;
	expected.bytes = ROUNDS * (HEADER_BYTES + sizeof(std::bad_alloc) + AFTER_BYTES) + BIG_BYTES;
	expected.temporary = 2 * ROUNDS + 1;
	expected.peak_bytes = BIG_BYTES;
	expected.peak_blocks = 1;
	say("expect base=empty_cc\n");
	announce(&expected);
	return 0;
}
