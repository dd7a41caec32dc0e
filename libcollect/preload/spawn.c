/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The entry without launcher: LD_PRELOAD=libmallograph.so PROGRAM.
 *
 * The recorder is started from inside the program and must not be its child:
 * it is the orphan of a child that is made without an exit signal, so that no
 * wait() and no SIGCHLD handler of the program can see it, and is reaped here.
 * A program that inherits orphans itself (PID 1, a child subreaper) would see it all the
 * same, and goes on unprofiled.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "libcollect/preload/environment.h"
#include "libcollect/preload/rawio.h"
#include "libcollect/preload/session.h"
#include "libcollect/preload/state.h"

#include "libcollect/preload/banned.h"

enum { PATH_BYTES = 4096, REPLY_BYTES = 1024, FIRST_FD = 3, WCLONE = 0x40000000 };

/* path = the folder of our library + suffix */
static int beside_library(char *path, const char *suffix)
{
	struct dl_find_object found;
	const char *name;
	size_t folder;

	if (_dl_find_object((void *)beside_library, &found) != 0)
		return -1;
	name = found.dlfo_link_map->l_name;
	folder = raw_length(name);
	while (folder > 0 && name[folder - 1] != '/')
		folder--;
	if (folder + raw_length(suffix) + 1 > PATH_BYTES)
		return -1;
	raw_copy(path, name, folder);
	raw_copy(path + folder, suffix, raw_length(suffix) + 1);
	return 0;
}

static int find_program(char *path)
{
	/* installed: lib/mallograph/libmallograph.so; built: build/libmallograph.so, beside the
	 * program only where make was given another folder or a sanitizer */
	static const char *const suffixes[] = {"../../bin/mallograph", "mallograph",
					       "../mallograph"};

	for (unsigned i = 0; i < 3; i++)
		if (beside_library(path, suffixes[i]) == 0 &&
		    raw_syscall(SYS_faccessat, AT_FDCWD, (long)path, X_OK, 0, 0, 0) == 0)
			return 0;
	return -1;
}

static long raw_fork(long exit_signal)
{
	return raw_syscall(SYS_clone, exit_signal, 0, 0, 0, 0, 0);
}

/* In the orphan: becomes the recorder, with nothing of the program's. */
static void become_recorder(const char *path, int pid, int reply)
{
	char number[12], *at = number + sizeof(number) - 1;
	char *argv[] = {(char *)"mallograph", (char *)"serve", NULL, NULL};
	char *envp[3] = {NULL, NULL, NULL};
	unsigned variables = 0;
	long null;

	*at = '\0';
	do {
		*--at = (char)('0' + pid % 10);
	} while ((pid /= 10) > 0);
	argv[2] = at;
	for (char **e = environ; e != NULL && *e != NULL && variables < 2; e++)
		if (raw_begins(*e, OPTIONS_VARIABLE "=") || raw_begins(*e, "PATH="))
			envp[variables++] = *e;
	if (reply != FIRST_FD)
		raw_syscall(SYS_dup2, reply, FIRST_FD, 0, 0, 0, 0);
	else
		raw_syscall(SYS_fcntl, reply, F_SETFD, 0, 0, 0, 0);
	raw_syscall(SYS_close_range, FIRST_FD + 1, ~0u, 0, 0, 0, 0);
	null = raw_syscall(SYS_openat, AT_FDCWD, (long)"/dev/null", O_RDWR, 0, 0, 0);
	for (int fd = 0; fd < FIRST_FD; fd++)
		raw_syscall(SYS_dup2, null, fd, 0, 0, 0, 0);
	if (null > FIRST_FD)
		raw_syscall(SYS_close, null, 0, 0, 0, 0, 0);
	raw_syscall(SYS_execve, (long)path, (long)argv, (long)envp, 0, 0, 0);
	raw_syscall(SYS_exit_group, 127, 0, 0, 0, 0, 0);
}

/* Reads "ok SHMID COOKIE" or a message, up to the end. */
static int read_reply(int fd, char *text)
{
	size_t used = 0;

	while (used + 1 < REPLY_BYTES) {
		long got = raw_syscall(SYS_read, fd, (long)(text + used),
				       (long)(REPLY_BYTES - 1 - used), 0, 0, 0);

		if (got == -4) /* EINTR */
			continue;
		if (got <= 0)
			break;
		used += (size_t)got;
	}
	text[used] = '\0';
	return used > 0 ? 0 : -1;
}

static int attach_by_reply(const char *text)
{
	uint64_t cookie;
	int id;

	if (!raw_begins(text, "ok ")) {
		raw_message(text, ": this process runs unprofiled", NULL);
		return -1;
	}
	if (session_parse(text + 3, &id, &cookie) != 0)
		return -1;
	return region_attach(id, cookie);
}

static int may_start(char *path)
{
	int subreaper = 0;

	raw_syscall(SYS_prctl, PR_GET_CHILD_SUBREAPER, (long)&subreaper, 0, 0, 0, 0);
	if (raw_getpid() == 1 || subreaper != 0) {
		raw_message("this program would see the recorder among its children "
			    "(it is PID 1 or a child subreaper): start it with "
			    "`mallograph record`; it runs unprofiled",
			    NULL);
		return -1;
	}
	if (find_program(path) != 0) {
		raw_message("cannot find the program mallograph beside libmallograph.so: "
			    "this process runs unprofiled",
			    NULL);
		return -1;
	}
	return 0;
}

int preload_start(void)
{
	char path[PATH_BYTES], reply[REPLY_BYTES];
	int pipe[2], status, result = -1, pid = raw_getpid();
	long child;

	if (may_start(path) != 0)
		return -1;
	if (raw_syscall(SYS_pipe2, (long)pipe, O_CLOEXEC, 0, 0, 0, 0) != 0) {
		raw_message("cannot start the recorder (no descriptor to be had): "
			    "this process runs unprofiled",
			    NULL);
		return -1;
	}
	child = raw_fork(0);
	if (child == 0) {
		raw_syscall(SYS_setsid, 0, 0, 0, 0, 0, 0);
		if (raw_fork(17 /* SIGCHLD */) == 0)
			become_recorder(path, pid, pipe[1]);
		raw_syscall(SYS_exit_group, 0, 0, 0, 0, 0, 0);
	}
	raw_syscall(SYS_close, pipe[1], 0, 0, 0, 0, 0);
	if (child > 0) {
		while (raw_syscall(SYS_wait4, child, (long)&status, WCLONE, 0, 0, 0) == -4)
			;
		if (read_reply(pipe[0], reply) == 0)
			result = attach_by_reply(reply);
		else
			raw_message("the recorder did not start: this process runs unprofiled",
				    NULL);
	} else {
		raw_message("cannot start the recorder (no process to be had): "
			    "this process runs unprofiled",
			    NULL);
	}
	raw_syscall(SYS_close, pipe[0], 0, 0, 0, 0, 0);
	return result;
}
