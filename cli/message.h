/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_MESSAGE_H
#define MALLOGRAPH_MESSAGE_H

/*
 * What commands say to the user: one line on stderr each, "mallograph: ...",
 * lower case, naming the file or option and what to do. Control bytes, which a
 * file name may hold, are masked. Each line is one write, so that lines of
 * several processes do not mix. Thread-safe.
 */

#include <stdarg.h>

enum exit_status {
	STATUS_OK = 0,
	STATUS_FAILED = 1,
	STATUS_USAGE = 2,
	STATUS_ABOVE = 3, /* of print: a figure is above --fail-above */
	/* of record, as env(1) and timeout(1) have them */
	STATUS_NOT_STARTED = 125,
	STATUS_NOT_EXECUTABLE = 126,
	STATUS_NOT_FOUND = 127
};

void message(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same, and return the status to exit with: STATUS_FAILED, STATUS_USAGE. */
int message_failed(const char *format, ...) __attribute__((format(printf, 1, 2)));
int message_usage(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* "FILE: why, what to do" for an error of reading a trace (formats/error.h);
 * errno is taken for ERROR_SYSTEM. Returns STATUS_FAILED. */
int message_trace_error(const char *path, int error);

/* Flushes stdout; where anything printed there was lost (a full disk), says so
 * and returns STATUS_FAILED, otherwise status. Call it last. */
int message_close_stdout(int status);

#endif
