/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which process a session is of, what it is, and the metadata in its trace. */
#define _GNU_SOURCE
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "formats/version.h"
#include "libcollect/recorder/procfs.h"
#include "libcollect/recorder/recording.h"

enum { DEFAULT_DEPTH = 1024 };

/*
 * The session says what getpid() gave. That is another process' number where
 * the program lives in a pid namespace of its own, and nobody's when it was
 * quick; only a process that has our segment mapped is the one.
 */
void recording_find_process(struct recording *recording, const struct recording *relative)
{
	int id = recording->common->shared.id;
	enum proc_mapped mapped;
	pid_t inside = 0;

	recording->pid = recording->passed ? 0 : recording->own_pid;
	if (recording->passed)
		return;
	if (recording->pidfd < 0)
		recording->pidfd = proc_pidfd(recording->pid);
	recording->pidfd_number = proc_pidfd_number(recording->pidfd);
	mapped = proc_maps_segment(recording->pid, id);
	if (mapped == PROC_MAPPED)
		return;
	/* Looking through all of /proc takes milliseconds: not where numbers mean
	 * the same to a relative. */
	if (relative == NULL || relative->pid == 0 || relative->unverified ||
	    relative->other_namespace ||
	    (recording->session->parent_pid != relative->own_pid &&
	     recording->own_pid != relative->own_pid))
		inside = proc_find_inside(recording->own_pid, id);
	if (inside == 0) {
		/* Of one that is just ending, or that we may not look at, the pidfd tells. */
		recording->unverified = mapped == PROC_UNKNOWN;
		if (mapped == PROC_NOT_MAPPED || recording->pidfd < 0)
			recording->pid = 0;
		/* It lives, or did a moment ago, and is something else. */
		recording->passed = mapped == PROC_NOT_MAPPED && recording->pidfd >= 0 &&
				    (relative == NULL || !relative->other_namespace);
		return;
	}
	if (recording->pidfd >= 0)
		close(recording->pidfd);
	recording->pid = inside;
	recording->pidfd = proc_pidfd(inside);
	recording->pidfd_number = proc_pidfd_number(recording->pidfd);
	recording->other_namespace = 1;
}

static char *copy(const char *text)
{
	return text != NULL ? strdup(text) : NULL;
}

/* As in /proc/PID/cmdline. */
static char *join_arguments(char *const *argv, size_t *size)
{
	size_t used = 0;
	char *text;

	for (size_t i = 0; argv[i] != NULL; i++)
		used += strlen(argv[i]) + 1;
	text = malloc(used + 1);
	*size = text != NULL ? used : 0;
	for (size_t i = 0, at = 0; text != NULL && argv[i] != NULL; i++) {
		size_t bytes = strlen(argv[i]) + 1;

		memcpy(text + at, argv[i], bytes);
		at += bytes;
	}
	return text;
}

static void copy_arguments(struct recording *recording, const struct recording *from)
{
	if (from->arguments == NULL)
		return;
	recording->arguments = malloc(from->arguments_size + 1);
	if (recording->arguments == NULL)
		return;
	memcpy(recording->arguments, from->arguments, from->arguments_size);
	recording->arguments_size = from->arguments_size;
}

int recording_is_leaving(const struct recording *recording)
{
	return recording->session != NULL && atomic_load(&recording->session->execing) != 0;
}

static int ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), bytes = strlen(end);

	return length >= bytes && strcmp(text + length - bytes, end) == 0;
}

/* What the process itself said, when it was this image. /proc, which may tell of another
 * one by now, is believed where it agrees and knows more: the way from our root, or the
 * rest of a path that was cut. */
static void find_program(struct recording *recording)
{
	static const char deleted[] = " (deleted)";
	char known[sizeof(recording->session->program)];
	char *seen = recording->pid != 0 ? proc_program(recording->pid) : NULL;
	int leaving = recording_is_leaving(recording), cut;

	report_copy(known, sizeof(known), recording->session->program);
	cut = strlen(known) == sizeof(known) - 1;
	if (ends_with(known, deleted))
		known[strlen(known) - strlen(deleted)] = '\0';
	if (seen != NULL && (known[0] == '\0'         ? !leaving
			     : cut && known[0] == '/' ? strncmp(seen, known, strlen(known)) == 0
						      : ends_with(seen, known))) {
		recording->program = seen;
		return;
	}
	free(seen);
	recording->program = known[0] != '\0' ? strdup(known) : NULL;
}

