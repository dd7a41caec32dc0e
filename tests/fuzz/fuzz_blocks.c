/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Payloads of blocks: what is around them is made here, so that all that is changed at random lies
 * behind headers and checksums. A block of the input is
 *
 *   1  type
 *   1  first tick (EVENTS and TIMELINE)
 *   2  bytes of the payload, little-endian
 *      payload, as it would be without compression
 */
#include <stdlib.h>
#include <string.h>

#include "formats/trace/block.h"
#include "tests/fuzz/fuzz.h"

enum { HEAD = 4 };

static size_t add_block(struct trace_block_writer *writer, const uint8_t *input, size_t left,
			uint8_t *file)
{
	size_t payload = trace_get_u16(input + 2), size;

	if (payload > left - HEAD)
		payload = left - HEAD;
	if (trace_block_encode(writer, (enum trace_block_type)input[0], 0, input[1], input + HEAD,
			       payload, &size))
		exit(2);
	memcpy(file, writer->buffer, size);
	return payload;
}

uint8_t *fuzz_make_trace(const uint8_t *bytes, size_t size, size_t *made)
{
	struct trace_block_writer writer = {.fd = -1};
	/* A block is larger by the difference of the two heads. */
	size_t most = TRACE_HEADER_BYTES + size + (size / HEAD + 1) * TRACE_BLOCK_HEADER_BYTES;
	uint8_t *file = calloc(1, most);

	if (!file)
		exit(2);
	trace_compressor_init(&writer.compressor, TRACE_CODEC_NONE, 0);
	memcpy(file, TRACE_MAGIC, TRACE_MAGIC_BYTES);
	trace_put_u16(file + 8, TRACE_MAJOR);
	*made = TRACE_HEADER_BYTES;
	while (size >= HEAD) {
		size_t payload = add_block(&writer, bytes, size, file + *made);

		*made += TRACE_BLOCK_HEADER_BYTES + payload;
		bytes += HEAD + payload;
		size -= HEAD + payload;
	}
	trace_block_writer_release(&writer);
	return file;
}

void fuzz_blocks(const uint8_t *bytes, size_t size)
{
	size_t made;
	uint8_t *file = fuzz_make_trace(bytes, size, &made);

	fuzz_views(fuzz_file(0, file, made));
	free(file);
}
