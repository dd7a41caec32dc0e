/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_HEAPTRACK_INPUT_H
#define MALLOGRAPH_HEAPTRACK_INPUT_H

/*
 * The text of a heaptrack file: gzip, zstd or plain, told by its first bytes.
 * Several gzip members or zstd frames in a row are one text. Nothing but a
 * fixed buffer is held, whatever the file unpacks to. Not thread-safe.
 */

#include <stddef.h>
#include <stdint.h>

#include "formats/trace/source.h"

struct heaptrack_input {
	struct trace_source source;
	uint64_t offset; /* of the next byte that the file gives */
	unsigned char *bytes;
	size_t at, count;  /* those of bytes that are not unpacked yet */
	int ended;         /* the file has no more */
	int inside;        /* of a gzip member or zstd frame */
	int error;         /* that stopped the unpacking */
	void *zlib, *zstd; /* the one that unpacks; NULL both: plain */
};

/* Takes the source over, on errors too; release in both cases. Errors: ERROR_SYSTEM,
 * ERROR_MEMORY, ERROR_UNSUPPORTED (zstd, in a build without). */
int heaptrack_input_init(struct heaptrack_input *input, struct trace_source *source);
void heaptrack_input_release(struct heaptrack_input *input);

/* Whether a file that begins so may be one. */
int heaptrack_input_is_known(const void *bytes, size_t size);

/* Up to `room` bytes of text; *got is 0 at the end. Errors, all of which come behind the last
 * byte that could be had: ERROR_CUT_OFF (ends within compressed data), ERROR_DAMAGED (not
 * what the compressor wrote), ERROR_SYSTEM, ERROR_MEMORY. */
int heaptrack_input_read(struct heaptrack_input *input, char *text, size_t room, size_t *got);

#endif
