/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A JIT compiler's map of its code. */
#include <stdio.h>
#include <stdlib.h>

#include "analyzer/symbols/perf_map.h"
#include "analyzer/symbols/symbolize.h"
#include "tests/fuzz/fuzz.h"

void fuzz_perf_map(const uint8_t *bytes, size_t size)
{
	struct perf_map_name names[] = {{0, NULL},      {1, NULL},          {0x1000, NULL},
					{0x1001, NULL}, {1ull << 40, NULL}, {UINT64_MAX, NULL}};
	const size_t count = sizeof(names) / sizeof(*names);

	FILE *map = fopen(fuzz_file(0, bytes, size), "re");

	if (!map)
		exit(2);
	perf_map_take(map, names, count, 0);
	fclose(map);
	for (size_t i = 0; i < count; i++) {
		if (names[i].name)
			free(symbol_demangle(names[i].name));
		free(names[i].name);
	}
}
