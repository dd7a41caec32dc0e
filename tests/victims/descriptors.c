/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Nothing of the collector's is in the program: no descriptor, thread, child or signal
 * handler. Then it closes every descriptor that it could have, by closefrom() and by
 * close_range(), opens files of its own under the same numbers, or puts them there by dup2(), and
 * writes them while it allocates: they hold what it wrote.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>

#include "expect.h"

#define FILES 60
#define LINES 300

static int entries(const char *folder)
{
	DIR *directory = opendir(folder);
	int count = 0;

	MUST(directory);
	for (struct dirent *entry; (entry = readdir(directory));)
		count += entry->d_name[0] != '.';
	closedir(directory);
	return count;
}

static void nothing_is_here(void)
{
	char line[256];
	FILE *status;

	MUST(entries("/proc/self/task") == 1);
	MUST(entries("/proc/self/fd") == 4); /* 0, 1, 2 and the folder itself */
	MUST(wait(NULL) == -1 && errno == ECHILD);
	MUST(status = fopen("/proc/self/status", "r"));
	while (fgets(line, sizeof(line), status)) {
		if (!strncmp(line, "SigCgt:", 7))
			MUST(strtoull(line + 7, NULL, 16) == 0);
		if (!strncmp(line, "SigBlk:", 7))
			MUST(strtoull(line + 7, NULL, 16) == 0);
		/* make leaves libc's own two ignored: 32 and 33 */
		if (!strncmp(line, "SigIgn:", 7))
			MUST((strtoull(line + 7, NULL, 16) & ~(UINT64_C(3) << 31)) == 0);
	}
	fclose(status);
}

static void write_all(const int *file)
{
	for (int i = 0; i < LINES; i++) {
		for (int at = 0; at < FILES; at++) {
			char *line;
			int length = asprintf(&line, "file %d line %d\n", at, i);

			MUST(length > 0 && write(file[at], line, (size_t)length) == length);
			free(line);
		}
	}
}

static void check_all(void)
{
	for (int at = 0; at < FILES; at++) {
		char name[32], line[64], expected[64];
		FILE *file;

		snprintf(name, sizeof(name), "out.%d", at);
		MUST(file = fopen(name, "r"));
		for (int i = 0; i < LINES; i++) {
			snprintf(expected, sizeof(expected), "file %d line %d\n", at, i);
			MUST(fgets(line, sizeof(line), file) && !strcmp(line, expected));
		}
		MUST(!fgets(line, sizeof(line), file));
		fclose(file);
	}
}

int main(void)
{
	int file[FILES];

	nothing_is_here();
	closefrom(3);
	for (int at = 0; at < FILES; at++) {
		char name[32];

		snprintf(name, sizeof(name), "out.%d", at);
		MUST((file[at] = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600)) == 3 + at);
	}
	write_all(file);
	closefrom(3);
	check_all();
	/* Once more, each file put where something else may be, the last first. */
	for (int at = FILES - 1; at >= 0; at--) {
		char name[32];
		int fd;

		snprintf(name, sizeof(name), "out.%d", at);
		MUST((fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600)) >= 0);
		file[at] = 3 + at;
		MUST(dup2(fd, file[at]) == file[at]);
		if (fd != file[at])
			close(fd);
	}
	write_all(file);
	MUST(!close_range(3, ~0u, 0));
	check_all();
	nothing_is_here();
	say("fine\n");
	/* The trace must be whole without standard descriptors, too. */
	close(0);
	close(1);
	close(2);
	free(malloc(12345));
	return 0;
}
