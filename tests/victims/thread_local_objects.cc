/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Destructors of thread_local objects free when the thread ends; libstdc++ keeps the
 * list of them in blocks of its own (__cxa_thread_atexit: calloc of 32 bytes each). */
#include <pthread.h>

#include "expect.h"

static const uint64_t THREADS = 30, BLOCK_BYTES = 500, LIST_BYTES = 32;

struct holder {
	char *block = new char[BLOCK_BYTES];
	~holder()
	{
		delete[] block;
	}
};

static thread_local holder held;

static void *run(void *)
{
	held.block[0] = 1;
	return nullptr;
}

int main()
{
	pthread_attr_t attributes;

	MUST(!pthread_attr_init(&attributes));
	MUST(!pthread_attr_setstacksize(&attributes, 256 << 10));
	for (uint64_t i = 0; i < THREADS; i++) {
		pthread_t thread;

		MUST(!pthread_create(&thread, &attributes, run, nullptr));
		pthread_join(thread, nullptr);
	}
	figures expected = {};

	expected.allocations = 2 * THREADS + 1;
	expected.deallocations = 2 * THREADS;
	expected.bytes = THREADS * (BLOCK_BYTES + LIST_BYTES) + thread_block_bytes();
	/* new in the constructor, then the list's block: freed in which order is libc's
	 * choice, but the list's is the thread's last allocation */
	expected.temporary = THREADS;
	expected.leaked_blocks = 1;
	expected.leaked_bytes = thread_block_bytes();
	expected.peak_bytes = BLOCK_BYTES + LIST_BYTES + thread_block_bytes();
	expected.peak_blocks = 3;
	say("expect base=empty_cc\n");
	announce(&expected);
	return 0;
}
