/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The child writes a record for each location that it knows, in the machine's
 * own byte order: struct found, then for each frame struct found_frame and the bytes of
 * its two names. What __lsan_default_suppressions returns stands for location 0: one frame, the
 * text as its function, and line 1 where there is none. The parent takes whole, plausible records
 * and stops at the first other one. The child's status is its trouble with servers.
 */
#include "analyzer/model/resolve.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "analyzer/model/load_trace.h"
#include "analyzer/model/scan.h"
#include "analyzer/symbols/debuginfod.h"
#include "analyzer/symbols/symbolize.h"
#include "formats/error.h"

enum { FRAMES_MOST = 64, NAME_MOST = 1 << 16, SECONDS = 30, MEGABYTES = 4000 };
enum { SECONDS_OF_SERVERS = 600 }; /* debug information may be gigabytes */

struct found {
	uint32_t location, frames;
};
struct found_frame {
	uint32_t line, function_bytes, file_bytes; /* 0 bytes: unknown */
};

/* --- the child ------------------------------------------------------------ */

static void limit(int resource, rlim_t value)
{
	struct rlimit both = {value, value};

	setrlimit(resource, &both);
}

static void write_frames(FILE *out, uint32_t location, const struct symbol_frame *frames,
			 size_t count)
{
	struct found found = {location, (uint32_t)count};

	fwrite(&found, sizeof(found), 1, out);
	for (size_t i = 0; i < count; i++) {
		const char *function = frames[i].function != NULL ? frames[i].function : "";
		const char *file = frames[i].file != NULL ? frames[i].file : "";
		struct found_frame frame = {frames[i].line, (uint32_t)strnlen(function, NAME_MOST),
					    (uint32_t)strnlen(file, NAME_MOST)};

		fwrite(&frame, sizeof(frame), 1, out);
		fwrite(function, 1, frame.function_bytes, out);
		fwrite(file, 1, frame.file_bytes, out);
	}
}

/* Whether better may be known of a location than what the trace says. */
static int is_open(const struct profile *profile, const struct profile_location *at)
{
	return at->frame_count == 0 || profile->frames[at->frame].function == NULL ||
	       profile->frames[at->frame].file == NULL;
}

static int has_open(const struct profile *profile, uint32_t module)
{
	for (size_t i = 1; i < profile->location_count; i++)
		if (profile->locations[i].module == module &&
		    is_open(profile, &profile->locations[i]))
			return 1;
	return 0;
}

/* A name for a name only is no news. */
static int is_better(const struct profile *profile, const struct profile_location *at,
		     const struct symbol_frame *frames, size_t count)
{
	return count > 0 && (at->frame_count == 0 || frames[0].file != NULL ||
			     profile->frames[at->frame].function == NULL);
}

static void write_suppressions(FILE *out, const struct symbol_module *symbols)
{
	char *text;

	if (symbol_module_suppressions(symbols, &text) > 0)
		write_frames(out, 0, &(struct symbol_frame){.function = text, .line = !text}, 1);
	free(text);
}

static void name_module(FILE *out, const struct profile *profile, uint32_t id,
			const struct resolve_options *resolve)
{
	const struct profile_module *module = &profile->modules[id];
	const struct symbol_options options = {
	    .sysroot = resolve->sysroot,
	    .debuginfod = resolve->debuginfod,
	    .debug_info = 1,
	};
	const char *path = *module->path != '\0' ? module->path : profile->program;
	struct symbol_frame frames[FRAMES_MOST];
	struct symbol_module *symbols;

	/* (a module without a place: its addresses are the process' own) */
	if (path == NULL || module->end == 0 || !has_open(profile, id) ||
	    symbol_module_open(&symbols, path, -1, module->build_id, module->build_id_bytes,
			       &options) != 0)
		return;
	write_suppressions(out, symbols);
	for (size_t i = 1; i < profile->location_count; i++) {
		const struct profile_location *at = &profile->locations[i];
		size_t count;

		if (at->module != id || !is_open(profile, at))
			continue;
		count = symbol_module_find(symbols,
					   module->start + (uint64_t)at->offset - module->base - 1,
					   frames, FRAMES_MOST);
		if (is_better(profile, at, frames, count))
			write_frames(out, (uint32_t)i, frames, count);
	}
	fflush(out);
	symbol_module_close(symbols);
}

static int is_program(const struct profile *profile, const struct profile_module *module)
{
	return *module->path == '\0' ||
	       (profile->program != NULL && strcmp(module->path, profile->program) == 0);
}

static void name_all(int fd, const struct profile *profile, const struct resolve_options *options)
{
	FILE *out = fdopen(fd, "w");
	unsigned seconds = options->debuginfod ? SECONDS_OF_SERVERS : SECONDS;

	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_CPU, seconds);
