/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Allocations that libc makes for its caller. How many bytes asprintf, getline and
 * fopen take is glibc's business (the memcheck test compares); strdup's are known. */
#include <stdio.h>

#include "expect.h"

#define ROUNDS 40
#define TEXT   "eleven char"

int main(void)
{
	for (int i = 0; i < ROUNDS; i++) {
		char *copy, *part, *printed, *line = NULL, *buffer = NULL;
		size_t capacity = 0, size = 0;
		FILE *file;

		MUST(copy = strdup(TEXT));
		MUST(part = strndup(TEXT, 3));
		MUST(asprintf(&printed, "%s %s %d %200d", copy, part, i, i) > 200);
		MUST(file = fopen("/proc/self/status", "r"));
		while (getline(&line, &capacity, file) > 0)
			;
		fclose(file);
		MUST(file = open_memstream(&buffer, &size));
		MUST(fprintf(file, "%s", printed) > 0);
		fclose(file);
		MUST(!strcmp(buffer, printed));
		free(buffer);
		free(line);
		free(printed);
		free(part);
		free(copy);
	}
	announce(&(struct figures){
	    .allocations = UNKNOWN,
	    .deallocations = UNKNOWN,
	    .bytes = UNKNOWN,
	    .temporary = UNKNOWN,
	    .reallocations = UNKNOWN,
	    .leaked_blocks = 0,
	    .leaked_bytes = 0,
	    .peak_bytes = UNKNOWN,
	    .peak_blocks = UNKNOWN,
	});
	return 0;
}
