/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_TRACE_BLOCK_H
#define MALLOGRAPH_TRACE_BLOCK_H

/*
 * Blocks: framing, checksums, compression. What payloads mean is not known
 * here. The box of the header is in layout.h.
 *
 * Where a function takes `const char **fault`, it sets it, on ERROR_DAMAGED
 * only, to a few words for what is wrong.
 */

#include <stddef.h>
#include <stdint.h>

#include "formats/trace/bytes.h"
#include "formats/trace/codec.h"
#include "formats/trace/layout.h"
#include "formats/trace/source.h"

#define TRACE_FLAGS_REFUSE                                                                         \
	0xff00u /* flags whose meaning a reader must know; this one knows none                     \
		 */

struct trace_block_header {
	unsigned type; /* enum trace_block_type, or one from a newer version */
	unsigned codec;
	unsigned flags;
	uint32_t stored_bytes, raw_bytes;
	uint64_t first_tick;
	uint32_t checksum; /* of the stored payload */
};

void trace_block_header_encode(uint8_t out[TRACE_BLOCK_HEADER_BYTES],
			       const struct trace_block_header *header);

/* Checks magic, checksum, flags and limits, in this order. Errors:
 * ERROR_DAMAGED, ERROR_NEWER (flags). */
int trace_block_header_decode(struct trace_block_header *header,
			      const uint8_t bytes[TRACE_BLOCK_HEADER_BYTES], const char **fault);

/* Writes blocks to a descriptor. Invariant: `size` counts whole blocks only. */
struct trace_block_writer {
	int fd;
	int system_errno; /* of the write that failed */
	struct trace_compressor compressor;
	int plain;       /* what is encoded now is not to be compressed */
	uint8_t *buffer; /* header and stored payload, for one write(2) */
	size_t capacity;
	uint64_t size;
	uint64_t promised; /* room behind the end was asked for up to here; 0: not */
	int no_promises;   /* the file system makes none */
};

/* Encoding a payload of at most so many bytes needs no memory from then on. 0 or
 * ERROR_MEMORY. */
int trace_block_reserve(struct trace_block_writer *writer, size_t payload_bytes);
/* Compresses one block; payload is at most TRACE_BLOCK_MAX bytes. The block, *size
 * bytes, is in writer->buffer then. Errors: ERROR_MEMORY, ERROR_UNSUPPORTED. */
int trace_block_encode(struct trace_block_writer *writer, enum trace_block_type type,
		       unsigned flags, uint64_t first_tick, const uint8_t *payload, size_t bytes,
		       size_t *size);
/* The same, and writes it. ERROR_SYSTEM, too. */
int trace_block_write(struct trace_block_writer *writer, enum trace_block_type type, unsigned flags,
		      uint64_t first_tick, const uint8_t *payload, size_t bytes);
/* Writes bytes as they are: ERROR_SYSTEM. What broke off is cut off the file. */
int trace_block_write_raw(struct trace_block_writer *writer, const void *bytes, size_t size);
/* Whether the disk, quota or limit of file size has room for so many bytes more, which are
 * then kept for this file. Returns 0 where it has or nobody knows, otherwise an errno. */
int trace_block_promise(struct trace_block_writer *writer, uint64_t bytes);
/* How many bytes more there is room for, as far as known, and the errno of having none. */
uint64_t trace_block_free(const struct trace_block_writer *writer, int *number);
/* Gives back what was kept and not used. */
void trace_block_settle(struct trace_block_writer *writer);
/* Whether an errno means that there is no room. */
int trace_block_is_full(int number);
void trace_block_writer_release(struct trace_block_writer *writer);

/* Reads the payloads of blocks into buffers that are used again and again. */
struct trace_block_reader {
	struct trace_decompressor decompressor;
	uint8_t *stored, *raw;
	size_t stored_capacity, raw_capacity;
};

/* The header of the block at offset. 0 says that its payload lies within the
 * file as well. Errors: ERROR_CUT_OFF (the file ends before the block does),
 * ERROR_DAMAGED, ERROR_NEWER, ERROR_SYSTEM. */
int trace_block_find(struct trace_source *source, uint64_t offset,
		     struct trace_block_header *header, const char **fault);

/* The payload of a found block, checked and decompressed, with a byte behind it that may be
 * read (its value says nothing); it stays valid until the next call. Errors: as before,
 * ERROR_MEMORY, ERROR_UNSUPPORTED. */
int trace_block_payload(struct trace_block_reader *reader, struct trace_source *source,
			uint64_t offset, const struct trace_block_header *header,
			struct trace_cursor *payload, const char **fault);
void trace_block_reader_release(struct trace_block_reader *reader);

#endif
