/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_NAMING_H
#define MALLOGRAPH_NAMING_H

/* Finds the names of a recording's addresses: from what is known already, and
 * for the rest by the symbolizer, one recording at a time. */

#include <stdint.h>

#include "libcollect/recorder/recording.h"
#include "libcollect/recorder/symbols.h"
#include "libcollect/recorder/symcache.h"

struct naming { /* all zero: idle */
	struct symcache cache;
	struct symbolizer symbolizer;
	struct recording *recording; /* that the symbolizer runs for, or NULL */
	int question_fd;
};

/* Turns to a recording that has ended. Returns 1 when the symbolizer runs for
 * it (wait for naming_ended()), 0 when all is known that will be. Then
 * recording_complete() may be given &naming->cache. */
int naming_start(struct naming *naming, struct recording *recording, uint64_t now_ns);
/* The recording that the symbolizer has ended for, or NULL. */
struct recording *naming_ended(struct naming *naming, uint64_t now_ns);
/* While others are recorded, the symbolizer takes idle time only. */
void naming_background(struct naming *naming, int in_background);
void naming_release(struct naming *naming);

#endif
