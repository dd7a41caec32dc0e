/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_JOB_H
#define MALLOGRAPH_JOB_H

/*
 * What takes long: one thread beside the main loop, for whatever scans events. It works on data
 * of its own and reads profiles, which nobody writes; what it made is handed over by the main
 * loop when it is done. Esc stops it.
 */

#include <pthread.h>
#include <stdatomic.h>

#include "analyzer/model/scan.h"

struct tui;

enum { JOB_COMPLAINT_BYTES = 512 };

struct job_kind {
	const char *doing; /* "filtering", for the status line */
	/* In the job's thread; its scans can be stopped. 0 or an error; complaint (empty at first)
	 * may be filled with why, or with a remark. */
	int (*work)(void *context, char *complaint);
	/* In the main loop's, once for each that was started. ERROR_CANCELLED: it was stopped.
	 * Takes the context over. */
	void (*done)(struct tui *tui, void *context, int error, const char *complaint);
};

struct job {
	const struct job_kind *kind; /* NULL: none is running */
	void *context;
	pthread_t thread;
	struct scan_watch watch;
	atomic_int finished; /* by the thread, released behind error and complaint */
	int error;
	char complaint[JOB_COMPLAINT_BYTES];
	uint64_t events; /* that a scan is about */
};

/* Takes the context. One that is running is stopped first. Where there can be no thread the work
 * is done at once. */
void job_start(struct tui *tui, const struct job_kind *kind, void *context);
/* Hands over what is ready; 1 when something was. */
int job_poll(struct tui *tui);
/* Until it is done, and hands it over. */
void job_wait(struct tui *tui);
/* Stops it, and hands that over. */
void job_stop(struct tui *tui);
/* "filtering 34%"; 0 when none is running. */
int job_text(const struct tui *tui, char *text, size_t size);

#endif
