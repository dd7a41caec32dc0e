/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "formats/trace/block.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

void trace_block_header_encode(uint8_t out[TRACE_BLOCK_HEADER_BYTES],
			       const struct trace_block_header *header)
{
	uint8_t *at = out;

	memcpy(at, TRACE_BLOCK_MAGIC, 4);
	at += 4;
	*at++ = (uint8_t)header->type;
	*at++ = (uint8_t)header->codec;
	at = trace_put_u16(at, (uint16_t)header->flags);
	at = trace_put_u32(at, header->stored_bytes);
	at = trace_put_u32(at, header->raw_bytes);
	at = trace_put_u64(at, header->first_tick);
	at = trace_put_u32(at, header->checksum);
	trace_put_u32(at, (uint32_t)crc32(0, out, TRACE_BLOCK_HEADER_BYTES - 4));
}

int trace_block_write_raw(struct trace_block_writer *writer, const void *bytes, size_t size)
{
	size_t written = 0;

	while (written < size) {
		ssize_t n = write(writer->fd, (const char *)bytes + written, size - written);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			writer->system_errno = n < 0 ? errno : ENOSPC;
			errno = writer->system_errno;
			return ERROR_SYSTEM;
		}
		written += (size_t)n;
	}
	writer->size += size;
	return 0;
}

/* Grows with the payloads: most traces of short programs never see a large one. */
static int reserve(struct trace_block_writer *writer, size_t bytes)
{
	size_t capacity = writer->capacity ? writer->capacity : 1u << 12;
	uint8_t *buffer;

	if (bytes <= writer->capacity)
		return 0;
	while (capacity < bytes)
		capacity *= 2;
	buffer = malloc(capacity);
	if (!buffer)
		return ERROR_MEMORY;
	free(writer->buffer);
	writer->buffer = buffer;
	writer->capacity = capacity;
	return 0;
}

int trace_block_write(struct trace_block_writer *writer, enum trace_block_type type, unsigned flags,
		      uint64_t first_tick, const uint8_t *payload, size_t bytes)
{
	struct trace_block_header header = {
	    .type = type,
	    .codec = writer->compressor.codec,
	    .flags = flags,
	    .raw_bytes = (uint32_t)bytes,
	    .first_tick = first_tick,
	};
	size_t stored;
	uint8_t *out;
	int error = reserve(writer, TRACE_BLOCK_HEADER_BYTES + bytes);

	if (error)
		return error;
	out = writer->buffer + TRACE_BLOCK_HEADER_BYTES;
	error = trace_compress(&writer->compressor, payload, bytes, out, &stored);
	if (error)
		return error;
	if (!stored) {
		header.codec = TRACE_CODEC_NONE;
		stored = bytes;
		if (bytes)
			memcpy(out, payload, bytes);
	}
	header.stored_bytes = (uint32_t)stored;
	header.checksum = (uint32_t)crc32(0, out, (uInt)stored);
	trace_block_header_encode(writer->buffer, &header);
	return trace_block_write_raw(writer, writer->buffer, TRACE_BLOCK_HEADER_BYTES + stored);
}

void trace_block_writer_release(struct trace_block_writer *writer)
{
	trace_compressor_release(&writer->compressor);
	free(writer->buffer);
	writer->buffer = NULL;
	writer->capacity = 0;
}
