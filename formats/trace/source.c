/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "formats/trace/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "formats/error.h"
#include "formats/trace/block.h"

/* Appends up to `count` bytes of the pipe; *got tells how many there were. */
static int pipe_append(struct trace_source *source, int fd, size_t count, size_t *got)
{
	*got = 0;
	if (count > source->capacity - source->size) {
		size_t capacity = source->capacity ? source->capacity * 2 : 1u << 16;
		uint8_t *grown;

		while (capacity - source->size < count)
			capacity *= 2;
		if (capacity > TRACE_PIPE_MAX)
			return ERROR_LIMIT;
		grown = realloc(source->bytes, capacity);
		if (!grown)
			return ERROR_MEMORY;
		source->bytes = grown;
		source->capacity = capacity;
	}
	while (*got < count) {
		ssize_t n = read(fd, source->bytes + source->size, count - *got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ERROR_SYSTEM;
		if (n == 0)
			break;
		source->size += (uint64_t)n;
		*got += (size_t)n;
	}
	return 0;
}

static int is_trace(const struct trace_source *source)
{
	return source->size >= TRACE_HEADER_BYTES &&
	       !memcmp(source->bytes, TRACE_MAGIC, TRACE_MAGIC_BYTES);
}

/* Takes whole blocks until END, and one byte more, which would be wrong. */
static int pipe_read(struct trace_source *source, int fd)
{
	struct trace_block_header header = {0};
	const char *fault;
	size_t got;
	int error = pipe_append(source, fd, TRACE_HEADER_BYTES, &got);

	if (error || !is_trace(source))
		return error;
	while (header.type != TRACE_BLOCK_END) {
		error = pipe_append(source, fd, TRACE_BLOCK_HEADER_BYTES, &got);
		if (error || got < TRACE_BLOCK_HEADER_BYTES)
			return error;
		if (trace_block_header_decode(&header, source->bytes + source->size - got, &fault))
			return 0;
		error = pipe_append(source, fd, header.stored_bytes, &got);
		if (error || got < header.stored_bytes)
			return error;
	}
	return pipe_append(source, fd, 1, &got);
}

int trace_source_open(struct trace_source *source, const char *path)
{
	struct stat st;
	int error = ERROR_SYSTEM;

	*source = (struct trace_source){.fd = STDIN_FILENO, .rest = -1};
	if (strcmp(path, "-") != 0) {
		source->fd = open(path, O_RDONLY | O_CLOEXEC);
		source->close_fd = 1;
	}
	if (source->fd < 0)
		return ERROR_SYSTEM;
	if (fstat(source->fd, &st))
		goto out;
	if (S_ISDIR(st.st_mode)) {
		error = ERROR_DIRECTORY;
		goto out;
	}
	if (S_ISREG(st.st_mode)) {
		source->size = (uint64_t)st.st_size;
		return 0;
	}
	error = pipe_read(source, source->fd);
	if (error)
		goto out;
	if (!is_trace(source))
		source->rest = source->fd;
	else if (source->close_fd)
		close(source->fd);
	source->fd = -1;
	return 0;
out:
	trace_source_release(source);
	return error;
}

void trace_source_release(struct trace_source *source)
{
	int saved = errno;

	if (source->close_fd && source->fd >= 0)
		close(source->fd);
	if (source->close_fd && source->rest >= 0)
		close(source->rest);
	free(source->bytes);
	*source = (struct trace_source){.fd = -1, .rest = -1};
	errno = saved;
}

int trace_source_read(struct trace_source *source, uint64_t offset, void *bytes, size_t size)
{
	size_t got = 0;

	if (offset > source->size || size > source->size - offset)
		return ERROR_CUT_OFF;
	if (source->fd < 0) {
		if (size)
			memcpy(bytes, source->bytes + offset, size);
		return 0;
	}
	while (got < size) {
		ssize_t n =
		    pread(source->fd, (char *)bytes + got, size - got, (off_t)(offset + got));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ERROR_SYSTEM;
		if (n == 0)
			return ERROR_CUT_OFF;
		got += (size_t)n;
	}
	return 0;
}

int trace_source_locked(const struct trace_source *source)
{
	/* Asking for a read lock, which needs no more than O_RDONLY, meets
	 * exactly the write locks of others. */
	struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};

	if (source->fd < 0 || fcntl(source->fd, F_OFD_GETLK, &lock))
		return 0;
	return lock.l_type != F_UNLCK;
}

int trace_source_refresh(struct trace_source *source)
{
	uint64_t before = source->size;
	struct stat st;

	if (source->fd < 0 || fstat(source->fd, &st))
		return 0;
	source->size = (uint64_t)st.st_size;
	return source->size > before;
}
