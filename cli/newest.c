/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A run leaves a trace for each process, and that of a child may be the newest; so may that of one
 * that lives on. The first process is the one that was launched, and where it became other
 * programs by exec, the last of these: of the same number, and begun later. */
#include "cli/newest.h"

#include <dirent.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "formats/trace/reader.h"

struct candidate {
	char name[INPUT_NAME_BYTES];
	struct timespec written;
	int known; /* what follows is */
	uint64_t origin, pid, start;
};

struct candidates {
	struct candidate *all;
	size_t count, room;
};

static int add(struct candidates *candidates, const char *name, const struct stat *status)
{
	struct candidate *candidate;

	if (candidates->count == candidates->room) {
		size_t room = candidates->room ? candidates->room * 2 : 16;

		candidate = reallocarray(candidates->all, room, sizeof(*candidate));
		if (!candidate)
			return 0;
		candidates->all = candidate;
		candidates->room = room;
	}
	candidate = &candidates->all[candidates->count++];
	*candidate = (struct candidate){.written = status->st_mtim};
	strcpy(candidate->name, name);
	return 1;
}

static int compare_age(const void *a, const void *b)
{
	const struct candidate *left = a, *right = b;

	if (left->written.tv_sec != right->written.tv_sec)
		return left->written.tv_sec < right->written.tv_sec ? 1 : -1;
	if (left->written.tv_nsec != right->written.tv_nsec)
		return left->written.tv_nsec < right->written.tv_nsec ? 1 : -1;
	return strcmp(left->name, right->name);
}

static void gather(struct candidates *candidates)
{
	DIR *folder = opendir(".");
	struct dirent *entry;

	if (!folder)
		return;
	while ((entry = readdir(folder)) != NULL) {
		struct stat status;

		if (strlen(entry->d_name) >= INPUT_NAME_BYTES ||
		    fnmatch(NEWEST_PATTERN, entry->d_name, 0) || stat(entry->d_name, &status) ||
		    !S_ISREG(status.st_mode))
			continue;
		if (!add(candidates, entry->d_name, &status))
			break;
	}
	closedir(folder);
	if (candidates->count)
		qsort(candidates->all, candidates->count, sizeof(*candidates->all), compare_age);
}

/* The origin is behind the others: no more is read. */
static int take_field(void *context, const struct trace_field *field)
{
	struct candidate *candidate = context;

	if (field->tag == TRACE_META_PID)
		candidate->pid = field->number;
	if (field->tag == TRACE_META_START)
		candidate->start = field->number;
	if (field->tag != TRACE_META_ORIGIN)
		return 0;
	candidate->origin = field->number;
	candidate->known = 1;
	return 1;
}

static void read_origin(struct candidate *candidate)
{
	static const struct trace_visitor visitor = {.meta = take_field};
	struct trace_reader *reader;
	enum trace_state state;

	if (trace_reader_open(&reader, candidate->name))
		return;
	trace_reader_read(reader, &visitor, candidate, &state);
	trace_reader_close(reader);
}

/* Files' times are some milliseconds behind the clock's. */
static int is_written_since(const struct candidate *candidate, uint64_t start)
{
	return (uint64_t)candidate->written.tv_sec + 1 >= start / 1000000000;
}

static size_t first_process(struct candidate *all, size_t count)
{
	const struct candidate *launched = NULL;
	size_t end, best = 0;

	for (end = 0; end < count; end++) {
		struct candidate *at = &all[end];

		if (launched && !is_written_since(at, launched->start))
			break;
		read_origin(at);
		if (launched || !at->known ||
		    (at->origin != TRACE_ORIGIN_LAUNCHED && at->origin != TRACE_ORIGIN_PRELOADED))
			continue;
		launched = at;
		best = end;
	}
	for (size_t i = 0; launched && i < end; i++)
		if (all[i].known && all[i].origin == TRACE_ORIGIN_EXECED &&
		    all[i].pid == launched->pid && all[i].start > all[best].start)
			best = i;
	return best;
}

enum newest newest_find(char *name)
{
	struct candidates candidates = {0};
	enum newest found = NEWEST_NONE;

	gather(&candidates);
	if (candidates.count) {
		size_t first = first_process(candidates.all, candidates.count);

		strcpy(name, candidates.all[first].name);
		found = first ? NEWEST_FIRST : NEWEST_TRACE;
	}
	free(candidates.all);
	return found;
}
