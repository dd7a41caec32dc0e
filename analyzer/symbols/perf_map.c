/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/symbols/perf_map.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "formats/error.h"

#define LINE_BYTES           4096
#define STEPS_BETWEEN_CHECKS 4096

/* Anyone may put a file there: only ourselves and root are believed. Root, who
 * profiles other users' programs, believes all: at worst a name is wrong. */
static int open_map(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);
	if (fd < 0)
		return ERROR_SYSTEM;
	struct stat status;
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
	    (status.st_uid == geteuid() || status.st_uid == 0 || geteuid() == 0))
		return fd;
	close(fd);
	return ERROR_FOREIGN;
}

/* True when it is time to stop. */
static int is_late(uint64_t deadline)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return deadline && (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec >= deadline;
}

static int parse_hex(char **text, uint64_t *number)
{
	char *end;
	if (!isxdigit((unsigned char)**text))
		return -1;
	*number = strtoull(*text, &end, 16);
	if (end == *text || (*end != ' ' && *end != '\t'))
		return -1;
	*text = end + strspn(end, " \t");
	return 0;
}

static size_t first_at(const struct perf_map_name *names, size_t count, uint64_t address)
{
	size_t low = 0, high = count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (names[middle].address < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* *steps grows with what it costs. */
static int apply_line(char *line, struct perf_map_name *names, size_t count, size_t *steps)
{
	uint64_t start, size;
	if (parse_hex(&line, &start) < 0 || parse_hex(&line, &size) < 0)
		return 0;
	line[strcspn(line, "\r\n")] = '\0';
	if (!*line)
		return 0;
	for (size_t i = first_at(names, count, start); i < count && names[i].address - start < size;
	     i++) {
		char *name = strdup(line);
		if (!name)
			return ERROR_MEMORY;
		free(names[i].name);
		names[i].name = name;
		++*steps;
	}
	return 0;
}

int perf_map_take(FILE *map, struct perf_map_name *names, size_t count, uint64_t deadline)
{
	char line[LINE_BYTES];
	int status = 0, continued = 0;
	size_t steps = 0;
	while (status == 0 && fgets(line, sizeof(line), map)) {
		/* of a line that is too long only the beginning is used */
		int whole = strchr(line, '\n') != NULL;
		if (!continued)
			status = apply_line(line, names, count, &steps);
		continued = !whole;
		if (++steps >= STEPS_BETWEEN_CHECKS) {
			if (is_late(deadline))
				break;
			steps = 0;
		}
	}
	return status;
}

int perf_map_read(const char *path, struct perf_map_name *names, size_t count, uint64_t deadline)
{
	int fd = open_map(path);
	if (fd < 0)
		return fd;
	FILE *map = fdopen(fd, "r");
	if (!map) {
		close(fd);
		return ERROR_MEMORY;
	}
	int status = perf_map_take(map, names, count, deadline);
	fclose(map);
	return status;
}
