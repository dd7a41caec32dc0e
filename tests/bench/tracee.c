/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The program as its tracer sees it: how much time it took, which its parent (a launcher,
 * a script) doesn't tell, and what memory it had when it exited.
 *
 * The command is followed over forks and execs until a process is the program. Then the
 * others are let go (each as soon as it stops for us), and the program runs untouched
 * but for signals that its first thread gets.
 */
#include "tests/bench/measure.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	FOLLOW = PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC,
	FOLLOWED_MAX = 4096
};

static const char *program_path;
static pid_t program, followed[FOLLOWED_MAX];
static size_t followed_count;
static int options_of_program;

void tracee_begin(pid_t command, const char *path, int at_exit)
{
	program_path = path;
	program = 0;
	followed[0] = command;
	followed_count = 1;
	options_of_program = PTRACE_O_EXITKILL | (at_exit ? PTRACE_O_TRACEEXIT : 0);
	if (ptrace(PTRACE_SEIZE, command, NULL, (void *)(intptr_t)FOLLOW) != 0) {
		fprintf(stderr, "measure: cannot trace: %s\n", strerror(errno));
		followed_count = 0;
	}
}

static void read_memory(pid_t pid, struct sample *sample)
{
	char path[64], line[4096], name[16];
	unsigned long long kilobytes;
	int region = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/smaps", (int)pid);
	file = fopen(path, "re");
	while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
		if (line[strcspn(line, " :")] != ':') {
			region = strstr(line, "/SYSV") != NULL;
			continue;
		}
		if (sscanf(line, "%15[A-Za-z_]: %llu kB", name, &kilobytes) != 2)
			continue;
		if (strcmp(name, "Rss") == 0) {
			sample->resident_bytes += kilobytes * 1024;
			sample->region_bytes += region ? kilobytes * 1024 : 0;
		} else if (!region && strncmp(name, "Private_", 8) == 0 &&
			   strcmp(name, "Private_Hugetlb") != 0) {
			sample->private_bytes += kilobytes * 1024;
		}
	}
	if (file != NULL)
		fclose(file);
}

/* Is this the program's exec? Then the others are stopped, to be let go. */
static void look_at_exec(pid_t pid)
{
	char path[WATCH_PATH_BYTES];

	watch_executable(pid, path);
	if (program != 0 || strcmp(path, program_path) != 0)
		return;
	program = pid;
	ptrace(PTRACE_SETOPTIONS, pid, NULL, (void *)(intptr_t)options_of_program);
	for (size_t i = 0; i < followed_count; i++)
		if (followed[i] != pid)
			ptrace(PTRACE_INTERRUPT, followed[i], NULL, NULL);
}

static void note_child(pid_t pid)
{
	unsigned long child = 0;

	if (ptrace(PTRACE_GETEVENTMSG, pid, NULL, &child) == 0 && followed_count < FOLLOWED_MAX)
		followed[followed_count++] = (pid_t)child;
}

void tracee_stopped(pid_t pid, int status, struct sample *sample)
{
	int event = status >> 16, number = WSTOPSIG(status);
	int request = PTRACE_CONT;

	if (event == PTRACE_EVENT_EXEC)
		look_at_exec(pid);
	else if (event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK)
		note_child(pid);
	else if (event == PTRACE_EVENT_EXIT && pid == program)
		read_memory(pid, sample);
	if (event == PTRACE_EVENT_STOP && number != SIGTRAP)
		request = PTRACE_LISTEN; /* stopped, and stays so until it is continued */
	if (event != 0)
		number = 0;
	if (program != 0 && pid != program)
		request = PTRACE_DETACH;
	ptrace(request, pid, NULL, (void *)(intptr_t)number);
}

void tracee_ended(pid_t pid, double cpu, struct sample *sample)
{
	if (pid == program)
		sample->program_cpu = cpu;
	for (size_t i = 0; i < followed_count; i++)
		if (followed[i] == pid)
			followed[i--] = followed[--followed_count];
}
