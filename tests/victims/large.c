/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sizes of 4 GiB and more, never touched: none may be cut to 32 bits. */
#include "expect.h"

#define GIB (UINT64_C(1) << 30)

int main(void)
{
	const uint64_t sizes[] = {4 * GIB - 1, 4 * GIB, 4 * GIB + 1, 6 * GIB + 12345};
	const int count = sizeof(sizes) / sizeof(*sizes);
	uint64_t sum = 0;
	void *block;

	for (int i = 0; i < count; i++) {
		if (!(block = malloc(sizes[i]))) {
			say("this machine refuses blocks of 6 GiB\n");
			return 77;
		}
		free(block);
		sum += sizes[i];
	}
	MUST(block = malloc(1));
	MUST(block = realloc(block, 5 * GIB));
	MUST(block = realloc(block, 2));
	free(block);
	announce(&(struct figures){
	    .allocations = (uint64_t)count + 3,
	    .deallocations = (uint64_t)count + 3,
	    .bytes = sum + 1 + 5 * GIB + 2,
	    .temporary = (uint64_t)count + 3,
	    .reallocations = 2,
	    .peak_bytes = sizes[count - 1],
	    .peak_blocks = 1,
	});
	return 0;
}
