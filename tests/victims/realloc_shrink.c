/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* realloc that shrinks, and that asks for the same size again. */
#include "expect.h"

#define STEPS      200
#define STEP_BYTES 1024u

int main(void)
{
	char *block;

	MUST(block = malloc(STEPS * STEP_BYTES));
	for (unsigned i = STEPS - 1; i >= 1; i--) {
		MUST(block = realloc(block, i * STEP_BYTES));
		MUST(block = realloc(block, i * STEP_BYTES)); /* same size: counts as well */
	}
	free(block);
	announce(&(struct figures){
	    .allocations = 1 + 2 * (STEPS - 1),
	    .deallocations = 1 + 2 * (STEPS - 1),
	    .bytes =
		(uint64_t)STEPS * STEP_BYTES + 2 * (uint64_t)STEP_BYTES * (STEPS - 1) * STEPS / 2,
	    .temporary = 1 + 2 * (STEPS - 1),
	    .reallocations = 2 * (STEPS - 1),
	    .peak_bytes = STEPS * STEP_BYTES,
	    .peak_blocks = 1,
	});
	return 0;
}