#ifndef __SANITIZE_ADDRESS__ /* which reserves terabytes */
	limit(RLIMIT_AS, (rlim_t)MEGABYTES * 1000000u);
#endif
	signal(SIGALRM, SIG_DFL);
	alarm(seconds);
	for (int program = 1; program >= 0; program--)
		for (size_t id = 1; out != NULL && id < profile->module_count; id++)
			if (is_program(profile, &profile->modules[id]) == program)
				name_module(out, profile, (uint32_t)id, options);
	if (out != NULL)
		fclose(out);
	_exit((int)debuginfod_trouble());
}

/* --- the parent ------------------------------------------------------------ */

/* A string of the profile's own, NULL for none. Returns 0 or ERROR_MEMORY; 1: the input ends. */
static int read_name(FILE *in, struct profile *profile, uint32_t bytes, const char **name)
{
	char **strings, *text;

	*name = NULL;
	if (bytes == 0)
		return 0;
	strings = realloc(profile->strings, (profile->string_count + 1) * sizeof(*strings));
	if (strings == NULL)
		return ERROR_MEMORY;
	profile->strings = strings;
	text = malloc((size_t)bytes + 1);
	if (text == NULL)
		return ERROR_MEMORY;
	if (fread(text, 1, bytes, in) != bytes) {
		free(text);
		return 1;
	}
	text[bytes] = '\0';
	profile->strings[profile->string_count++] = text;
	*name = text;
	return 0;
}

/* The first that is told counts. */
static int read_suppressions(FILE *in, struct profile *profile)
{
	struct found_frame read;
	char *text;

	if (fread(&read, sizeof(read), 1, in) != 1 || read.function_bytes > NAME_MOST ||
	    read.file_bytes > 0)
		return 1;
	text = malloc((size_t)read.function_bytes + 1);
	if (text == NULL)
		return ERROR_MEMORY;
	text[read.function_bytes] = '\0';
	if (fread(text, 1, read.function_bytes, in) != read.function_bytes) {
		free(text);
		return 1;
	}
	if (profile->suppression_count == 0 && !profile->suppressions_unread && !read.line)
		return loader_add_suppressions(profile, text);
	if (profile->suppression_count == 0)
		profile->suppressions_unread = 1;
	free(text);
	return 0;
}

static int read_frames(FILE *in, struct profile *profile, const struct found *found)
{
	struct profile_location *location = &profile->locations[found->location];
	struct profile_frame *frames =
	    realloc(profile->frames, (profile->frame_count + found->frames) * sizeof(*frames));
	uint32_t first = (uint32_t)profile->frame_count;

	if (frames == NULL)
		return ERROR_MEMORY;
	profile->frames = frames;
	for (uint32_t i = 0; i < found->frames; i++) {
		struct profile_frame *frame = &frames[first + i];
		struct found_frame read;
		int error;

		if (fread(&read, sizeof(read), 1, in) != 1 || read.function_bytes > NAME_MOST ||
		    read.file_bytes > NAME_MOST)
			return 1;
		frame->line = read.line;
		error = read_name(in, profile, read.function_bytes, &frame->function);
		if (error == 0)
			error = read_name(in, profile, read.file_bytes, &frame->file);
		if (error != 0)
			return error;
	}
	profile->frame_count += found->frames;
	location->frame = first;
	location->frame_count = found->frames;
	return 0;
}

static int read_all(FILE *in, struct profile *profile)
{
	uint64_t count = 0;
	struct found found;
	int error = 0;

	while (error == 0 && fread(&found, sizeof(found), 1, in) == 1) {
		if (found.location >= profile->location_count || found.frames == 0 ||
		    found.frames > FRAMES_MOST)
			return 0;
		scan_watch_tell(profile->path, ++count, profile->location_count);
		error = found.location == 0 ? read_suppressions(in, profile)
					    : read_frames(in, profile, &found);
	}
	return error < 0 ? error : 0;
}

int profile_resolve(struct profile *profile, const struct resolve_options *options,
		    const char **complaint)
{
	int asked = options->sysroot != NULL || options->debuginfod;
	int ends[2], error, status = 0;
	pid_t child;
	FILE *in;

	*complaint = NULL;
	if ((profile->string_count > 1 && !asked) || profile->location_count <= 1 ||
	    pipe(ends) != 0)
		return 0;
	child = fork();
	if (child == 0) {
		close(ends[0]);
		name_all(ends[1], profile, options);
	}
	close(ends[1]);
	in = fdopen(ends[0], "r");
	error = in != NULL ? read_all(in, profile) : ERROR_MEMORY;
	scan_watch_tell(NULL, 0, 0);
	if (in != NULL)
		fclose(in);
	else
		close(ends[0]);
	while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status))
		*complaint = debuginfod_trouble_text(WEXITSTATUS(status));
	return error;
}
