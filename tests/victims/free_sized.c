/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* C23's free_sized and free_aligned_sized, where somebody brings them. */
#include <dlfcn.h>

#include "expect.h"

#define ROUNDS      150
#define BLOCK_BYTES 96

int main(void)
{
	void (*free_sized)(void *, size_t);
	void (*free_aligned_sized)(void *, size_t, size_t);
	uint64_t count = ROUNDS;

	*(void **)&free_sized = dlsym(RTLD_DEFAULT, "free_sized");
	*(void **)&free_aligned_sized = dlsym(RTLD_DEFAULT, "free_aligned_sized");
	for (int i = 0; i < ROUNDS; i++) {
		void *block;

		MUST(block = malloc(BLOCK_BYTES));
		if (free_sized)
			free_sized(block, BLOCK_BYTES);
		else
			free(block);
	}
	for (int i = 0; i < ROUNDS && free_aligned_sized; i++, count++) {
		void *block;

		MUST(block = aligned_alloc(32, BLOCK_BYTES));
		free_aligned_sized(block, 32, BLOCK_BYTES);
		free_aligned_sized(NULL, 32, 0);
		free_sized(NULL, 0);
	}
	/* Under the collector both are there, and a dlsym that finds allocates nothing. */
	announce(&(struct figures){
	    .allocations = count,
	    .deallocations = count,
	    .bytes = count * BLOCK_BYTES,
	    .temporary = count,
	    .peak_bytes = BLOCK_BYTES,
	    .peak_blocks = 1,
	});
	return 0;
}
