/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Unwind information as it is mapped into the program: the library in it reads what the linker,
 * or whoever packed the file, left there. The input ends where its page does. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "libcollect/preload/cfi.h"
#include "tests/fuzz/fuzz.h"

enum { ROOM = 1 << 16, PCS = 64 };

void fuzz_unwind(const uint8_t *bytes, size_t size)
{
	static unsigned char *map;
	struct cfi_bounds bounds;
	uintptr_t start;

	if (!map) {
		map = mmap(NULL, 2 * ROOM, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (map == MAP_FAILED || mprotect(map, ROOM, PROT_READ | PROT_WRITE))
			exit(2);
	}
	if (size > ROOM)
		return;
	memset(map, 0, ROOM - size);
	start = (uintptr_t)(map + ROOM - size);
	if (size)
		memcpy((void *)start, bytes, size);
	/* entries lie before their table as well as behind it */
	bounds = (struct cfi_bounds){start, start + size};
	for (uintptr_t pc = start; pc < start + PCS; pc++) {
		cfi_rule(start, &bounds, pc);
		cfi_rule(start + size / 2, &bounds, pc);
	}
}
