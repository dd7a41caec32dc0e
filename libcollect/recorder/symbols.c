/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include "libcollect/recorder/symbols.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "formats/error.h"

/* The symbolizer stops by itself after 60 s; this is for one that cannot. */
#define LIMIT_NS UINT64_C(75000000000)
enum { DESCRIPTORS_MOST = 4096, OPTION_BYTES = 32 };

extern char **environ;

/* Ours without what loads the collector into programs. The strings are shared. */
static char **clean_environment(void)
{
	static const char *const unwanted[] = {"LD_PRELOAD=", "MALLOGRAPH_"};
	size_t count = 0, kept = 0;
	char **copy;

	while (environ != NULL && environ[count] != NULL)
		count++;
	copy = calloc(count + 1, sizeof(*copy));
	for (size_t i = 0; copy != NULL && i < count; i++) {
		int wanted = 1;

		for (size_t k = 0; k < sizeof(unwanted) / sizeof(unwanted[0]); k++)
			wanted &= strncmp(environ[i], unwanted[k], strlen(unwanted[k])) != 0;
		if (wanted)
			copy[kept++] = environ[i];
	}
	return copy;
}

/* PROGRAM symbolize [--perf-map PID] --fd M:FD ... TRACE [LATER], in one piece of memory. */
static char **arguments(const struct symbolizer *symbolizer, const char *program,
			const struct modules *modules, int trace_fd, pid_t pid,
			posix_spawn_file_actions_t *actions)
{
	const int later = symbolizer->later_fd >= 0;
	size_t most =
	    modules->file_count < DESCRIPTORS_MOST ? modules->file_count : DESCRIPTORS_MOST;
	size_t pointers = (most * 2 + 7) * sizeof(char *);
	char **list = calloc(1, pointers + (most + 3) * OPTION_BYTES);
	size_t count = 0;
	char *text;

	if (list == NULL)
		return NULL;
	text = (char *)list + pointers;
	list[count++] = (char *)program;
	list[count++] = (char *)"symbolize";
	snprintf(text, OPTION_BYTES, "/tmp/perf-%d.map", (int)pid);
	if (later || access(text, R_OK) == 0) {
		snprintf(text, OPTION_BYTES, "%d", (int)pid);
		list[count++] = (char *)"--perf-map";
		list[count++] = text;
		text += OPTION_BYTES;
	}
	for (uint32_t id = 1; id <= most; id++) {
		int fd = modules_fd(modules, id);

		/* Onto itself: that takes close-on-exec away. */
		if (fd < 0 || posix_spawn_file_actions_adddup2(actions, fd, fd) != 0)
			continue;
		snprintf(text, OPTION_BYTES, "%u:%d", id, fd);
		list[count++] = (char *)"--fd";
		list[count++] = text;
		text += OPTION_BYTES;
	}
	/* By its descriptor: the file may have been moved meanwhile. */
	snprintf(text, OPTION_BYTES, "/proc/self/fd/%d", trace_fd);
	list[count++] = text;
	if (later) {
		text += OPTION_BYTES;
		snprintf(text, OPTION_BYTES, "/proc/self/fd/%d", symbolizer->later_fd);
		list[count] = text;
	}
	return list;
}

static int spawn(struct symbolizer *symbolizer, const char *program, int trace_fd, int input_fd,
		 pid_t pid, const struct modules *modules)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t all, none;
	char **list = NULL, **environment = NULL;
	int error = ENOMEM;

	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	sigfillset(&all);
	sigemptyset(&none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK |
						  POSIX_SPAWN_SETSID);
	if ((input_fd >= 0
		 ? posix_spawn_file_actions_adddup2(&actions, input_fd, 0)
		 : posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)) == 0 &&
	    posix_spawn_file_actions_adddup2(&actions, symbolizer->output_fd, 1) == 0 &&
	    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0) == 0 &&
	    posix_spawn_file_actions_adddup2(&actions, trace_fd, trace_fd) == 0 &&
	    (symbolizer->later_fd < 0 ||
	     posix_spawn_file_actions_adddup2(&actions, symbolizer->later_fd,
					      symbolizer->later_fd) == 0)) {
		list = arguments(symbolizer, program, modules, trace_fd, pid, &actions);
		environment = clean_environment();
	}
	if (list != NULL && environment != NULL)
		error = posix_spawn(&symbolizer->pid, program, &actions, &attributes, list,
				    environment);
	if (error != 0)
		symbolizer->pid = 0;
	free(list);
	free(environment);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return error == 0 ? 0 : ERROR_SYSTEM;
}

