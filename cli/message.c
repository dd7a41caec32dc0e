/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE /* vasprintf */
#include "cli/message.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "formats/error.h"
#include "formats/numbers.h"

#define PREFIX "mallograph: "
/* Most messages begin with a file's name, which may be empty by mistake: print "$UNSET". */
#define PREFIX_UNNAMED PREFIX "''"

static void write_whole(int fd, const char *bytes, size_t count)
{
	while (count) {
		ssize_t written = write(fd, bytes, count);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return;
		bytes += written;
		count -= (size_t)written;
	}
}

static void say(const char *format, va_list arguments)
{
	int saved_errno = errno;
	char *text = NULL, *line = NULL;
	int length = vasprintf(&text, format, arguments);
	const char *prefix;
	size_t escaped, begins;

	if (length < 0) {
		static const char poor[] = PREFIX "out of memory\n";

		write_whole(STDERR_FILENO, poor, sizeof(poor) - 1);
		errno = saved_errno;
		return;
	}
	prefix = strncmp(text, ": ", 2) ? PREFIX : PREFIX_UNNAMED;
	begins = strlen(prefix);
	escaped = text_escape(NULL, 0, text, (size_t)length);
	line = malloc(begins + escaped + 2);
	if (line) {
		memcpy(line, prefix, begins);
		text_escape(line + begins, escaped + 1, text, (size_t)length);
		line[begins + escaped] = '\n';
		write_whole(STDERR_FILENO, line, begins + escaped + 1);
	}
	free(line);
	free(text);
	errno = saved_errno;
}

void message(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(format, arguments);
	va_end(arguments);
}

int message_failed(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(format, arguments);
	va_end(arguments);
	return STATUS_FAILED;
}

int message_usage(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(format, arguments);
	va_end(arguments);
	return STATUS_USAGE;
}

int message_trace_error(const char *path, int error)
{
	const char *name = strcmp(path, "-") ? path : "standard input";

	switch (error) {
	case ERROR_SYSTEM:
		return message_failed("%s: %s", name, strerror(errno));
	case ERROR_DIRECTORY:
		return message_failed("%s: %s: name a trace in it", name, error_text(error));
	case ERROR_EMPTY:
		return message_failed("%s: %s: record the program again", name, error_text(error));
	case ERROR_NEWER:
		return message_failed("%s: %s: read it with a newer version", name,
				      error_text(error));
	case ERROR_OLDER:
		return message_failed("%s: %s: record the program again", name, error_text(error));
	case ERROR_RAW:
		return message_failed("%s: %s: type: heaptrack --interpret \"%s\"", name,
				      error_text(error), strcmp(path, "-") ? path : "FILE");
	case ERROR_SWOLLEN:
		return message_failed("%s: %s: it is made to do harm, or damaged", name,
				      error_text(error));
	case ERROR_FOREIGN:
		return message_failed("%s: %s: record one with mallograph record PROGRAM", name,
				      error_text(error));
	}
	return message_failed("%s: %s", name, error_text(error));
}

int message_close_stdout(int status)
{
	int failed = ferror(stdout);

	if (fflush(stdout))
		failed = 1;
	if (!failed)
		return status;
	/* a reader that has seen enough is no news */
	if (errno == EPIPE)
		return STATUS_FAILED;
	return message_failed("cannot write to standard output: %s", strerror(errno));
}
