/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include "libcollect/recorder/procfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "formats/error.h"

enum { PATH_BYTES = 96, LINK_BYTES = 4096 };

static char *read_all(int fd, size_t *size)
{
	size_t used = 0, room = 4096;
	char *text = malloc(room);

	while (text != NULL) {
		ssize_t got = read(fd, text + used, room - used - 1);
		char *more;

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			free(text);
			return NULL;
		}
		if (got == 0)
			break;
		used += (size_t)got;
		if (room - used > room / 4)
			continue;
		more = realloc(text, room *= 2);
		if (more == NULL)
			free(text);
		text = more;
	}
	if (text != NULL) {
		text[used] = '\0';
		if (size != NULL)
			*size = used;
	}
	return text;
}

char *proc_read(pid_t pid, const char *name, size_t *size)
{
	char path[PATH_BYTES];
	char *text;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	text = read_all(fd, size);
	close(fd);
	return text;
}

char *proc_link(pid_t pid, const char *name)
{
	char path[PATH_BYTES], target[LINK_BYTES];
	ssize_t size;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	size = readlink(path, target, sizeof(target) - 1);
	if (size <= 0)
		return NULL;
	target[size] = '\0';
	return strdup(target);
}

char *proc_program(pid_t pid)
{
	static const char deleted[] = " (deleted)";
	const size_t suffix = sizeof(deleted) - 1;
	char *path = proc_link(pid, "exe");
	size_t length = path != NULL ? strlen(path) : 0;

	if (length > suffix && strcmp(path + length - suffix, deleted) == 0)
		path[length - suffix] = '\0';
	return path;
}

uint64_t proc_status_number(pid_t pid, const char *name)
{
	char *text = proc_read(pid, "status", NULL);
	size_t length = strlen(name);
	uint64_t number = 0;

	for (char *line = text; line != NULL; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, length) == 0 && line[length] == ':') {
			number = strtoull(line + length + 1, NULL, 10);
			break;
		}
	}
	free(text);
	return number;
}

int proc_zombie_status(pid_t pid, int *status)
{
	char *text = proc_read(pid, "stat", NULL);
	char *at = text != NULL ? strrchr(text, ')') : NULL;
	int error = ERROR_FOREIGN;

	/* "PID (NAME) STATE ..."; the exit code is the 52nd and last field. */
	if (at != NULL && at[1] == ' ' && at[2] == 'Z') {
		at = strrchr(text, ' ');
		*status = (int)strtol(at, NULL, 10);
		error = 0;
	}
	free(text);
	return error;
}

int proc_thread_name(pid_t pid, pid_t tid, char *name, size_t size)
{
	char path[PATH_BYTES];
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/comm", (int)pid, (int)tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return ERROR_SYSTEM;
	got = read(fd, name, size - 1);
	close(fd);
	if (got <= 0)
		return ERROR_SYSTEM;
	if (name[got - 1] == '\n')
		got--;
	name[got] = '\0';
	return 0;
}

enum proc_mapped proc_maps_segment(pid_t pid, int id)
{
	enum proc_mapped result = PROC_NOT_MAPPED;
	char *text;

	if (id < 0)
		return PROC_UNKNOWN;
	text = proc_read(pid, "maps", NULL);
	if (text == NULL)
		return errno == ENOENT || errno == ESRCH ? PROC_GONE : PROC_UNKNOWN;
	if (text[0] == '\0')
		result = PROC_GONE; /* a zombie */
	for (char *at = text; (at = strstr(at, "/SYSV")) != NULL; at++) {
		char *line = at;
		unsigned long inode;

		while (line > text && line[-1] != '\n')
			line--;
		if (sscanf(line, "%*x-%*x %*s %*x %*s %lu", &inode) == 1 &&
		    inode == (unsigned long)id) {
			result = PROC_MAPPED;
			break;
		}
	}
	free(text);
	return result;
}

/* The number that the process or thread of a status file has in the innermost of
 * its pid namespaces. */
