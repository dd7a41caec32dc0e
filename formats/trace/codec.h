/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_TRACE_CODEC_H
#define MALLOGRAPH_TRACE_CODEC_H

/*
 * Compression of block payloads: nothing, zlib, zstd. A build with
 * -DHAVE_ZSTD=0 has no zstd.
 *
 * The state of a codec is kept from block to block, because making one costs
 * more than compressing a small block does. Not thread-safe.
 */

#include <stddef.h>
#include <stdint.h>

#include "formats/trace/layout.h"

/* 1 when this build can write and read it. */
int trace_codec_supported(enum trace_codec codec);
/* "none", "zlib", "zstd"; NULL for any other number. */
const char *trace_codec_name(unsigned codec);

struct trace_compressor {
	enum trace_codec codec;
	int level;     /* the codec's own, 0: its default */
	void *context; /* NULL until first used */
};

void trace_compressor_init(struct trace_compressor *compressor, enum trace_codec codec, int level);
void trace_compressor_release(struct trace_compressor *compressor);

/* Compresses raw into fewer than raw_bytes bytes at out, which has room for
 * raw_bytes. *stored is how many, 0 when they would not be fewer: store the
 * payload as it is then. Errors: ERROR_MEMORY, ERROR_UNSUPPORTED. */
int trace_compress(struct trace_compressor *compressor, const uint8_t *raw, size_t raw_bytes,
		   uint8_t *out, size_t *stored);

struct trace_decompressor {
	void *zlib, *zstd; /* NULL until first used */
};

void trace_decompressor_release(struct trace_decompressor *decompressor);

/* Decompresses to exactly raw_bytes bytes, from all of the stored ones.
 * Errors: ERROR_MEMORY, ERROR_UNSUPPORTED (known, but not in this build),
 * ERROR_NEWER (an unknown codec), ERROR_DAMAGED (any other outcome). */
int trace_decompress(struct trace_decompressor *decompressor, unsigned codec, const uint8_t *stored,
		     size_t stored_bytes, uint8_t *raw, size_t raw_bytes);

#endif
