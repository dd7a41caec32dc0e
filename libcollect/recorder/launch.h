/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_LAUNCH_H
#define MALLOGRAPH_LAUNCH_H

/*
 * Starts a program under the collector and a recorder beside it, and stays the
 * program's parent until it has ended and its trace is complete.
 *
 *   launcher ─┬─ program (LD_PRELOAD, our process group and terminal)
 *             └─ recorder (a session of its own, standard descriptors on /dev/null)
 *
 * Not thread-safe: it forks, and sets signal dispositions until it returns.
 */

#include <stddef.h>

#include "libcollect/recorder/recorder.h"

struct launch {
	struct recorder_options options; /* set all before launch_run() */
	const char *library;             /* path of libmallograph.so */
	const char *path;                /* of the program, as execv takes it */
	char *const *argv;

	/* results; freed by launch_clear() */
	int started;          /* the program was started */
	int status;           /* of the program, as waitpid() gives it */
	uint64_t nanoseconds; /* from its start to its end */
	int recorder_died;
	unsigned running;       /* other processes still being recorded */
	struct report *reports; /* every REPORT_TRACE and REPORT_WARNING, in order of arrival */
	size_t report_count;
	char failure[1024]; /* why it was not started; empty: exec failed with exec_errno */
	int exec_errno;
};

/* Returns 0 when the program was started and has ended; -1 when it was not
 * started: failure or exec_errno says why. */
int launch_run(struct launch *launch);
void launch_clear(struct launch *launch);

/* Runs a recorder for a process that was started by LD_PRELOAD alone: waits
 * until it is ready, writes "ok SHMID.COOKIE" or a message to reply_fd and
 * returns the exit status, while the recorder goes on in the background. */
int launch_serve(const struct recorder_options *options, pid_t pid, int reply_fd);

#endif
