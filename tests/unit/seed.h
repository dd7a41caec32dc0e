/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TESTS_UNIT_SEED_H
#define TESTS_UNIT_SEED_H

#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

/* Of a test with random numbers: $SEED, or another in each run, which is printed to be given
 * again. Included behind cmocka.h. */
static inline uint64_t seed_choose(void)
{
	const char *given = getenv("SEED");
	uint64_t seed = given ? strtoull(given, NULL, 10) : (uint64_t)getpid() * 2654435761u + 1;

	print_message("SEED=%llu\n", (unsigned long long)seed);
	return seed;
}

#endif
