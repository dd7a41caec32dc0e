/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What runs before main and after it counts as well. */
#include "expect.h"

#define BEFORE_BYTES 100
#define MAIN_BYTES   200
#define EXIT_BYTES   400

static void *from_before, *from_main;

__attribute__((constructor)) static void before_main(void)
{
	MUST(from_before = malloc(BEFORE_BYTES));
	free(malloc(BEFORE_BYTES));
}

__attribute__((destructor)) static void after_exit(void)
{
	free(from_before);
	MUST(from_before = malloc(EXIT_BYTES)); /* leaked */
}

static void at_exit(void)
{
	free(from_main);
	free(malloc(EXIT_BYTES));
}

int main(void)
{
	MUST(!atexit(at_exit));
	MUST(from_main = malloc(MAIN_BYTES));
	announce(&(struct figures){
	    .allocations = 5,
	    .deallocations = 4,
	    .bytes = 2 * BEFORE_BYTES + MAIN_BYTES + 2 * EXIT_BYTES,
	    /* the second of before_main; main's, since nothing was allocated until
	     * at_exit; the one of at_exit */
	    .temporary = 3,
	    .leaked_blocks = 1,
	    .leaked_bytes = EXIT_BYTES,
	    .peak_bytes = BEFORE_BYTES + EXIT_BYTES,
	    .peak_blocks = 2,
	});
	return 0;
}
