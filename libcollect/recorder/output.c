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

/* Whether another recorder is writing there. */
static int is_being_written(const char *path)
{
	struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};
	struct stat status;
	int fd, locked;

	if (lstat(path, &status) != 0 || !S_ISREG(status.st_mode))
		return 0;
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	locked = fd >= 0 && fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
	if (fd >= 0)
		close(fd);
	return locked;
}

static int create(const char *path)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};
	struct stat status;
	int fd;

	/* Of a symbolic link the target counts: /dev/stdout is one. */
	if (stat(path, &status) == 0 && !S_ISREG(status.st_mode)) {
		errno = S_ISDIR(status.st_mode) ? EISDIR : EEXIST;
		return -1;
	}
	if (unlink(path) != 0 && errno != ENOENT)
		return -1;
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY, 0600);
	if (fd < 0)
		return -1;
	fchmod(fd, 0600); /* whatever the umask took away */
	fcntl(fd, F_OFD_SETLK, &lock);
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

/* The first name that nobody else has. 0 or a negative error. */
static int choose(const struct output_names *names, const char *pattern, const char *folder,
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
			if (n == NAMES_MOST || !is_being_written(output->path))
				return 0;
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
	if (pattern == NULL || choose(names, pattern, options->folder, output) != 0 ||
	    note_taken(names, output->name) != 0)
		goto out;
	output->fd = create(output->path);
	error = output->fd >= 0 ? 0 : ERROR_SYSTEM;
	if (error != 0)
		snprintf(message, size, "cannot write '%s': %s", output->name, reason(errno));
out:
	if (error != 0)
		forget(output);
	free(pattern);
	return error;
}

/* Whether the file that we write to is the one that lies at its path. */
static int is_there(const struct output *output)
{
	struct stat ours, there;

	return fstat(output->fd, &ours) == 0 && lstat(output->path, &there) == 0 &&
	       ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

int output_follow(struct output *output)
{
	char link[64], *now;
	struct stat ours;

	if (is_there(output) || fstat(output->fd, &ours) != 0)
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
	if (is_there(output))
		unlink(output->path);
	close(output->fd);
	output->fd = -1;
}
