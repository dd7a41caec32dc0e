/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A file of heaptrack, unpacked. */
#include "tests/fuzz/fuzz.h"

void fuzz_heaptrack(const uint8_t *bytes, size_t size)
{
	fuzz_views(fuzz_file(0, bytes, size));
}
