/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_RECORDER_SYMBOLS_H
#define MALLOGRAPH_RECORDER_SYMBOLS_H

/*
 * Runs `PROGRAM symbolize --fd MODULE:FD ... TRACE` and takes what it writes on
 * its standard output, blocks of a trace. Broken or huge debug information can
 * so do no more harm than cost a process and a minute, and draining goes on
 * meanwhile.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "libcollect/recorder/modules.h"

/* Exit status of `mallograph symbolize` when its output is whole but n modules
 * were skipped: this + n, at most 255. */
enum { SYMBOLIZE_SKIPPED = 16 };

struct symbolizer { /* pid 0: not running */
	pid_t pid;
	int output_fd;
	int later_fd, until_fd; /* -1: there is nothing more to come */
	int in_background;
	unsigned stopped; /* processes that are still to be reaped */
	uint64_t until_ns;
};

/* trace_fd: the trace, flushed. pid: of the program, for a JIT's map of its code. later: more
 * may be written to later_fd, a file, until symbolizer_go_on(); before that it doesn't end.
 * 0, or a negative error when it cannot be run. */
int symbolizer_start(struct symbolizer *symbolizer, const char *program, int trace_fd, int later,
		     pid_t pid, const struct modules *modules, uint64_t now_ns);
void symbolizer_go_on(struct symbolizer *symbolizer);
/* Ends it, and releases it. Does not wait: in the background it may take seconds to die. */
void symbolizer_stop(struct symbolizer *symbolizer);
/* Now and then: what is left of those that were stopped. The recorder has no other children. */
void symbolizer_reap(struct symbolizer *symbolizer);

/* In the background it takes only the processor time that nobody else wants:
 * while programs are still being recorded. Not all users may take it out again: then -1. */
int symbolizer_background(struct symbolizer *symbolizer, int in_background);

/* True when it has ended; at its time limit it is made to. *status is then that
 * of waitpid(). */
int symbolizer_ended(struct symbolizer *symbolizer, uint64_t now_ns, int *status);

/* After the end: its output, mapped; to be given to symbolizer_release(). NULL
 * when there is none. */
void *symbolizer_output(const struct symbolizer *symbolizer, size_t *size);
void symbolizer_release(struct symbolizer *symbolizer, void *output, size_t size);

#endif
