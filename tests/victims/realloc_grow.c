/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* realloc that grows: in place at first, by copying and by mremap later. */
#include "expect.h"

#define STEPS      300
#define STEP_BYTES 4099u

int main(void)
{
	char *block;

	MUST(block = malloc(STEP_BYTES));
	for (unsigned i = 2; i <= STEPS; i++) {
		block[0] = 'x';
		block[(i - 1) * STEP_BYTES - 1] = 'y';
		MUST(block = realloc(block, i * STEP_BYTES));
		MUST(block[0] == 'x' && block[(i - 1) * STEP_BYTES - 1] == 'y');
	}
	free(block);
	announce(&(struct figures){
	    .allocations = STEPS,
	    .deallocations = STEPS,
	    .bytes = (uint64_t)STEP_BYTES * STEPS * (STEPS + 1) / 2,
	    .temporary = STEPS, /* each ended before the next began */
	    .reallocations = STEPS - 1,
	    .peak_bytes = (uint64_t)STEP_BYTES * STEPS, /* never old and new together */
	    .peak_blocks = 1,
	});
	return 0;
}
