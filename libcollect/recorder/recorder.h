/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_RECORDER_H
#define MALLOGRAPH_RECORDER_H

/*
 * The recorder: a process of its own that drains the rings of a region, pairs
 * allocations with deallocations, counts, and writes one trace per session.
 */

#include <stdint.h>
#include <sys/types.h>

#include "formats/trace/layout.h"
#include "libcollect/ring.h"

struct recorder_options {
	const char *output; /* -o, with %p %n %h unexpanded; NULL: the default name */
	const char *folder; /* absolute: where relative names and the default go */
	enum trace_codec codec;
	int level;   /* of the codec, 0: its default */
	int symbols; /* 0: leave addresses */
	int follow_fork;
	unsigned max_depth;  /* 0: default */
	uint64_t max_size;   /* bytes of events after which events stop; 0: none */
	const char *program; /* path of the mallograph binary, to run "symbolize" */
	int preloaded;       /* started by the library, not by the launcher */
	unsigned hands;      /* that work at events; 0: as cores are free. For tests */
	/* the launched program (launcher only): its name for %n, and argv */
	const char *first_path;
	char *const *first_argv;
};

/* What the recorder tells the launcher, one message each on a SOCK_SEQPACKET
 * socket. Strings are cut to fit, and end in NUL. */
enum report_kind {
	REPORT_READY = 1,     /* the first trace's file exists; path is set */
	REPORT_ERROR = 2,     /* could not: text is a message without prefix */
	REPORT_TRACE = 3,     /* a trace is complete: all fields */
	REPORT_WARNING = 4,   /* text; said before a REPORT_TRACE or on its own */
	REPORT_FIRST_DONE = 5 /* every session of the first process is complete; running: how many
			       * other processes are still being recorded */
};
struct report {
	uint32_t kind;
	uint32_t first; /* REPORT_TRACE: 1 when it is of the launched process */
	int32_t pid;
	uint32_t image;  /* REPORT_TRACE: greater than those of a process' images before; 0: none
			  * that called the collector */
	uint32_t execed; /* REPORT_TRACE: another program ran in the process before */
	uint32_t running;
	uint32_t ending; /* enum trace_ending */
	uint32_t status;
	uint64_t nanoseconds; /* from the session's start to the program's end */
	uint64_t allocations, deallocations, temporary, reallocations, bytes;
	uint64_t peak_bytes, peak_blocks, peak_tick;
	uint64_t leaked_blocks, leaked_bytes;
	uint64_t lost;              /* events, all reasons */
	uint64_t lost_other_reason; /* a bit set: 1 abandoned, 2 write failed, 4 exec unrecorded */
	uint64_t unrecorded;        /* processes and programs that could not be recorded */
	uint64_t loaded_past;       /* libraries loaded whose calls are not recorded */
	uint64_t trace_bytes;
	char name[64];   /* of the program, base name */
	char path[1024]; /* of the trace, as the user would type it (relative to the folder) */
	char text[512];
};

/* Creates a region (as sized by this process' RLIMIT_AS), attaches it and
 * marks the segment for removal. Fills in everything but `recorder`.
 * Returns NULL with errno set on failure. *id is for SESSION_VARIABLE. */
struct region *region_create(int *id);

/*
 * Drains until every session has ended. Called in a process that has nothing
 * else to do (its own session, standard descriptors on /dev/null, no signals
 * pending for others). report_fd: SOCK_SEQPACKET, or -1. When first_pid is
 * not 0, that process has been forked and waits: the recorder creates its
 * trace's file, takes the robust futex region->recorder, and then sends
 * REPORT_READY or REPORT_ERROR. Returns the exit status for the process.
 * SIGPIPE must be ignored.
 */
int recorder_run(struct region *region, const struct recorder_options *options, int report_fd,
		 pid_t first_pid);

#endif
