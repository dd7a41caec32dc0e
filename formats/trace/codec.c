/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "formats/trace/codec.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#ifndef HAVE_ZSTD
#define HAVE_ZSTD 1
#endif
#if HAVE_ZSTD
#include <zstd.h>
#endif

#include "formats/error.h"

int trace_codec_supported(enum trace_codec codec)
{
	return trace_codec_name(codec) != NULL && (HAVE_ZSTD || codec != TRACE_CODEC_ZSTD);
}

const char *trace_codec_name(unsigned codec)
{
	static const char *const names[] = {
	    [TRACE_CODEC_NONE] = "none",
	    [TRACE_CODEC_ZLIB] = "zlib",
	    [TRACE_CODEC_ZSTD] = "zstd",
	};

	return codec < sizeof(names) / sizeof(names[0]) ? names[codec] : NULL;
}

void trace_compressor_init(struct trace_compressor *compressor, enum trace_codec codec, int level)
{
	*compressor = (struct trace_compressor){.codec = codec, .level = level};
}

static int compress_zlib(struct trace_compressor *compressor, const uint8_t *raw, size_t raw_bytes,
			 uint8_t *out, size_t *stored)
{
	z_stream *stream = compressor->context;
	int result;

	if (!stream) {
		int level = compressor->level ? compressor->level : Z_DEFAULT_COMPRESSION;

		stream = calloc(1, sizeof(*stream));
		if (!stream)
			return ERROR_MEMORY;
		if (deflateInit(stream, level < -1 ? 1 : level > 9 ? 9 : level) != Z_OK) {
			free(stream);
			return ERROR_MEMORY;
		}
		compressor->context = stream;
	}
	deflateReset(stream);
	stream->next_in = (Bytef *)(uintptr_t)raw;
	stream->avail_in = (uInt)raw_bytes;
	stream->next_out = out;
	stream->avail_out = (uInt)raw_bytes - 1;
	result = deflate(stream, Z_FINISH);
	*stored = result == Z_STREAM_END ? stream->total_out : 0;
	return 0;
}

static int decompress_zlib(struct trace_decompressor *decompressor, const uint8_t *stored,
			   size_t stored_bytes, uint8_t *raw, size_t raw_bytes)
{
	z_stream *stream = decompressor->zlib;
	int result;

	if (!stream) {
		stream = calloc(1, sizeof(*stream));
		if (!stream)
			return ERROR_MEMORY;
		if (inflateInit(stream) != Z_OK) {
			free(stream);
			return ERROR_MEMORY;
		}
		decompressor->zlib = stream;
	}
	inflateReset(stream);
	stream->next_in = (Bytef *)(uintptr_t)stored;
	stream->avail_in = (uInt)stored_bytes;
	stream->next_out = raw;
	stream->avail_out = (uInt)raw_bytes;
	result = inflate(stream, Z_FINISH);
	if (result == Z_MEM_ERROR)
		return ERROR_MEMORY;
	if (result != Z_STREAM_END || stream->avail_in || stream->avail_out)
		return ERROR_DAMAGED;
	return 0;
}

#if !HAVE_ZSTD

static int compress_zstd(struct trace_compressor *compressor, const uint8_t *raw, size_t raw_bytes,
			 uint8_t *out, size_t *stored)
{
	(void)compressor, (void)raw, (void)raw_bytes, (void)out, (void)stored;
	return ERROR_UNSUPPORTED;
}

static int decompress_zstd(struct trace_decompressor *decompressor, const uint8_t *stored,
			   size_t stored_bytes, uint8_t *raw, size_t raw_bytes)
{
	(void)decompressor, (void)stored, (void)stored_bytes, (void)raw, (void)raw_bytes;
	return ERROR_UNSUPPORTED;
}

static void release_zstd(void *compress, void *decompress)
{
	(void)compress, (void)decompress;
}

#else

static int compress_zstd(struct trace_compressor *compressor, const uint8_t *raw, size_t raw_bytes,
			 uint8_t *out, size_t *stored)
{
	size_t result;

	if (!compressor->context) {
		compressor->context = ZSTD_createCCtx();
		if (!compressor->context)
			return ERROR_MEMORY;
		ZSTD_CCtx_setParameter(compressor->context, ZSTD_c_compressionLevel,
				       compressor->level);
	}
	result = ZSTD_compress2(compressor->context, out, raw_bytes - 1, raw, raw_bytes);
	*stored = ZSTD_isError(result) ? 0 : result;
	return 0;
}

static int decompress_zstd(struct trace_decompressor *decompressor, const uint8_t *stored,
			   size_t stored_bytes, uint8_t *raw, size_t raw_bytes)
{
	if (!decompressor->zstd) {
		decompressor->zstd = ZSTD_createDCtx();
		if (!decompressor->zstd)
			return ERROR_MEMORY;
	}
	/* ZSTD_decompressDCtx() takes several frames, the format has one. */
	if (ZSTD_findFrameCompressedSize(stored, stored_bytes) != stored_bytes)
		return ERROR_DAMAGED;
	if (ZSTD_decompressDCtx(decompressor->zstd, raw, raw_bytes, stored, stored_bytes) !=
	    raw_bytes)
		return ERROR_DAMAGED;
	return 0;
}

static void release_zstd(void *compress, void *decompress)
{
	ZSTD_freeCCtx(compress);
	ZSTD_freeDCtx(decompress);
}

#endif

void trace_compressor_release(struct trace_compressor *compressor)
{
	if (compressor->context && compressor->codec == TRACE_CODEC_ZLIB) {
		deflateEnd(compressor->context);
		free(compressor->context);
	} else if (compressor->context) {
		release_zstd(compressor->context, NULL);
	}
	compressor->context = NULL;
}

int trace_compress(struct trace_compressor *compressor, const uint8_t *raw, size_t raw_bytes,
		   uint8_t *out, size_t *stored)
{
	*stored = 0;
	if (!trace_codec_supported(compressor->codec))
		return ERROR_UNSUPPORTED;
	if (compressor->codec == TRACE_CODEC_NONE || raw_bytes < 2)
		return 0;
	if (compressor->codec == TRACE_CODEC_ZLIB)
		return compress_zlib(compressor, raw, raw_bytes, out, stored);
	return compress_zstd(compressor, raw, raw_bytes, out, stored);
}

void trace_decompressor_release(struct trace_decompressor *decompressor)
{
	if (decompressor->zlib) {
		inflateEnd(decompressor->zlib);
		free(decompressor->zlib);
	}
	release_zstd(NULL, decompressor->zstd);
	*decompressor = (struct trace_decompressor){0};
}

int trace_decompress(struct trace_decompressor *decompressor, unsigned codec, const uint8_t *stored,
		     size_t stored_bytes, uint8_t *raw, size_t raw_bytes)
{
	switch (codec) {
	case TRACE_CODEC_NONE:
		if (stored_bytes != raw_bytes)
			return ERROR_DAMAGED;
		if (raw_bytes)
			memcpy(raw, stored, raw_bytes);
		return 0;
	case TRACE_CODEC_ZLIB:
		return decompress_zlib(decompressor, stored, stored_bytes, raw, raw_bytes);
	case TRACE_CODEC_ZSTD:
		return decompress_zstd(decompressor, stored, stored_bytes, raw, raw_bytes);
	default:
		return ERROR_NEWER;
	}
}
