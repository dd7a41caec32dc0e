/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Calls that fail are nothing, and errno is the allocator's. */
#include <errno.h>
#include <malloc.h>

#include "expect.h"

#define ROUNDS     30
#define KEPT_BYTES 10

int main(void)
{
	volatile size_t too_much = (size_t)PTRDIFF_MAX + 1;

	for (int i = 0; i < ROUNDS; i++) {
		void *block = &block;

		errno = 0;
		MUST(!malloc(too_much) && errno == ENOMEM);
		errno = 0;
		MUST(!calloc(too_much, 1) && errno == ENOMEM);
		MUST(!calloc(too_much, 16));
		MUST(posix_memalign(&block, 24, 100) == EINVAL && block == &block);
		MUST(posix_memalign(&block, 64, too_much) == ENOMEM && block == &block);
		errno = 0;
		MUST(!aligned_alloc(64, too_much) && errno == ENOMEM);
		errno = 0;
		MUST(!memalign(64, too_much) && errno == ENOMEM);
		errno = 0;
		MUST(!valloc(too_much) && errno == ENOMEM);
		MUST(!reallocarray(NULL, too_much, 2));
	}
	MUST(malloc(KEPT_BYTES));
	announce(&(struct figures){
	    .allocations = 1,
	    .bytes = KEPT_BYTES,
	    .leaked_blocks = 1,
	    .leaked_bytes = KEPT_BYTES,
	    .peak_bytes = KEPT_BYTES,
	    .peak_blocks = 1,
	});
	return 0;
}
