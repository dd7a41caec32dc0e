/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* calloc: the size is the product; a product that overflows is no allocation. */
#include "expect.h"

#define ROUNDS       500
#define MEMBERS      7
#define MEMBER_BYTES 24

int main(void)
{
	volatile size_t half = SIZE_MAX / 2;

	for (int i = 0; i < ROUNDS; i++) {
		char *zeroed, *none_of_some, *some_of_none;

		MUST(zeroed = calloc(MEMBERS, MEMBER_BYTES));
		for (size_t at = 0; at < MEMBERS * MEMBER_BYTES; at++)
			MUST(zeroed[at] == 0);
		memset(zeroed, 0xff, MEMBERS * MEMBER_BYTES);
		MUST(none_of_some = calloc(0, MEMBER_BYTES));
		MUST(some_of_none = calloc(MEMBERS, 0));
		MUST(!calloc(half, 4));
		free(none_of_some);
		free(some_of_none);
		free(zeroed);
	}
	announce(&(struct figures){
	    .allocations = 3 * ROUNDS,
	    .deallocations = 3 * ROUNDS,
	    .bytes = (uint64_t)ROUNDS * MEMBERS * MEMBER_BYTES,
	    .temporary = ROUNDS, /* some_of_none */
	    .peak_bytes = MEMBERS * MEMBER_BYTES,
	    .peak_blocks = 1, /* reached first with `zeroed` alone */
	});
	return 0;
}
