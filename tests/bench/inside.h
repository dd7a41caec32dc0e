/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TESTS_BENCH_INSIDE_H
#define TESTS_BENCH_INSIDE_H

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Nanoseconds. */
static inline double inside_now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* Hands the figure that the program measured to measure(1), apart from its output,
 * which must be the same in every run. */
static inline void inside_report(double nanoseconds)
{
	const char *path = getenv("BENCH_INSIDE");
	FILE *file = path != NULL ? fopen(path, "w") : NULL;

	if (file != NULL) {
		fprintf(file, "%.3f\n", nanoseconds);
		fclose(file);
	}
}

#endif