/* The file for what comes later, and the pipe whose end says that it has come. Returns the end
 * that is read, or a negative error. */
static int open_later(struct symbolizer *symbolizer)
{
	int ends[2];

	symbolizer->later_fd = memfd_create("mallograph question", MFD_CLOEXEC);
	if (symbolizer->later_fd < 0 || pipe2(ends, O_CLOEXEC) != 0)
		return ERROR_SYSTEM;
	symbolizer->until_fd = ends[1];
	return ends[0];
}

static struct symbolizer idle(unsigned stopped)
{
	return (struct symbolizer){
	    .output_fd = -1, .later_fd = -1, .until_fd = -1, .stopped = stopped};
}

int symbolizer_start(struct symbolizer *symbolizer, const char *program, int trace_fd, int later,
		     pid_t pid, const struct modules *modules, uint64_t now_ns)
{
	int input_fd = -1, error = ERROR_SYSTEM;

	*symbolizer = idle(symbolizer->stopped);
	symbolizer->until_ns = now_ns + LIMIT_NS;
	if (program == NULL)
		return ERROR_UNSUPPORTED;
	symbolizer->output_fd = memfd_create("mallograph symbols", MFD_CLOEXEC);
	if (later)
		input_fd = open_later(symbolizer);
	if (symbolizer->output_fd >= 0 && (input_fd >= 0 || !later))
		error = spawn(symbolizer, program, trace_fd, input_fd, pid, modules);
	if (input_fd >= 0)
		close(input_fd);
	if (error != 0)
		symbolizer_release(symbolizer, NULL, 0);
	return error;
}

void symbolizer_go_on(struct symbolizer *symbolizer)
{
	if (symbolizer->until_fd >= 0)
		close(symbolizer->until_fd);
	symbolizer->until_fd = -1;
}

void symbolizer_stop(struct symbolizer *symbolizer)
{
	if (symbolizer->pid != 0) {
		kill(symbolizer->pid, SIGKILL);
		symbolizer->stopped++;
	}
	symbolizer_release(symbolizer, NULL, 0);
	symbolizer_reap(symbolizer);
}

void symbolizer_reap(struct symbolizer *symbolizer)
{
	siginfo_t ended = {0};

	while (symbolizer->stopped != 0 &&
	       waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 && ended.si_pid != 0 &&
	       ended.si_pid != symbolizer->pid) {
		waitpid(ended.si_pid, NULL, WNOHANG);
		symbolizer->stopped--;
		ended.si_pid = 0;
	}
}

/* Where the kernel shares time out between sessions first (autogroups), a policy counts within
 * one alone. */
static void weigh_session(pid_t pid, int nice)
{
	char path[40];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/autogroup", (int)pid);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	dprintf(fd, "%d", nice);
	close(fd);
}

int symbolizer_background(struct symbolizer *symbolizer, int in_background)
{
	struct sched_param none = {0};

	if (symbolizer->pid == 0 || symbolizer->in_background == in_background)
		return 0;
	if (sched_setscheduler(symbolizer->pid, in_background ? SCHED_IDLE : SCHED_OTHER, &none) !=
	    0)
		return -1;
	weigh_session(symbolizer->pid, in_background ? 19 : 0);
	symbolizer->in_background = in_background;
	return 0;
}

int symbolizer_ended(struct symbolizer *symbolizer, uint64_t now_ns, int *status)
{
	pid_t ended;

	*status = -1;
	if (symbolizer->pid == 0)
		return 1;
	if (now_ns >= symbolizer->until_ns)
		kill(symbolizer->pid, SIGKILL);
	do {
		ended = waitpid(symbolizer->pid, status, WNOHANG);
	} while (ended < 0 && errno == EINTR);
	if (ended != 0)
		symbolizer->pid = 0;
	return ended != 0;
}

void *symbolizer_output(const struct symbolizer *symbolizer, size_t *size)
{
	struct stat status;
	void *output;

	if (fstat(symbolizer->output_fd, &status) != 0 || status.st_size <= 0)
		return NULL;
	*size = (size_t)status.st_size;
	output = mmap(NULL, *size, PROT_READ, MAP_PRIVATE, symbolizer->output_fd, 0);
	return output == MAP_FAILED ? NULL : output;
}

void symbolizer_release(struct symbolizer *symbolizer, void *output, size_t size)
{
	if (output != NULL)
		munmap(output, size);
	if (symbolizer->output_fd >= 0)
		close(symbolizer->output_fd);
	if (symbolizer->later_fd >= 0)
		close(symbolizer->later_fd);
	symbolizer_go_on(symbolizer);
	*symbolizer = idle(symbolizer->stopped);
}
