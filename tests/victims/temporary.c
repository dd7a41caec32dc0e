/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Temporary: no other allocation of the thread between a block's and its end. Frees of
 * other blocks between don't matter, equal sizes and stacks don't either. */
#include "expect.h"

#define ROUNDS      100
#define BLOCK_BYTES 32

static void *block_of(void)
{
	void *block = malloc(BLOCK_BYTES);

	MUST(block);
	return block;
}

int main(void)
{
	for (int i = 0; i < ROUNDS; i++) {
		void *a, *b, *c;

		a = block_of();
		free(a); /* temporary */

		a = block_of();
		b = block_of();
		free(a); /* not: b came between */
		free(b); /* temporary, though a's end came between */

		a = block_of();
		b = block_of();
		free(b);        /* temporary */
		c = block_of(); /* likely at b's address */
		free(a);        /* not */
		free(c);        /* temporary */

		a = block_of();
		MUST(a = realloc(a, BLOCK_BYTES)); /* ends a: temporary */
		b = block_of();
		free(a);                               /* not */
		MUST(b = realloc(b, 2 * BLOCK_BYTES)); /* temporary */
		free(b);                               /* temporary */
	}
	announce(&(struct figures){
	    .allocations = 10 * ROUNDS,
	    .deallocations = 10 * ROUNDS,
	    .bytes = 11 * ROUNDS * BLOCK_BYTES,
	    .temporary = 7 * ROUNDS,
	    .reallocations = 2 * ROUNDS,
	    .peak_bytes = 2 * BLOCK_BYTES,
	    .peak_blocks = 2,
	});
	return 0;
}
