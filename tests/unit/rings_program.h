/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_TEST_RINGS_PROGRAM_H
#define MALLOGRAPH_TEST_RINGS_PROGRAM_H

/* The program of test_rings.c: threads that tell the library's event path, without hooks, of
 * blocks that they pass to each other. The blocks are numbers, not memory. */

#include <stdint.h>

#include "libcollect/ring.h"

struct told { /* by one thread */
	uint64_t allocations, deallocations, reallocations, bytes;
};

/* Opens session 0 of a region whose recorder lives. 0, or -1. */
int program_start(struct region *region);
/* What a thread does. Adds what it told. */
void program_thread(unsigned number, struct told *told);

#endif
