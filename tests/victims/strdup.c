/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* strdup and strndup: libc's calls of malloc are the program's allocations. */
#include "expect.h"

#define COPIES 200
#define TEXT   "twelve chars"

int main(void)
{
	static char *copy[COPIES];

	for (int i = 0; i < COPIES; i++)
		MUST(copy[i] = i % 2 ? strdup(TEXT) : strndup(TEXT, 4));
	for (int i = 0; i < COPIES; i++)
		free(copy[i]);
	announce(&(struct figures){
	    .allocations = COPIES,
	    .deallocations = COPIES,
	    .bytes = COPIES / 2 * (sizeof(TEXT) + 4 + 1),
	    .temporary = 1,
	    .peak_bytes = COPIES / 2 * (sizeof(TEXT) + 4 + 1),
	    .peak_blocks = COPIES,
	});
	return 0;
}
