/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_RECORDING_H
#define MALLOGRAPH_RECORDING_H

/*
 * A session being recorded: everything between a process image and its trace.
 *
 *   WAITING    the file exists, the session does not yet (the launched program)
 *   OPEN       events are drained
 *   ENDED      all is drained and counted; waits for its turn with symbols
 *   SYMBOLS    the symbolizer runs
 *   DONE       the trace is complete
 */

#include <stdint.h>
#include <sys/types.h>

#include "libcollect/recorder/drain.h"
#include "libcollect/recorder/output.h"
#include "libcollect/recorder/report.h"
#include "libcollect/recorder/symbols.h"
#include "libcollect/recorder/symcache.h"
#include "libcollect/recorder/timeline.h"

/* What all recordings of a run share. */
struct common {
	struct shared shared;
	const struct recorder_options *options;
	struct clock clock;
	struct crew crew;
	struct reports reports;
	struct output_names names;
	struct module_files files;
};

enum recording_state {
	RECORDING_WAITING,
	RECORDING_OPEN,
	RECORDING_ENDED,
	RECORDING_SYMBOLS,
	RECORDING_DONE
};

struct recording {
	enum recording_state state;
	struct common *common;
	struct session *session; /* NULL: given back, or none yet */
	uint32_t slot, epoch, parent_epoch;
	int32_t own_pid;       /* as the process itself sees it */
	pid_t pid;             /* as we see it; 0: it was gone before we looked */
	int pidfd;             /* -1: none */
	uint64_t pidfd_number; /* proc_pidfd_number() */
	int first;             /* of the launched process */
	int passed;            /* it was over when we first looked: another image has come since */
	int other_namespace;   /* thread numbers mean nothing to us */
	int unverified;        /* we could not look whether it has the region mapped */
	unsigned origin;       /* enum trace_origin */

	char *program;   /* path of the executable, or NULL */
	char *arguments; /* as /proc/PID/cmdline: each with a NUL; or NULL */
	size_t arguments_size;
	char *folder;  /* or NULL */
	char name[64]; /* base name of the program */

	struct output output;
	struct trace_writer *writer;
	struct account account;
	struct stacks stacks;
	struct drain drain;
	struct timeline timeline;
	uint64_t flushed_ns, ended_ns; /* ended_ns: when the end was first seen, 0: not yet */
	uint64_t threads_ns;           /* when threads are to be looked at again */
	uint64_t inside_ns;    /* when we last listed the threads of another pid namespace */
	uint32_t threads_next; /* and from which on */

	enum trace_ending ending;
	unsigned status; /* exit status or signal */
	uint64_t end_tick, end_offset_ns;
	uint64_t counter[SESSION_COUNTERS];
	uint64_t unrecorded; /* processes of the whole run; of the first recording only */
	uint64_t symbols_skipped;
	int write_error; /* errno, 0: none */
};

/* NULL when out of memory. name: "" when it is not known yet. */
struct recording *recording_new(struct common *common, const char *name, pid_t pid);
/* Creates the trace's file. On failure returns a negative error, with why in
 * message; the recording can go on without one: the program's rings still want
 * to be emptied. */
int recording_create_file(struct recording *recording, char *message, size_t size);
void recording_free(struct recording *recording);

/* Binds it to a session, finds the process (pidfd may be set already) and what it runs,
 * and with that its name where it has none. parent is the recording that the process was forked
 * from, or NULL; relative one of the same process or its parent, or NULL. */
void recording_bind(struct recording *recording, uint32_t slot, const struct recording *parent,
		    const struct recording *relative);
/* Behind that, and with its file where there is one: writes the metadata and
 * goes to OPEN. */
void recording_open(struct recording *recording, const struct recording *parent);

/* One round of draining and what belongs to it. Returns the words consumed. */
uint64_t recording_round(struct recording *recording, uint64_t now_ns);

/* The process has ended (or was never there, in state WAITING): drains the
 * rest, gives the session back unless the program may still use it, and goes to
 * ENDED. status is that of waitpid(). */
void recording_end(struct recording *recording, enum trace_ending ending, int status);

/* Writes what belongs at the end, with the symbols that are known (of this
 * recording at hand) or NULL, closes the file, reports it, and goes to DONE. */
void recording_complete(struct recording *recording, struct symcache *symbols);

/* Gives the session's slot and chunks back. */
void recording_leave_session(struct recording *recording);

/* Whether the program says that it is in an exec, and so may be another by now: what
 * /proc told before this was asked, and the answer was no, is of this image. */
int recording_is_leaving(const struct recording *recording);

/* In recording_meta.c: finds the process of a session, and what it is. */
void recording_find_process(struct recording *recording, const struct recording *relative);
void recording_describe(struct recording *recording, const struct recording *parent);
void recording_write_meta(struct recording *recording, const struct recording *parent);

/* In threads.c: names, and rings whose threads have ended. */
void recording_look_at_threads(struct recording *recording, uint64_t now_ns);
void recording_name_threads(struct recording *recording, uint64_t now_ns);

/* In recording_end.c */
void recording_check_writer(struct recording *recording, int error);

#endif
