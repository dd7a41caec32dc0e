/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include "libcollect/recorder/output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "formats/error.h"

#define DEFAULT_PATTERN "mallograph.%n.%p.mlg"
#define SUFFIX          ".mlg"

enum { NAMES_MOST = 100000 };

const char *base_name(const char *path)
{
	const char *slash = path != NULL ? strrchr(path, '/') : NULL;
	const char *name = slash != NULL ? slash + 1 : path;

	return name != NULL && name[0] != '\0' ? name : "unknown";
}

const char *output_unknown_field(const char *pattern)
{
	for (const char *at = pattern; (at = strchr(at, '%')) != NULL; at += 2)
		if (at[1] == '\0' || strchr("pnh%", at[1]) == NULL)
			return at;
	return NULL;
}

/* %p %n %h %% */
static char *expand(const char *pattern, const char *program, pid_t pid)
{
	char host[HOST_NAME_MAX + 1] = "", *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);

	if (stream == NULL)
		return NULL;
	gethostname(host, sizeof(host) - 1);
	for (const char *at = pattern; *at != '\0'; at++) {
		if (at[0] == '%' && at[1] == 'p')
			fprintf(stream, "%d", (int)pid);
		else if (at[0] == '%' && at[1] == 'n')
			fputs(program, stream);
		else if (at[0] == '%' && at[1] == 'h')
			fputs(host, stream);
		else if (at[0] == '%' && at[1] == '%')
			fputc('%', stream);
		else {
			fputc(*at, stream);
			continue;
		}
		at++;
	}
	if (fclose(stream) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

/* The n-th choice for a name: N.mlg, N.2.mlg, N.3.mlg ... */
static char *choice(const char *name, unsigned n)
{
	size_t length = strlen(name), suffix = strlen(SUFFIX);
	char *text = NULL;
	int error;

	if (n == 1)
		return strdup(name);
	if (length > suffix && strcmp(name + length - suffix, SUFFIX) == 0)
		error = asprintf(&text, "%.*s.%u" SUFFIX, (int)(length - suffix), name, n);
	else
		error = asprintf(&text, "%s.%u", name, n);
	return error < 0 ? NULL : text;
}

static int is_taken(const struct output_names *names, const char *name)
{
	for (size_t i = 0; i < names->count; i++)
		if (strcmp(names->names[i], name) == 0)
			return 1;
	return 0;
}

static int note_taken(struct output_names *names, const char *name)
{
	if (names->count == names->room) {
		size_t room = names->room != 0 ? names->room * 2 : 16;
		char **more = realloc(names->names, room * sizeof(*more));

		if (more == NULL)
			return ERROR_MEMORY;
		names->names = more;
		names->room = room;
	}
	names->names[names->count] = strdup(name);
	if (names->names[names->count] == NULL)
		return ERROR_MEMORY;
	names->count++;
	return 0;
}

void output_names_release(struct output_names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->names[i]);
	free(names->names);
	*names = (struct output_names){0};
}

/* Whether a file is the one that lies at a path. */
static int lies_at(int fd, const char *path)
{
	struct stat ours, there;

	return fstat(fd, &ours) == 0 && lstat(path, &there) == 0 && ours.st_dev == there.st_dev &&
	       ours.st_ino == there.st_ino;
}

/* Whether another has the lock of a recorder. What locks can't be had for is nobody's. */
static int is_refused(int fd, short type)
{
	struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};

	return fcntl(fd, F_OFD_SETLK, &lock) != 0 && (errno == EAGAIN || errno == EACCES);
}

/* Removes what lies there. Who removes a file has its lock, as who writes it has: two recorders
 * that begin at one time don't remove each other's. -1 with errno, which is EBUSY when another
 * recorder is at it. */
static int make_way(const char *path)
{
	const int flags = O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY;
	struct stat status;
	int fd = -1, error = EBUSY;

	if (lstat(path, &status) != 0)
		return errno == ENOENT ? 0 : -1;
	if (S_ISREG(status.st_mode)) {
		short type = F_WRLCK;

		fd = open(path, O_RDWR | flags);
		if (fd < 0) {
			fd = open(path, O_RDONLY | flags);
			type = F_RDLCK;
		}
		if (fd >= 0 && (is_refused(fd, type) || !lies_at(fd, path)))
			goto out;
	}
	error = unlink(path) == 0 || errno == ENOENT ? 0 : errno;
out:
	if (fd >= 0)
		close(fd);
	errno = error;
	return error != 0 ? -1 : 0;
}

