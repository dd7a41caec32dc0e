/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Exceptions through the hooks of operator new: of a new_handler that throws one of its own, and of
 * a constructor, whose memory operator delete takes back. Of several threads at a time. */
#include <new>
#include <pthread.h>

#include "expect.h"

static const uint64_t THREADS = 4, ROUNDS = 200, HANDLER_BYTES = 70, OBJECT_BYTES = 120;
/* libstdc++'s header in front of an exception object, 64 bit */
static const uint64_t HEADER_BYTES = 128;

struct refused {
	uint64_t value;
};

struct object {
	char room[OBJECT_BYTES];
	explicit object(uint64_t value)
	{
		throw refused{value};
	}
};

static void handler()
{
	free(malloc(HANDLER_BYTES));
	throw refused{1};
}

static void *run(void *)
{
	volatile size_t too_much = (size_t)PTRDIFF_MAX - 4096;
	uint64_t caught = 0;

	for (uint64_t i = 0; i < ROUNDS; i++) {
		try {
			/* nothrow ones are noexcept, but for what the handler throws: bad_alloc */
			operator delete(i % 2 ? operator new(too_much) :
					      operator new (too_much, std::align_val_t{64}));
		} catch (const refused &it) {
			caught += it.value;
		}
		try {
			delete new object(1);
		} catch (const refused &it) {
			caught += it.value;
		}
	}
	MUST(caught == 2 * ROUNDS);
	return nullptr;
}

int main()
{
	const uint64_t own = THREADS * thread_block_bytes();
	const uint64_t rounds = THREADS * ROUNDS;
	pthread_t thread[THREADS];
	figures expected = {};

	std::set_new_handler(handler);
	for (auto &it : thread)
		MUST(!pthread_create(&it, nullptr, run, nullptr));
	for (auto it : thread)
		MUST(!pthread_join(it, nullptr));
	/* the handler's block and its exception; the object and the constructor's */
	expected.allocations = rounds * 4 + THREADS;
	expected.deallocations = rounds * 4;
	expected.bytes =
	    rounds * (HANDLER_BYTES + OBJECT_BYTES + 2 * (HEADER_BYTES + sizeof(refused))) + own;
	/* all but the object, which outlives the birth of its exception */
	expected.temporary = rounds * 3;
	expected.leaked_blocks = THREADS;
	expected.leaked_bytes = own;
	expected.peak_bytes = UNKNOWN;
	expected.peak_blocks = UNKNOWN;
	say("expect base=empty_cc\n");
	announce(&expected);
	return 0;
}