static void find_arguments(struct recording *recording)
{
	const struct session *session = recording->session;
	uint32_t bytes = session->arguments_bytes;
	size_t seen_bytes = 0;
	char *seen = NULL;

	if (bytes > sizeof(session->arguments))
		bytes = 0;
	if (recording->pid != 0 && (bytes == 0 || bytes == sizeof(session->arguments)))
		seen = proc_read(recording->pid, "cmdline", &seen_bytes);
	if (seen != NULL && seen_bytes > bytes &&
	    (bytes == 0 ? !recording_is_leaving(recording)
			: memcmp(seen, session->arguments, bytes) == 0)) {
		recording->arguments = seen;
		recording->arguments_size = seen_bytes;
		return;
	}
	free(seen);
	recording->arguments = bytes != 0 ? malloc(bytes + 1) : NULL;
	if (recording->arguments == NULL)
		return;
	memcpy(recording->arguments, session->arguments, bytes);
	recording->arguments[bytes] = '\0';
	recording->arguments_size = bytes;
}

/* A forked child is what its parent was. */
void recording_describe(struct recording *recording, const struct recording *parent)
{
	const struct recorder_options *options = recording->common->options;
	const struct recording *same = recording->session->origin == ORIGIN_FORK ? parent : NULL;
	pid_t pid = recording->passed ? recording->own_pid : recording->pid;

	if (pid != 0)
		recording->folder = proc_link(pid, "cwd");
	if (same != NULL) {
		recording->program = copy(same->program);
		copy_arguments(recording, same);
		if (recording->folder == NULL)
			recording->folder = copy(same->folder);
		return;
	}
	if (recording->folder == NULL && recording->origin == TRACE_ORIGIN_LAUNCHED)
		recording->folder = copy(options->folder);
	find_program(recording);
	find_arguments(recording);
	if (recording->arguments == NULL && recording->origin == TRACE_ORIGIN_LAUNCHED &&
	    options->first_argv != NULL)
		recording->arguments =
		    join_arguments(options->first_argv, &recording->arguments_size);
}

/* Nanoseconds since 1970 when the session opened. */
static uint64_t start_time(const struct recording *recording)
{
	const struct clock *clock = &recording->common->clock;
	struct timespec now;
	uint64_t ago = 0, at;

	if (recording->session != NULL) {
		at = clock_now(clock);
		if (at > recording->session->opened)
			ago = clock_to_ns(clock, at - recording->session->opened);
	}
	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec - ago;
}

static void write_bytes(struct trace_writer *writer, enum trace_meta_tag tag, const char *text)
{
	if (text != NULL)
		trace_writer_meta_bytes(writer, tag, text, strlen(text));
}

static void write_arguments(struct recording *recording)
{
	size_t at = 0;

	while (at < recording->arguments_size) {
		const char *argument = recording->arguments + at;
		size_t length = strnlen(argument, recording->arguments_size - at);

		trace_writer_meta_bytes(recording->writer, TRACE_META_ARGUMENT, argument, length);
		at += length + 1;
	}
}

void recording_write_meta(struct recording *recording, const struct recording *parent)
{
	struct trace_writer *writer = recording->writer;
	unsigned depth = recording->common->options->max_depth;
	char host[HOST_NAME_MAX + 1] = "";
	uint64_t parent_pid = 0;

	if (writer == NULL || recording->write_error != 0)
		return;
	gethostname(host, sizeof(host) - 1);
	if (recording->session != NULL)
		parent_pid = (uint64_t)recording->session->parent_pid;
	write_bytes(writer, TRACE_META_PROGRAM,
		    recording->program != NULL ? recording->program : recording->name);
	write_arguments(recording);
	write_bytes(writer, TRACE_META_HOST, host);
	trace_writer_meta_number(writer, TRACE_META_PID, (uint64_t)recording->own_pid);
	trace_writer_meta_number(writer, TRACE_META_PARENT_PID, parent_pid);
	trace_writer_meta_number(writer, TRACE_META_START, start_time(recording));
	trace_writer_meta_number(writer, TRACE_META_PAGE_SIZE, (uint64_t)sysconf(_SC_PAGESIZE));
	write_bytes(writer, TRACE_META_COLLECTOR, "mallograph " MALLOGRAPH_VERSION);
	trace_writer_meta_number(writer, TRACE_META_ORIGIN, recording->origin);
	if (recording->origin == TRACE_ORIGIN_FORKED && parent != NULL)
		write_bytes(writer, TRACE_META_PARENT_TRACE, base_name(parent->output.name));
	trace_writer_meta_number(writer, TRACE_META_MAX_DEPTH, depth != 0 ? depth : DEFAULT_DEPTH);
	write_bytes(writer, TRACE_META_FOLDER, recording->folder);
	recording_check_writer(recording, trace_writer_flush(writer));
}
