/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pvalloc rounds what it gives, not what was asked for. (memcheck does not know it.) */
#include <malloc.h>

#include "expect.h"

#define BLOCKS 64

int main(void)
{
	static void *block[BLOCKS];

	for (size_t i = 0; i < BLOCKS; i++) {
		MUST(block[i] = pvalloc(i * 100));
		MUST((uintptr_t)block[i] % 4096 == 0);
	}
	for (size_t i = BLOCKS; i-- > 0;)
		free(block[i]);
	announce(&(struct figures){
	    .allocations = BLOCKS,
	    .deallocations = BLOCKS,
	    .bytes = 100 * BLOCKS * (BLOCKS - 1) / 2,
	    .temporary = 1,
	    .peak_bytes = 100 * BLOCKS * (BLOCKS - 1) / 2,
	    .peak_blocks = BLOCKS,
	});
	return 0;
}
