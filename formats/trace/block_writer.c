/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include "formats/trace/block.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
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

int trace_block_is_full(int number)
{
	return number == ENOSPC || number == EDQUOT || number == EFBIG;
}

static uint64_t below_limit(uint64_t size)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
		return UINT64_MAX;
	return size < limit.rlim_cur ? limit.rlim_cur - size : 0;
}

uint64_t trace_block_free(const struct trace_block_writer *writer, int *number)
{
	uint64_t limit = below_limit(writer->size), room;
	struct statvfs disk;

	*number = EFBIG;
	/* What is no file system of a size has no blocks. */
	if (fstatvfs(writer->fd, &disk) != 0 || disk.f_blocks == 0)
		return limit;
	room = (uint64_t)disk.f_bavail * disk.f_frsize;
	if (writer->promised > writer->size)
		room += writer->promised - writer->size;
	if (room >= limit)
		return limit;
	*number = ENOSPC;
	return room;
}

int trace_block_promise(struct trace_block_writer *writer, uint64_t bytes)
{
	int result;

	if (below_limit(writer->size) < bytes)
		return EFBIG;
	if (writer->no_promises)
		return 0;
	/* The size that readers see stays. */
	do {
		result =
		    fallocate(writer->fd, FALLOC_FL_KEEP_SIZE, (off_t)writer->size, (off_t)bytes);
	} while (result != 0 && errno == EINTR);
	if (result == 0) {
		writer->promised = writer->size + bytes;
		return 0;
	}
	if (trace_block_is_full(errno))
		return errno;
	writer->no_promises = 1;
	return 0;
}

void trace_block_settle(struct trace_block_writer *writer)
{
	if (!writer->promised)
		return;
	while (ftruncate(writer->fd, (off_t)writer->size) != 0 && errno == EINTR)
		;
	writer->promised = 0;
}

/* Nothing but whole blocks stays in the file; in a pipe, what was written. */
static void cut_off(struct trace_block_writer *writer)
{
	if (lseek(writer->fd, (off_t)writer->size, SEEK_SET) < 0)
		return;
	while (ftruncate(writer->fd, (off_t)writer->size) != 0 && errno == EINTR)
		;
	writer->promised = 0;
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
			cut_off(writer);
			errno = writer->system_errno;
			return ERROR_SYSTEM;
		}
		written += (size_t)n;
	}
	writer->size += size;
	return 0;
}

/* Grows with the payloads: most traces of short programs never see a large one. */
int trace_block_reserve(struct trace_block_writer *writer, size_t payload_bytes)
{
	size_t capacity = writer->capacity ? writer->capacity : 1u << 12;
	size_t bytes = TRACE_BLOCK_HEADER_BYTES + payload_bytes;
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

int trace_block_encode(struct trace_block_writer *writer, enum trace_block_type type,
		       unsigned flags, uint64_t first_tick, const uint8_t *payload, size_t bytes,
		       size_t *size)
{
	struct trace_block_header header = {
	    .type = type,
	    .codec = writer->compressor.codec,
	    .flags = flags,
	    .raw_bytes = (uint32_t)bytes,
	    .first_tick = first_tick,
	};
	size_t stored = 0;
	uint8_t *out;
	int error = trace_block_reserve(writer, bytes);

	if (error)
		return error;
	out = writer->buffer + TRACE_BLOCK_HEADER_BYTES;
	if (!writer->plain)
		error = trace_compress(&writer->compressor, payload, bytes, out, &stored);
	if (error && error != ERROR_MEMORY)
		return error;
	/* Larger, but written. */
	if (error || !stored) {
		header.codec = TRACE_CODEC_NONE;
		stored = bytes;
		if (bytes)
			memcpy(out, payload, bytes);
	}
	header.stored_bytes = (uint32_t)stored;
	header.checksum = (uint32_t)crc32(0, out, (uInt)stored);
	trace_block_header_encode(writer->buffer, &header);
	*size = TRACE_BLOCK_HEADER_BYTES + stored;
	return 0;
}

int trace_block_write(struct trace_block_writer *writer, enum trace_block_type type, unsigned flags,
		      uint64_t first_tick, const uint8_t *payload, size_t bytes)
{
	size_t size;
	int error = trace_block_encode(writer, type, flags, first_tick, payload, bytes, &size);

	return error ? error : trace_block_write_raw(writer, writer->buffer, size);
}

void trace_block_writer_release(struct trace_block_writer *writer)
{
	trace_compressor_release(&writer->compressor);
	free(writer->buffer);
	writer->buffer = NULL;
	writer->capacity = 0;
}
