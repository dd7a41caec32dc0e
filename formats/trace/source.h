/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_TRACE_SOURCE_H
#define MALLOGRAPH_TRACE_SOURCE_H

/*
 * The bytes of a file by their offset, whether it is a regular file or a pipe.
 *
 * Regular files are read with pread(2), not mapped: another process may cut a
 * file that we are reading, and a map would turn that into SIGBUS. Their size
 * is a snapshot that only trace_source_refresh() changes. A pipe is read into
 * memory when it is opened, block by block, and no further than it looks like
 * a trace, so that an endless one that isn't does no harm.
 */

#include <stddef.h>
#include <stdint.h>

struct trace_source {
	int fd;         /* -1: all in memory */
	int rest;       /* a pipe that holds no trace: what follows the bytes in memory; or -1 */
	int close_fd;   /* fd or rest is ours */
	uint64_t size;  /* as last seen */
	uint8_t *bytes; /* of a pipe */
	size_t capacity;
};

/* Most bytes taken from a pipe. */
#define TRACE_PIPE_MAX (UINT64_C(16) << 30)

/* "-" is stdin. Errors: ERROR_SYSTEM, ERROR_DIRECTORY, ERROR_MEMORY,
 * ERROR_LIMIT. Release it on success only. */
int trace_source_open(struct trace_source *source, const char *path);
void trace_source_release(struct trace_source *source);

/* Copies `size` bytes. Errors: ERROR_CUT_OFF (there aren't so many),
 * ERROR_SYSTEM. */
int trace_source_read(struct trace_source *source, uint64_t offset, void *bytes, size_t size);

/* Whether (1) another open file description holds a write lock on byte 0. */
int trace_source_locked(const struct trace_source *source);
/* Looks at the size again; 1 when the file is larger than before. */
int trace_source_refresh(struct trace_source *source);

#endif
