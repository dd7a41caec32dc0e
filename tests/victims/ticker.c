/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ticker SECONDS: allocates (and leaks) all the time and says how often on its standard
 * output, a line every 50 ms; ends with the last count. For tests that interrupt it or
 * take its recorder away. */
#include <stdio.h>
#include <time.h>

#include "expect.h"

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	double end = now() + (argc > 1 ? atof(argv[1]) : 1), next = 0;
	unsigned long count = 0;
	char line[64];

	while (now() < end) {
		for (int i = 0; i < 100; i++, count++) {
			void *block = malloc(64);

			if (count % 1000)
				free(block);
		}
		usleep(1000); /* the reader in Python goes through all of it */
		if (now() < next)
			continue;
		next = now() + 0.05;
		snprintf(line, sizeof(line), "%lu\n", count);
		say(line);
	}
	snprintf(line, sizeof(line), "done %lu\n", count);
	say(line);
	return 0;
}
