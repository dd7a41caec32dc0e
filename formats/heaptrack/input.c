/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "formats/heaptrack/input.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#ifndef HAVE_ZSTD
#define HAVE_ZSTD 1
#endif
#if HAVE_ZSTD
#include <zstd.h>
#endif

#include "formats/error.h"

enum { INPUT_BYTES = 1 << 17, GZIP_WINDOW = 15 + 16 };

static const unsigned char gzip_magic[] = {0x1f, 0x8b};
static const unsigned char zstd_magic[] = {0x28, 0xb5, 0x2f, 0xfd};

/* --- bytes of the file ----------------------------------------------------- */

/* What a pipe gave when its kind was looked at comes first, then the rest of it. */
static int read_pipe(struct heaptrack_input *input, size_t room, size_t *got)
{
	struct trace_source *source = &input->source;
	ssize_t count;

	if (input->offset < source->size) {
		*got = (size_t)(source->size - input->offset);
		*got = *got < room ? *got : room;
		return trace_source_read(source, input->offset, input->bytes + input->count, *got);
	}
	do
		count = read(source->rest, input->bytes + input->count, room);
	while (count < 0 && errno == EINTR);
	*got = count > 0 ? (size_t)count : 0;
	return count < 0 ? ERROR_SYSTEM : 0;
}

static int read_file(struct heaptrack_input *input, size_t room, size_t *got)
{
	uint64_t left = input->source.size - input->offset;

	*got = left < room ? (size_t)left : room;
	return trace_source_read(&input->source, input->offset, input->bytes + input->count, *got);
}

/* Sets input->ended when there is nothing more. */
static int fill(struct heaptrack_input *input)
{
	size_t got;
	int error;

	if (input->at == input->count)
		input->at = input->count = 0;
	if (input->count == INPUT_BYTES)
		return 0;
	error = input->source.fd < 0 ? read_pipe(input, INPUT_BYTES - input->count, &got)
				     : read_file(input, INPUT_BYTES - input->count, &got);
	/* a file that shrinks while it is read ends where it now ends */
	if (error && error != ERROR_CUT_OFF)
		return error;
	if (error || got == 0)
		input->ended = 1;
	else
		input->count += got;
	if (!error)
		input->offset += got;
	return 0;
}

/* --- unpacking --------------------------------------------------------------- */

static int begin_gzip(struct heaptrack_input *input)
{
	z_stream *stream = calloc(1, sizeof(*stream));

	if (!stream)
		return ERROR_MEMORY;
	if (inflateInit2(stream, GZIP_WINDOW) != Z_OK) {
		free(stream);
		return ERROR_MEMORY;
	}
	input->zlib = stream;
	return 0;
}

static int unpack_gzip(struct heaptrack_input *input, char *text, size_t room, size_t *got)
{
	z_stream *stream = input->zlib;
	int result;

	stream->next_in = input->bytes + input->at;
	stream->avail_in = (uInt)(input->count - input->at);
	stream->next_out = (Bytef *)text;
	stream->avail_out = (uInt)room;
	result = inflate(stream, Z_NO_FLUSH);
	*got = room - stream->avail_out;
	input->at = input->count - stream->avail_in;
	input->inside = result != Z_STREAM_END;
	if (result == Z_STREAM_END)
		inflateReset(stream);
	if (result == Z_MEM_ERROR)
		return ERROR_MEMORY;
	return result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR ? 0
										 : ERROR_DAMAGED;
}

#if HAVE_ZSTD

static int begin_zstd(struct heaptrack_input *input)
{
	input->zstd = ZSTD_createDStream();
	return input->zstd ? 0 : ERROR_MEMORY;
}

static int unpack_zstd(struct heaptrack_input *input, char *text, size_t room, size_t *got)
{
	ZSTD_inBuffer in = {input->bytes, input->count, input->at};
	ZSTD_outBuffer out = {text, room, 0};
	size_t result = ZSTD_decompressStream(input->zstd, &out, &in);

	*got = out.pos;
	input->at = in.pos;
	input->inside = result != 0;
	return ZSTD_isError(result) ? ERROR_DAMAGED : 0;
}

static void end_zstd(struct heaptrack_input *input)
{
	ZSTD_freeDStream(input->zstd);
}

#else

static int begin_zstd(struct heaptrack_input *input)
{
	(void)input;
	return ERROR_UNSUPPORTED;
}

static int unpack_zstd(struct heaptrack_input *input, char *text, size_t room, size_t *got)
{
	(void)input, (void)text, (void)room;
	*got = 0;
	return ERROR_UNSUPPORTED;
}

static void end_zstd(struct heaptrack_input *input)
{
	(void)input;
}

#endif

static int unpack(struct heaptrack_input *input, char *text, size_t room, size_t *got)
{
	if (input->zlib)
		return unpack_gzip(input, text, room, got);
	if (input->zstd)
		return unpack_zstd(input, text, room, got);
	*got = input->count - input->at < room ? input->count - input->at : room;
	memcpy(text, input->bytes + input->at, *got);
	input->at += *got;
	return 0;
}

static int begins_with(const struct heaptrack_input *input, const unsigned char *magic, size_t size)
{
	return input->count >= size && !memcmp(input->bytes, magic, size);
}

static int begins(const void *bytes, size_t size, const void *magic, size_t magic_bytes)
{
	return !memcmp(bytes, magic, size < magic_bytes ? size : magic_bytes);
}

int heaptrack_input_is_known(const void *bytes, size_t size)
{
	return begins(bytes, size, gzip_magic, sizeof(gzip_magic)) ||
	       begins(bytes, size, zstd_magic, sizeof(zstd_magic)) || begins(bytes, size, "v ", 2);
}

int heaptrack_input_init(struct heaptrack_input *input, struct trace_source *source)
{
	int error = 0;

	*input = (struct heaptrack_input){.source = *source};
	*source = (struct trace_source){.fd = -1, .rest = -1};
	input->bytes = malloc(INPUT_BYTES);
	if (!input->bytes)
		return ERROR_MEMORY;
	while (!error && !input->ended && input->count < sizeof(zstd_magic))
		error = fill(input);
	if (error)
		return error;
	if (begins_with(input, gzip_magic, sizeof(gzip_magic)))
		return begin_gzip(input);
	if (begins_with(input, zstd_magic, sizeof(zstd_magic)))
		return begin_zstd(input);
	return 0;
}

void heaptrack_input_release(struct heaptrack_input *input)
{
	if (input->zlib)
		inflateEnd(input->zlib);
	free(input->zlib);
	if (input->zstd)
		end_zstd(input);
	free(input->bytes);
	trace_source_release(&input->source);
	*input = (struct heaptrack_input){.source = {.fd = -1, .rest = -1}};
}

int heaptrack_input_read(struct heaptrack_input *input, char *text, size_t room, size_t *got)
{
	*got = 0;
	while (!input->error) {
		int was_empty = input->at == input->count;

		/* unpackers may hold text back even without new input */
		if (!was_empty || input->inside)
			input->error = unpack(input, text, room, got);
		if (*got)
			return 0;
		if (!input->error && was_empty && input->ended) {
			if (!input->inside)
				return 0;
			input->error = ERROR_CUT_OFF;
		}
		if (!input->error && input->at == input->count)
			input->error = fill(input);
	}
	return input->error;
}
