/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kernel keeps the peak of a process's resident set while the process lives, and
 * wait4() mixes it with those of the children that the process waited for. So the
 * program's own and the recorder's are read from /proc while they run; what they grow
 * by between the last look and their end is missed.
 */
#include "tests/bench/measure.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { DEPTH_MAX = 8 };

static uint64_t peak_bytes(pid_t pid)
{
	unsigned long long kilobytes = 0;
	char path[64], line[256];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	file = fopen(path, "re");
	if (file == NULL)
		return 0;
	while (fgets(line, sizeof(line), file) != NULL) {
		if (sscanf(line, "VmHWM: %llu", &kilobytes) == 1)
			break;
	}
	fclose(file);
	return kilobytes * 1024;
}

void watch_executable(pid_t pid, char path[WATCH_PATH_BYTES])
{
	char link[64];
	ssize_t length;

	snprintf(link, sizeof(link), "/proc/%d/exe", (int)pid);
	length = readlink(link, path, WATCH_PATH_BYTES - 1);
	path[length > 0 ? length : 0] = '\0';
}

typedef void visitor(pid_t pid, void *context);

/* Each thread has the children that it forked. */
static void walk(pid_t pid, pid_t except, visitor *visit, void *context, int depth)
{
	char path[64], children[400];
	struct dirent *entry;
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	tasks = depth < DEPTH_MAX ? opendir(path) : NULL;
	if (tasks == NULL)
		return;
	while ((entry = readdir(tasks)) != NULL) {
		FILE *file;
		int child;

		snprintf(children, sizeof(children), "%s/%s/children", path, entry->d_name);
		file = entry->d_name[0] != '.' ? fopen(children, "re") : NULL;
		if (file == NULL)
			continue;
		while (fscanf(file, "%d", &child) == 1) {
			if (child == except)
				continue;
			visit(child, context);
			walk(child, except, visit, context, depth + 1);
		}
		fclose(file);
	}
	closedir(tasks);
}

struct peaks {
	const char *program;
	struct sample *sample;
};

static void note_peak(pid_t pid, void *context)
{
	struct peaks *peaks = context;
	char theirs[WATCH_PATH_BYTES], ours[WATCH_PATH_BYTES];
	uint64_t bytes = peak_bytes(pid), *peak;

	watch_executable(pid, theirs);
	watch_executable(getpid(), ours);
	/* Before its exec a child is a copy of us. */
	if (*theirs == '\0' || strcmp(theirs, ours) == 0)
		return;
	peak = strcmp(theirs, peaks->program) == 0 ? &peaks->sample->program_bytes
						   : &peaks->sample->recorder_bytes;
	if (bytes > *peak)
		*peak = bytes;
}

void watch_peaks(const char *program, pid_t other, struct sample *sample)
{
	walk(getpid(), other, note_peak, &(struct peaks){program, sample}, 0);
}

static void name_process(pid_t pid, void *context)
{
	char path[WATCH_PATH_BYTES];

	watch_executable(pid, path);
	fprintf(context, " %s (%d)", path, (int)pid);
}

void watch_name(FILE *file)
{
	walk(getpid(), 0, name_process, file, 0);
}