/* A link to a descriptor is the system's, whatever the descriptor is of: /dev/stdout is one. */
static int is_link_to_descriptor(const char *path)
{
	static const char where[] = "/proc/";
	char target[sizeof(where) - 1];

	return readlink(path, target, sizeof(target)) == sizeof(target) &&
	       memcmp(target, where, sizeof(target)) == 0;
}

/* -1 with errno, which is EBUSY when another recorder writes there. */
static int create(const char *path)
{
	struct stat status = {0};
	int fd;

	/* Of a symbolic link the target counts. */
	if ((stat(path, &status) == 0 && !S_ISREG(status.st_mode)) || is_link_to_descriptor(path)) {
		errno = S_ISDIR(status.st_mode) ? EISDIR : EEXIST;
		return -1;
	}
	if (make_way(path) != 0)
		return -1;
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY, 0600);
	if (fd < 0) {
		if (errno == EEXIST)
			errno = EBUSY;
		return -1;
	}
	fchmod(fd, 0600); /* whatever the umask took away */
	if (is_refused(fd, F_WRLCK) || !lies_at(fd, path)) {
		close(fd);
		errno = EBUSY;
		return -1;
	}
	return fd;
}

static const char *reason(int error)
{
	if (error == EEXIST)
		return "exists and is not a regular file";
	if (error == EISDIR)
		return "is a directory: name a file in it";
	if (error == ENOENT)
		return "the directory does not exist: make it first";
	return strerror(error);
}

static void forget(struct output *output)
{
	free(output->name);
	free(output->path);
	output->name = output->path = NULL;
}

/* The file of the first name that nobody else has. 0 or a negative error, ERROR_SYSTEM with
 * errno. */
static int create_first(struct output_names *names, const char *pattern, const char *folder,
			struct output *output)
{
	for (unsigned n = 1;; n++) {
		output->name = choice(pattern, n);
		if (output->name == NULL)
			return ERROR_MEMORY;
		if (output->name[0] == '/' || folder == NULL)
			output->path = strdup(output->name);
		else if (asprintf(&output->path, "%s/%s", folder, output->name) < 0)
			output->path = NULL;
		if (output->path == NULL)
			return ERROR_MEMORY;
		if (!is_taken(names, output->name)) {
			if (note_taken(names, output->name) != 0)
				return ERROR_MEMORY;
			output->fd = create(output->path);
			if (output->fd >= 0)
				return 0;
			if (errno != EBUSY || n >= NAMES_MOST)
				return ERROR_SYSTEM;
			output->displaced = 1;
		}
		forget(output);
	}
}

int output_create(struct output_names *names, const struct recorder_options *options,
		  const char *program, pid_t pid, struct output *output, char *message, size_t size)
{
	char *pattern =
	    expand(options->output != NULL ? options->output : DEFAULT_PATTERN, program, pid);
	int error = ERROR_MEMORY;

	*output = (struct output){.fd = -1};
	snprintf(message, size, "cannot create the trace: out of memory");
	if (pattern != NULL)
		error = create_first(names, pattern, options->folder, output);
	if (error == ERROR_SYSTEM)
		snprintf(message, size, "cannot write '%s': %s", output->name, reason(errno));
	if (error != 0)
		forget(output);
	free(pattern);
	return error;
}

int output_follow(struct output *output)
{
	char link[64], *now;
	struct stat ours;

	if (lies_at(output->fd, output->path) || fstat(output->fd, &ours) != 0)
		return 0;
	if (ours.st_nlink == 0)
		return 1;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", output->fd);
	now = realpath(link, NULL);
	if (now == NULL)
		return 0;
	free(output->path);
	output->path = now;
	now = strdup(now);
	if (now != NULL) {
		free(output->name);
		output->name = now;
	}
	return 0;
}

void output_remove(struct output *output)
{
	/* Not what another has put there since. */
	if (lies_at(output->fd, output->path))
		unlink(output->path);
	close(output->fd);
	output->fd = -1;
}
