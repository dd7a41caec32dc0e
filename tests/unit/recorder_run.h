/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_TEST_RECORDER_RUN_H
#define MALLOGRAPH_TEST_RECORDER_RUN_H

/* Runs the recorder in a process of its own on a region that another process,
 * a play, fills. The test itself is the launcher. */

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "libcollect/recorder/recorder.h"
#include "tests/unit/player.h"
#include "tests/unit/recorder_trace.h"

enum { RUN_REPORTS = 512 };

struct run {
	struct recorder_options options;
	char folder[64];
	rlim_t file_limit; /* of the recorder, 0: none */
	int kill_recorder; /* once the play has ended */

	int status; /* of the play */
	int recorder_status;
	struct report report[RUN_REPORTS];
	unsigned reports;
	struct report first; /* the last REPORT_TRACE of the first process */
	unsigned traces, warnings, first_done;
	char warning[512];
	uint32_t recorder_word; /* region->recorder at the end */
	uint32_t chunks_used;
};

static inline void *shared_memory(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_true(memory != MAP_FAILED);
	return memory;
}

/* HANDS=4 has several threads at work in every test, for -fsanitize=thread. */
static inline unsigned run_hands(void)
{
	const char *hands = getenv("HANDS");

	return hands != NULL ? (unsigned)strtoul(hands, NULL, 10) : 0;
}

static inline void run_init(struct run *run)
{
	memset(run, 0, sizeof(*run));
	strcpy(run->folder, "/tmp/mallograph-recorder.XXXXXX");
	assert_non_null(mkdtemp(run->folder));
	run->options = (struct recorder_options){.folder = run->folder,
						 .codec = TRACE_CODEC_ZLIB,
						 .follow_fork = 1,
						 .hands = run_hands(),
						 .first_path = "/bin/play"};
}

static inline void run_release(struct run *run)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", run->folder);
	assert_int_equal(system(command), 0);
}

static inline void run_take(struct run *run, const struct report *report)
{
	if (run->reports < RUN_REPORTS)
		run->report[run->reports++] = *report;
	run->traces += report->kind == REPORT_TRACE;
	run->first_done += report->kind == REPORT_FIRST_DONE;
	if (report->kind == REPORT_TRACE && report->first)
		run->first = *report;
	if (report->kind == REPORT_WARNING || report->kind == REPORT_ERROR) {
		run->warnings++;
		memcpy(run->warning, report->text, sizeof(run->warning));
	}
}

/* The recorder's process. */
static inline void run_recorder(const struct run *run, struct region *region, int socket,
				pid_t first)
{
	struct rlimit limit = {run->file_limit, run->file_limit};

	if (run->file_limit != 0)
		setrlimit(RLIMIT_FSIZE, &limit);
	_exit(recorder_run(region, &run->options, socket, first));
}

/* Until play(region, context) has returned or died and all is recorded. */
static inline void run_play(struct run *run, void (*play)(struct region *, void *), void *context)
{
	int sockets[2], gate[2], id;
	struct region *region = region_create(&id);
	struct report report;
	pid_t first, recorder;
	char go;

	assert_non_null(region);
	assert_int_equal(pipe(gate), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sockets), 0);
	first = fork();
	if (first == 0) {
		signal(SIGSEGV, SIG_DFL); /* cmocka's */
		signal(SIGABRT, SIG_DFL);
		close(gate[1]);
		close(sockets[0]);
		close(sockets[1]);
		if (read(gate[0], &go, 1) == 1)
			play(region, context);
		_exit(0);
	}
	region->first_pid = (uint32_t)first;
	recorder = fork();
	if (recorder == 0) {
		close(gate[0]);
		close(gate[1]);
		close(sockets[0]);
		run_recorder(run, region, sockets[1], first);
	}
	close(gate[0]);
	close(sockets[1]);
	if (recv(sockets[0], &report, sizeof(report), 0) == (ssize_t)sizeof(report)) {
		run_take(run, &report);
		if (report.kind == REPORT_READY)
			assert_int_equal(write(gate[1], "", 1), 1);
	}
	close(gate[1]);
	assert_int_equal(waitpid(first, &run->status, 0), first);
	region->first_status = run->status;
	atomic_store(&region->first_ended, 1);
	atomic_fetch_add(&region->wake, 1);
	syscall(SYS_futex, &region->wake, FUTEX_WAKE, 1, NULL, NULL, 0);
	if (run->kill_recorder)
		kill(recorder, SIGKILL);
	while (!run->first_done &&
	       recv(sockets[0], &report, sizeof(report), 0) == (ssize_t)sizeof(report))
		run_take(run, &report);
	run->chunks_used = atomic_load(&region->fresh);
	if (!run->kill_recorder)
		shmdt(region); /* as a launcher that exits */
	while (recv(sockets[0], &report, sizeof(report), 0) == (ssize_t)sizeof(report))
		run_take(run, &report);
	assert_int_equal(waitpid(recorder, &run->recorder_status, 0), recorder);
	if (run->kill_recorder) {
		run->recorder_word = atomic_load(&region->recorder);
		shmdt(region);
	}
	close(sockets[0]);
}

static inline void run_read(const struct run *run, const struct report *report,
			    struct recorded *trace)
{
	char path[1200];

	snprintf(path, sizeof(path), "%s/%s", run->folder, report->path);
	read_trace(trace, path);
}

#endif
