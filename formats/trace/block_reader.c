/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "formats/trace/block.h"

#include <stdlib.h>
#include <zlib.h>

static int damaged(const char **fault, const char *what)
{
	*fault = what;
	return ERROR_DAMAGED;
}

int trace_block_header_decode(struct trace_block_header *header,
			      const uint8_t bytes[TRACE_BLOCK_HEADER_BYTES], const char **fault)
{
	if (memcmp(bytes, TRACE_BLOCK_MAGIC, 4) != 0)
		return damaged(fault, "no block where one should begin");
	if (trace_get_u32(bytes + 28) != crc32(0, bytes, TRACE_BLOCK_HEADER_BYTES - 4))
		return damaged(fault, "checksum of a block header");
	header->type = bytes[4];
	header->codec = bytes[5];
	header->flags = trace_get_u16(bytes + 6);
	header->stored_bytes = trace_get_u32(bytes + 8);
	header->raw_bytes = trace_get_u32(bytes + 12);
	header->first_tick = trace_get_u64(bytes + 16);
	header->checksum = trace_get_u32(bytes + 24);
	if (header->flags & TRACE_FLAGS_REFUSE)
		return ERROR_NEWER;
	if (header->stored_bytes > TRACE_BLOCK_MAX || header->raw_bytes > TRACE_BLOCK_MAX)
		return damaged(fault, "a block over the size limit");
	return 0;
}

int trace_block_find(struct trace_source *source, uint64_t offset,
		     struct trace_block_header *header, const char **fault)
{
	uint8_t bytes[TRACE_BLOCK_HEADER_BYTES];
	int error = trace_source_read(source, offset, bytes, sizeof(bytes));

	if (error)
		return error;
	error = trace_block_header_decode(header, bytes, fault);
	if (error)
		return error;
	if (header->stored_bytes > source->size - offset - TRACE_BLOCK_HEADER_BYTES)
		return ERROR_CUT_OFF;
	return 0;
}

static int reserve(uint8_t **buffer, size_t *capacity, size_t bytes)
{
	/* Never NULL, so that an empty payload has an address too, and a byte behind the payload
	 * can be read. */
	if (bytes <= *capacity && *buffer)
		return 0;
	free(*buffer);
	*capacity = 0;
	*buffer = malloc(bytes + 1);
	if (!*buffer)
		return ERROR_MEMORY;
	*capacity = bytes;
	return 0;
}

int trace_block_payload(struct trace_block_reader *reader, struct trace_source *source,
			uint64_t offset, const struct trace_block_header *header,
			struct trace_cursor *payload, const char **fault)
{
	int error = reserve(&reader->stored, &reader->stored_capacity, header->stored_bytes);

	if (error)
		return error;
	error = trace_source_read(source, offset + TRACE_BLOCK_HEADER_BYTES, reader->stored,
				  header->stored_bytes);
	if (error)
		return error;
	if (crc32(0, reader->stored, header->stored_bytes) != header->checksum)
		return damaged(fault, "checksum of a block");
	if (header->codec == TRACE_CODEC_NONE) {
		if (header->stored_bytes != header->raw_bytes)
			return damaged(fault, "length of an uncompressed block");
		payload->at = reader->stored;
		payload->end = reader->stored + header->raw_bytes;
		return 0;
	}
	if (!trace_codec_name(header->codec))
		return ERROR_NEWER;
	error = reserve(&reader->raw, &reader->raw_capacity, header->raw_bytes);
	if (error)
		return error;
	error = trace_decompress(&reader->decompressor, header->codec, reader->stored,
				 header->stored_bytes, reader->raw, header->raw_bytes);
	if (error == ERROR_DAMAGED)
		*fault = "compression of a block";
	payload->at = reader->raw;
	payload->end = reader->raw + header->raw_bytes;
	return error;
}

void trace_block_reader_release(struct trace_block_reader *reader)
{
	trace_decompressor_release(&reader->decompressor);
	free(reader->stored);
	free(reader->raw);
	*reader = (struct trace_block_reader){0};
}
