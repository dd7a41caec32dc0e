/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_NAMING_H
#define MALLOGRAPH_NAMING_H

/*
 * Finds the names of a recording's addresses: from what is known already, and
 * for the rest by the symbolizer, one recording at a time.
 *
 * To look into files costs the symbolizer more than the names, and those of a program are
 * known soon. So it is started for a program that is recorded alone while that runs, in processor
 * time that nobody else wants, with what the stacks are by then; at the end it is
 * asked for the rest, and has most files open. It does not wait for longer than 10 s: then what
 * it would save does not matter any more, its memory might.
 */

#include <stdint.h>

#include "libcollect/recorder/recording.h"
#include "libcollect/recorder/symbols.h"
#include "libcollect/recorder/symcache.h"

struct naming { /* all zero: idle */
	struct symcache cache;
	struct symbolizer symbolizer;
	struct recording *recording; /* that the symbolizer is to end for, or NULL */
	int question_fd;

	struct naming_early {      /* of the recording that was last looked at while it ran */
		uint32_t epoch;    /* 0: none was */
		uint32_t files;    /* at the last look: those that the symbolizer knows */
		uint32_t question; /* the symbolizer's first; 0: it has not been started */
		int waits;         /* the symbolizer does, for a second one */
		uint64_t since_ns, due_ns; /* the first look, and the next */
		uint64_t asked_ns;         /* when it was asked for the rest; 0: not */
	} early;
};

/* Turns to a recording that has ended. Returns 1 when the symbolizer runs for
 * it (wait for naming_ended()), 0 when all is known that will be. Then
 * recording_complete() may be given &naming->cache. */
int naming_start(struct naming *naming, struct recording *recording, uint64_t now_ns);
/* Now and then, with the recording that is open where there is one alone, or NULL: starts the
 * symbolizer when it is time, and drops what waits for too long. */
void naming_early(struct naming *naming, const struct recording *recording, uint64_t now_ns);
/* The recording that the symbolizer has ended for, or NULL. */
struct recording *naming_ended(struct naming *naming, uint64_t now_ns);
/* While others are recorded, the symbolizer takes idle time only. */
void naming_background(struct naming *naming, int in_background, uint64_t now_ns);
void naming_release(struct naming *naming);

#endif
