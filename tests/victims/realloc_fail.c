/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A realloc that fails changes nothing: the old block lives on. */
#include <errno.h>

#include "expect.h"

#define ROUNDS      100
#define BLOCK_BYTES 300

int main(void)
{
	volatile size_t too_much = (size_t)PTRDIFF_MAX + 1;

	for (int i = 0; i < ROUNDS; i++) {
		char *block;

		MUST(block = malloc(BLOCK_BYTES));
		strcpy(block, "still here");
		errno = 0;
		MUST(!realloc(block, too_much) && errno == ENOMEM);
		errno = 0;
		MUST(!realloc(NULL, too_much) && errno == ENOMEM);
		MUST(!strcmp(block, "still here"));
		free(block);
	}
	announce(&(struct figures){
	    .allocations = ROUNDS,
	    .deallocations = ROUNDS,
	    .bytes = ROUNDS * BLOCK_BYTES,
	    .temporary = ROUNDS,
	    .peak_bytes = BLOCK_BYTES,
	    .peak_blocks = 1,
	});
	return 0;
}
