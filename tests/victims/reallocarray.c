/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* reallocarray: one call, one event, though it calls realloc inside; a product that
 * overflows fails and changes nothing. */
#include <errno.h>

#include "expect.h"

#define ROUNDS       120
#define MEMBER_BYTES 12
#define FIRST        10
#define SECOND       25

int main(void)
{
	volatile size_t half = SIZE_MAX / 2;

	for (int i = 0; i < ROUNDS; i++) {
		void *block;

		MUST(block = reallocarray(NULL, FIRST, MEMBER_BYTES));
		errno = 0;
		MUST(!reallocarray(block, half, MEMBER_BYTES) && errno == ENOMEM);
		MUST(block = reallocarray(block, SECOND, MEMBER_BYTES));
		free(block);
	}
	announce(&(struct figures){
	    .allocations = 2 * ROUNDS,
	    .deallocations = 2 * ROUNDS,
	    .bytes = (uint64_t)ROUNDS * MEMBER_BYTES * (FIRST + SECOND),
	    .temporary = 2 * ROUNDS,
	    .reallocations = ROUNDS,
	    .peak_bytes = SECOND * MEMBER_BYTES,
	    .peak_blocks = 1,
	});
	return 0;
}
