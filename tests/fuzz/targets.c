/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

const struct fuzz_target fuzz_targets[] = {
    {"trace", fuzz_trace, fuzz_trace_mend},
    {"blocks", fuzz_blocks, NULL},
    {"heaptrack", fuzz_heaptrack, NULL},
    {"packed", fuzz_packed, NULL},
    {"suppressions", fuzz_suppressions, NULL},
    {"filter", fuzz_filter, NULL},
    {"perf_map", fuzz_perf_map, NULL},
    {"elf", fuzz_elf, NULL},
    {"unwind", fuzz_unwind, NULL},
    {"tui", fuzz_tui, NULL},
    {NULL, NULL, NULL},
};

const struct fuzz_target *fuzz_find(const char *name)
{
	const struct fuzz_target *target = fuzz_targets;

	while (target->name && strcmp(target->name, name) != 0)
		target++;
	return target->name ? target : NULL;
}

const char *fuzz_file(int number, const uint8_t *bytes, size_t size)
{
	static char paths[2][32];
	static int fds[2] = {-1, -1};
	int *fd = &fds[number];

	if (*fd < 0) {
		*fd = memfd_create("fuzz", MFD_CLOEXEC);
		snprintf(paths[number], sizeof(paths[number]), "/proc/self/fd/%d", *fd);
	}
	if (*fd < 0 || ftruncate(*fd, 0) || pwrite(*fd, bytes, size, 0) != (ssize_t)size) {
		perror("memfd");
		exit(2);
	}
	return paths[number];
}

char *fuzz_text(const uint8_t *bytes, size_t size)
{
	char *text = malloc(size + 1);

	if (!text)
		exit(2);
	if (size)
		memcpy(text, bytes, size);
	text[size] = '\0';
	return text;
}
