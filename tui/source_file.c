/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tui/source.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyzer/query/names.h"
#include "formats/error.h"

/* A folder of sources is looked through as far as nobody has to wait. */
enum { WALK_ENTRIES = 20000, WALK_DEPTH = 16 };

/* --- reading ------------------------------------------------------------------------------ */

static int read_text(struct source_file *file, int fd)
{
	size_t room = 65536;

	for (;;) {
		char *larger =
		    file->size == room || !file->text ? realloc(file->text, room *= 2) : file->text;
		ssize_t got;

		if (!larger)
			return ERROR_MEMORY;
		file->text = larger;
		got = read(fd, file->text + file->size, room - file->size);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return ERROR_SYSTEM;
		file->size += (size_t)got;
		if (!got)
			return 0;
		if (file->size > SOURCE_MOST_BYTES) {
			file->size = SOURCE_MOST_BYTES;
			file->cut = 1;
			return 0;
		}
	}
}

static int find_lines(struct source_file *file)
{
	size_t count = 1;
	const char *end = file->text + file->size;

	for (const char *at = file->text; at < end && count <= SOURCE_MOST_LINES; at++)
		count += *at == '\n';
	file->lines = calloc(count + 1, sizeof(*file->lines));
	if (!file->lines)
		return ERROR_MEMORY;
	for (const char *at = file->text; at < end; file->line_count++) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));

		if (file->line_count == SOURCE_MOST_LINES) {
			file->cut = 1;
			break;
		}
		at = stop ? stop + 1 : end;
		file->lines[file->line_count + 1] = (uint32_t)(at - file->text);
	}
	return 0;
}

/* Not every name is that of a file: a pipe must not block us, nor a terminal become ours. */
static int open_path(struct source_file *file, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat status;
	int error = 0;

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG ? ERROR_EMPTY
										    : ERROR_SYSTEM;
	if (fstat(fd, &status))
		error = ERROR_SYSTEM;
	else if (!S_ISREG(status.st_mode))
		error = ERROR_UNSUPPORTED;
	if (!error) {
		file->modified = status.st_mtim;
		error = read_text(file, fd);
	}
	close(fd);
	if (!error)
		error = find_lines(file);
	if (!error) {
		file->path = strdup(path);
		error = file->path ? 0 : ERROR_MEMORY;
	}
	return error;
}

void source_release(struct source_file *file)
{
	free(file->path);
	free(file->text);
	free(file->lines);
	*file = (struct source_file){0};
}

const char *source_line(const struct source_file *file, size_t line, size_t *length)
{
	uint32_t from = file->lines[line - 1], to = file->lines[line];

	while (to > from && (file->text[to - 1] == '\n' || file->text[to - 1] == '\r'))
		to--;
	*length = to - from;
	return file->text + from;
}

/* --- finding ------------------------------------------------------------------------------ */

/* How many names at the ends of two paths are the same. */
static int common_names(const char *one, const char *other)
{
	size_t left = strlen(one), right = strlen(other);
	int names = 0;

	while (left && right && one[left - 1] == other[right - 1]) {
		left--;
		right--;
		names += one[left] == '/';
	}
	return names + ((!left || one[left - 1] == '/') && (!right || other[right - 1] == '/') &&
			one[left] != '/');
}

static char *search_below(const char *folder, const char *name)
{
	char *roots[] = {strdup(folder), NULL}, *best = NULL;
	FTS *walk = roots[0] ? fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL) : NULL;
	int most = 0, left = WALK_ENTRIES;
	FTSENT *entry;

	while (walk && left-- && (entry = fts_read(walk))) {
		int names;

		if (entry->fts_info == FTS_D && entry->fts_level &&
		    (entry->fts_name[0] == '.' || entry->fts_level > WALK_DEPTH))
			fts_set(walk, entry, FTS_SKIP);
		if (entry->fts_info != FTS_F || strcmp(entry->fts_name, name_base(name)) != 0)
			continue;
		names = common_names(entry->fts_path, name);
		if (names <= most)
			continue;
		most = names;
		free(best);
		best = strdup(entry->fts_path);
	}
	if (walk)
		fts_close(walk);
	free(roots[0]);
	return best;
}

static int open_below(struct source_file *file, const char *folder, const char *name)
{
	char *path = search_below(folder, name);
	int error = path ? open_path(file, path) : ERROR_EMPTY;

	free(path);
	return error;
}

/* Straight where the end of the name leads, from the longest on: a large folder need not be
 * searched for that. The name alone could be any of several files. */
static int open_end_below(struct source_file *file, const char *folder, const char *name)
{
	int error = ERROR_EMPTY;

	for (const char *end = name; error == ERROR_EMPTY && end && strchr(end, '/');) {
		char *path = NULL;

		while (*end == '/')
			end++;
		if (!strchr(end, '/'))
			break;
		if (strncmp(end, "../", 3) != 0) {
			if (asprintf(&path, "%s/%s", folder, end) < 0)
				return ERROR_MEMORY;
			error = open_path(file, path);
			free(path);
		}
		end = strchr(end, '/');
	}
	return error;
}

int source_open(struct source_file *file, const char *name, const char *folder, const char *below)
{
	int error = ERROR_EMPTY;
	char *path = NULL;

	*file = (struct source_file){0};
	if (below)
		error = open_end_below(file, below, name);
	if (below && error == ERROR_EMPTY)
		error = open_below(file, below, name);
	if (error != ERROR_EMPTY)
		return error;
	if (*name == '/' || !folder)
		return open_path(file, name);
	if (asprintf(&path, "%s/%s", folder, name) < 0)
		return ERROR_MEMORY;
	error = open_path(file, path);
	free(path);
	return error;
}
