/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The aligned ones: the size is what was asked for, not what alignment adds. */
#include <malloc.h>

#include "expect.h"

#define ALIGNMENTS  10 /* 16 ... 8192 */
#define ROUNDS      20
#define BLOCK_BYTES 8192

static int aligned(void *block, size_t alignment)
{
	return block && (uintptr_t)block % alignment == 0;
}

int main(void)
{
	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < ALIGNMENTS; i++) {
			size_t alignment = (size_t)16 << i;
			void *block[3];

			MUST(posix_memalign(&block[0], alignment, BLOCK_BYTES + 1) == 0);
			block[1] = aligned_alloc(alignment, BLOCK_BYTES);
			block[2] = memalign(alignment, BLOCK_BYTES + 3);
			for (int j = 0; j < 3; j++) {
				MUST(aligned(block[j], alignment));
				memset(block[j], j, BLOCK_BYTES);
			}
			for (int j = 0; j < 3; j++)
				free(block[j]);
		}
		void *page = valloc(BLOCK_BYTES + 5);

		MUST(aligned(page, 4096));
		free(page);
	}
	announce(&(struct figures){
	    .allocations = ROUNDS * (3 * ALIGNMENTS + 1),
	    .deallocations = ROUNDS * (3 * ALIGNMENTS + 1),
	    .bytes = (uint64_t)ROUNDS * (ALIGNMENTS * (3 * BLOCK_BYTES + 4) + BLOCK_BYTES + 5),
	    .temporary = ROUNDS * (ALIGNMENTS + 1),
	    .peak_bytes = 3 * BLOCK_BYTES + 4,
	    .peak_blocks = 3,
	});
	return 0;
}
