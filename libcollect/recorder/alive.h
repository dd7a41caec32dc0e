/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_RECORDER_ALIVE_H
#define MALLOGRAPH_RECORDER_ALIVE_H

/* The recorder's process as programs see it: whether it lives, and whether it sleeps. */

#include <stdint.h>

#include "libcollect/recorder/region.h"

/* Makes region->recorder a robust futex of this thread: whatever ends us, the
 * kernel marks it. 0 or ERROR_SYSTEM. */
int alive_begin(struct region *region);
void alive_end(struct region *region);

/* Sleeps, at most so long. Returns 1 when a program has something to say. */
int alive_nap(const struct shared *shared, uint64_t ns, enum region_sleep depth);

/* Of those that would end it, none does. */
void alive_ignore_signals(void);

#endif
