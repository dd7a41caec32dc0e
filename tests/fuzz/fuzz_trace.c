/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A trace as it lies in a file. */
#include <string.h>
#include <zlib.h>

#include "formats/trace/block.h"
#include "tests/fuzz/fuzz.h"

void fuzz_trace(const uint8_t *bytes, size_t size)
{
	fuzz_views(fuzz_file(0, bytes, size));
}

/* Right checksums, as far as blocks follow each other: those of the corpus are wrong after any
 * change, and nothing else would be found behind them. */
size_t fuzz_trace_mend(uint8_t *bytes, size_t size, size_t most)
{
	uint8_t *at = bytes + TRACE_HEADER_BYTES;

	(void)most;
	if (size < TRACE_HEADER_BYTES)
		return size;
	memcpy(bytes, TRACE_MAGIC, TRACE_MAGIC_BYTES);
	while ((size_t)(bytes + size - at) >= TRACE_BLOCK_HEADER_BYTES) {
		size_t left = (size_t)(bytes + size - at) - TRACE_BLOCK_HEADER_BYTES;
		size_t stored = trace_get_u32(at + 8);

		if (stored > left)
			stored = left;
		trace_put_u32(at + 24,
			      (uint32_t)crc32(0, at + TRACE_BLOCK_HEADER_BYTES, (uInt)stored));
		trace_put_u32(at + 28, (uint32_t)crc32(0, at, TRACE_BLOCK_HEADER_BYTES - 4));
		at += TRACE_BLOCK_HEADER_BYTES + stored;
	}
	return size;
}
