/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "analyzer/model/health.h"
#include "cli/message.h"
#include "cli/newest.h"
#include "formats/error.h"
#include "formats/trace/layout.h"

/* "print <x.mlg": what was meant, whatever else is here. */
static int is_trace_on_stdin(void)
{
	char magic[TRACE_MAGIC_BYTES];

	return pread(STDIN_FILENO, magic, sizeof(magic), 0) == (ssize_t)sizeof(magic) &&
	       !memcmp(magic, TRACE_MAGIC, sizeof(magic));
}

int input_choose(const char *command, const char *option, int argc, char **argv, char *newest,
		 const char **path)
{
	const char *first = option ? option : argc > 1 ? argv[1] : NULL;
	const char *second = option && argc > 1 ? argv[1] : argc > 2 ? argv[2] : NULL;
	enum newest found;

	if (second)
		return message_usage("%s: reads one trace, and '%s' is the second; to see what "
				     "changed type mallograph print -d %s %s",
				     command, second, first, second);
	*path = first;
	if (first)
		return -1;
	if (is_trace_on_stdin())
		return message_usage(
		    "%s: standard input is a trace: to read it type mallograph %s -", command,
		    command);
	found = newest_find(newest);
	if (found == NEWEST_NONE)
		return message_usage(
		    "%s: name a trace, or - for standard input: there is no " NEWEST_PATTERN
		    " here",
		    command);
	message("reading %s, %s here", newest,
		found == NEWEST_TRACE ? "the newest trace" : "the first process of the newest run");
	*path = newest;
	return -1;
}

const char *input_name(const char *path)
{
	return strcmp(path, "-") ? path : "standard input";
}

static int temporary_file(const char *folder)
{
	char name[4096];
	int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0)
		return fd;
	/* not every file system has nameless files */
	if (snprintf(name, sizeof(name), "%s/mallograph-XXXXXX", folder) >= (int)sizeof(name)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = mkostemp(name, O_CLOEXEC);
	if (fd >= 0)
		unlink(name);
	return fd;
}

enum copied { COPIED, NOT_READ, NOT_WRITTEN, FOREIGN, ENDLESS };

static int write_all(int to, const char *bytes, size_t count)
{
	while (count) {
		ssize_t put = write(to, bytes, count);

		if (put < 0 && errno != EINTR)
			return -1;
		if (put > 0) {
			bytes += put;
			count -= (size_t)put;
		}
	}
	return 0;
}

/* Where it says so, errno has the reason. What never ends is given up: at its first bytes, where
 * it is no trace of any kind, or when it has taken half of what the folder had left. */
static enum copied copy_all(int to, int from)
{
	char bytes[65536];
	uint64_t copied = 0, most = UINT64_MAX;
	struct statvfs disk;
	size_t held = 0;

	if (fstatvfs(to, &disk) == 0)
		most = (uint64_t)disk.f_bavail * disk.f_frsize / 2;
	for (;;) {
		ssize_t got = read(from, bytes + held, sizeof(bytes) - held);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return NOT_READ;
		held += (size_t)got;
		if (got && held < TRACE_HEADER_BYTES && !copied)
			continue;
		if (held && !copied && !profile_is_known(bytes, held))
			return FOREIGN;
		if (held > most - copied)
			return ENDLESS;
		if (write_all(to, bytes, held))
			return NOT_WRITTEN;
		if (!got)
			return COPIED;
		copied += held;
		held = 0;
	}
}

static int copy_to_folder(int from, const char *name, char *path, size_t size)
{
	const char *folder = getenv("TMPDIR");
	enum copied copied = NOT_WRITTEN;
	int fd;

	if (!folder || !*folder)
		folder = "/tmp";
	fd = temporary_file(folder);
	if (fd >= 0)
		copied = copy_all(fd, from);
	if (copied != COPIED) {
		const char *why = strerror(errno);

		if (fd >= 0)
			close(fd);
		return copied == FOREIGN ? message_trace_error(name, ERROR_FOREIGN)
		       : copied == ENDLESS
			   ? message_failed("%s: it does not end, or is more than half of what "
					    "is free in '%s': write it to a file, or set TMPDIR to "
					    "another directory",
					    name, folder)
		       : copied == NOT_READ ? message_failed("%s: %s", name, why)
					    : message_failed("%s: it cannot be kept in '%s': %s: "
							     "set TMPDIR to another directory",
							     name, folder, why);
	}
	/* fd stays open as long as the process lives: the file is nowhere else */
	snprintf(path, size, "/proc/self/fd/%d", fd);
	return -1;
}

/* Standard input that is a whole file is read in place: then it shows, too, whether the
 * file is still being written. Not every file that is open may be opened again. */
static int opens_again(char *path, size_t size)
{
	struct stat status;
	int fd;

	if (fstat(STDIN_FILENO, &status) || !S_ISREG(status.st_mode) ||
	    lseek(STDIN_FILENO, 0, SEEK_CUR) != 0)
		return 0;
	snprintf(path, size, "/proc/self/fd/%d", STDIN_FILENO);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/*
 * A pipe can be read only once, and some figures need the events again: so
 * standard input, and what else is one, is copied to a file without a name, which is
 * gone with this process. Returns -1 with *file set, or the exit status after a
 * message. spooled is room for its path.
 */
static int spool(const char *path, const char **file, char *spooled, size_t size)
{
	struct stat status;
	int from, result;

	*file = path;
	if (!strcmp(path, "-")) {
		*file = spooled;
		if (opens_again(spooled, size))
			return -1;
		return copy_to_folder(STDIN_FILENO, input_name(path), spooled, size);
	}
	if (stat(path, &status) || !S_ISFIFO(status.st_mode))
		return -1;
	from = open(path, O_RDONLY | O_CLOEXEC);
	if (from < 0)
		return message_failed("%s: %s", path, strerror(errno));
	*file = spooled;
	result = copy_to_folder(from, path, spooled, size);
	close(from);
	return result;
}

int input_load(struct profile **profile, const char *path)
{
	char state[256], spooled[64];
	const char *file;
	int error, status = spool(path, &file, spooled, sizeof(spooled));

	*profile = NULL;
	if (status >= 0)
		return status;
	error = profile_load(profile, file);
	if (error) {
		*profile = NULL;
		return message_trace_error(path, error);
	}
	if (health_state_text(*profile, state, sizeof(state)))
		message("%s: %s", input_name(path), state);
	return (*profile)->state == TRACE_CUT || (*profile)->state == TRACE_DAMAGED ? STATUS_FAILED
										    : STATUS_OK;
}