static pid_t innermost(pid_t pid, const char *status)
{
	char *text = proc_read(pid, status, NULL);
	char *at = text != NULL ? strstr(text, "\nNSpid:") : NULL;
	pid_t number = 0;

	if (at != NULL) {
		char *end = strchr(at + 1, '\n');

		if (end != NULL)
			*end = '\0';
		at = strrchr(at + 1, '\t');
		number = at != NULL ? (pid_t)strtol(at + 1, NULL, 10) : 0;
	}
	free(text);
	return number;
}

int proc_inner_threads(pid_t pid, pid_t **tids)
{
	char name[64];
	struct dirent *entry;
	int count = 0, room = 0;
	DIR *folder;

	*tids = NULL;
	snprintf(name, sizeof(name), "/proc/%d/task", (int)pid);
	folder = opendir(name);
	if (folder == NULL)
		return ERROR_SYSTEM;
	while ((entry = readdir(folder)) != NULL) {
		pid_t tid = (pid_t)strtol(entry->d_name, NULL, 10);

		if (tid <= 0)
			continue;
		if (count == room) {
			pid_t *more = realloc(*tids, (size_t)(room + 64) * 2 * sizeof(*more));

			if (more == NULL)
				break;
			*tids = more;
			room = (room + 64) * 2;
		}
		snprintf(name, sizeof(name), "task/%d/status", (int)tid);
		(*tids)[count++] = innermost(pid, name);
	}
	closedir(folder);
	return entry == NULL ? count : ERROR_MEMORY;
}

pid_t proc_find_inside(pid_t pid, int id)
{
	DIR *folder = opendir("/proc");
	struct dirent *entry;
	pid_t found = 0;

	if (folder == NULL)
		return 0;
	while (found == 0 && (entry = readdir(folder)) != NULL) {
		pid_t candidate = (pid_t)strtol(entry->d_name, NULL, 10);

		if (candidate > 0 && candidate != pid && innermost(candidate, "status") == pid &&
		    proc_maps_segment(candidate, id) == PROC_MAPPED)
			found = candidate;
	}
	closedir(folder);
	return found;
}

int proc_open_mapped(pid_t pid, const char *maps, uint64_t start, uint64_t end)
{
	char path[PATH_BYTES];

	for (const char *line = maps; line != NULL && *line != '\0';) {
		unsigned long from, to, inode;

		if (sscanf(line, "%lx-%lx %*s %*x %*s %lu", &from, &to, &inode) == 3 &&
		    from >= start && to <= end && inode != 0) {
			snprintf(path, sizeof(path), "/proc/%d/map_files/%lx-%lx", (int)pid, from,
				 to);
			return open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
		}
		line = strchr(line, '\n');
		line = line != NULL ? line + 1 : NULL;
	}
	return -1;
}

int proc_pidfd(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

uint64_t proc_pidfd_number(int pidfd)
{
	struct stat status;

	return pidfd >= 0 && fstat(pidfd, &status) == 0 ? status.st_ino : 0;
}

/* As in linux/pidfd.h of Linux 6.15; older headers don't have it. */
struct pidfd_status {
	uint64_t mask;
	uint64_t cgroup;
	uint32_t pid, tgid, ppid;
	uint32_t uids[8];
	int32_t exit_code;
};
#define PIDFD_STATUS_GET  _IOWR(0xff, 11, struct pidfd_status)
#define PIDFD_STATUS_EXIT UINT64_C(8)
_Static_assert(sizeof(struct pidfd_status) == 64, "the kernel's first version");

int proc_pidfd_status(int pidfd, int *status)
{
	struct pidfd_status answer = {.mask = PIDFD_STATUS_EXIT};

	if (pidfd < 0 || ioctl(pidfd, PIDFD_STATUS_GET, &answer) != 0)
		return ERROR_SYSTEM;
	if ((answer.mask & PIDFD_STATUS_EXIT) == 0)
		return ERROR_FOREIGN;
	*status = answer.exit_code;
	return 0;
}
