/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * offspring HOW: a process with OWN blocks that has children in the way that HOW says; each child
 * makes OWN blocks, too.
 *
 *   daemon FILE  forks twice, in a session of its own, without any descriptor; writes FILE
 *   threads      THREADS threads fork at the same time, and allocate before and after
 *   quick        1,000 children; every other one makes no block at all
 *   clone        children made by clone() and clone3(), as system calls
 *   reaper       a child subreaper, whose child leaves it an orphan
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "expect.h"

#define OWN     50
#define THREADS 4
#define QUICK   1000
#define AT_ONCE 20
#define CLONES  10
#define BYTES   24

static void allocate(void)
{
	for (int i = 0; i < OWN; i++)
		MUST(malloc(BYTES));
}

static void reap(pid_t child)
{
	int status;

	MUST(child > 0 && waitpid(child, &status, 0) == child);
	MUST(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void have_daemon(const char *file)
{
	pid_t child = fork();
	int fd;

	MUST(child >= 0 && file);
	if (child > 0)
		_exit(0);
	allocate();
	MUST(setsid() > 0);
	MUST((child = fork()) >= 0);
	if (child > 0)
		_exit(0);
	for (fd = 0; fd < 1024; fd++)
		close(fd);
	MUST(open("/dev/null", O_RDWR) == 0 && dup(0) == 1 && dup(0) == 2);
	allocate();
	MUST((fd = open(file, O_WRONLY | O_CREAT | O_EXCL, 0600)) == 3);
	MUST(write(fd, "fine\n", 5) == 5 && !chdir("/"));
	umask(0);
	/* What the caller must not see is that we are still there. */
	_exit(0);
}

static void *fork_here(void *unused)
{
	pid_t child;

	allocate();
	MUST((child = fork()) >= 0);
	allocate();
	if (child == 0)
		exit(0);
	reap(child);
	return unused;
}

static void fork_in_threads(void)
{
	pthread_t thread[THREADS];

	for (int i = 0; i < THREADS; i++)
		MUST(!pthread_create(&thread[i], NULL, fork_here, NULL));
	for (int i = 0; i < THREADS; i++)
		MUST(!pthread_join(thread[i], NULL));
}

static void have_many(void)
{
	int status;

	for (int started = 0; started < QUICK; started++) {
		pid_t child = fork();

		MUST(child >= 0);
		if (child == 0) {
			if (started % 2)
				allocate();
			_exit(0);
		}
		if (started >= AT_ONCE)
			MUST(wait(&status) > 0 && status == 0);
	}
	for (int i = 0; i < AT_ONCE; i++)
		MUST(wait(&status) > 0 && status == 0);
	MUST(wait(&status) == -1 && errno == ECHILD);
}

static void clone_some(void)
{
	for (int i = 0; i < CLONES; i++) {
		struct clone_args arguments = {.exit_signal = SIGCHLD};
		long child = i % 2 ? syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, 0)
				   : syscall(SYS_clone3, &arguments, sizeof(arguments));

		MUST(child >= 0);
		if (child == 0) {
			allocate();
			_exit(0);
		}
		reap((pid_t)child);
	}
}

static void adopt(void)
{
	pid_t child;
	int status;

	MUST(!prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
	MUST((child = fork()) >= 0);
	if (child == 0) {
		MUST((child = fork()) >= 0);
		allocate();
		_exit(0);
	}
	/* The child and the orphan; nobody else. */
	MUST(wait(&status) > 0 && status == 0);
	MUST(wait(&status) > 0 && status == 0);
	MUST(wait(&status) == -1 && errno == ECHILD);
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";

	allocate();
	if (!strcmp(how, "daemon"))
		have_daemon(argv[2]);
	else if (!strcmp(how, "threads"))
		fork_in_threads();
	else if (!strcmp(how, "quick"))
		have_many();
	else if (!strcmp(how, "clone"))
		clone_some();
	else if (!strcmp(how, "reaper"))
		adopt();
	else
		return 99;
	say("fine\n");
	return 0;
}
