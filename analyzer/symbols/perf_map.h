/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_PERF_MAP_H
#define MALLOGRAPH_PERF_MAP_H

/*
 * What a JIT compiler says about its code, in /tmp/perf-PID.map: lines of
 * "START SIZE NAME", numbers in hex, later lines replacing earlier ones where
 * they overlap. The file may be larger than memory: it is streamed past the
 * addresses that are wanted.
 */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct perf_map_name {
	uint64_t address; /* sorted by this */
	char *name;       /* malloc'ed; NULL: not in the map */
};

/* Fills in names. Stops quietly at the deadline (CLOCK_MONOTONIC, 0: none).
 * Returns 0, ERROR_SYSTEM (no such file), ERROR_FOREIGN (another user's, or no
 * regular file), ERROR_MEMORY. */
int perf_map_read(const char *path, struct perf_map_name *names, size_t count, uint64_t deadline);
/* The same of a file that is open. */
int perf_map_take(FILE *map, struct perf_map_name *names, size_t count, uint64_t deadline);

#endif
