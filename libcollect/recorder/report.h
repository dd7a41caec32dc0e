/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_REPORT_H
#define MALLOGRAPH_REPORT_H

/*
 * Messages to the launcher. It may be slow or gone; the recorder waits for it
 * in neither case.
 */

#include "libcollect/recorder/recorder.h"

struct reports {
	int fd; /* -1: nobody listens */
	struct report_entry *first, **last;
};

void reports_start(struct reports *reports, int fd);
/* Sends a copy now, or keeps it until reports_flush(). */
void reports_send(struct reports *reports, const struct report *report);
/* A message without numbers; kind is REPORT_ERROR or REPORT_WARNING. */
void reports_say(struct reports *reports, enum report_kind kind, int first, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Sends what is left, as far as the socket takes it; at the end, waits a little. */
void reports_flush(struct reports *reports, int at_the_end);

/* A string cut to fit, with its NUL. */
void report_copy(char *to, size_t size, const char *from);

#endif
