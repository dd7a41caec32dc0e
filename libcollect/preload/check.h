/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_CHECK_H
#define MALLOGRAPH_CHECK_H

#include "libcollect/preload/state.h"

/*
 * Check mode, in a library built for tests with -DCAPTURE_CHECK=1: compares each
 * captured stack, frame by frame, with what libunwind makes of it. Says on
 * stderr, or at the end of the file named by MALLOGRAPH_CHECK_FILE:
 *
 *   mallograph-check: PID: EQUAL equal, DIFFERENT different, GUESSES guesses, NONE not compared
 *
 * whenever the number of stacks is a power of two up to 2^16 or a multiple of that, and when
 * the process ends by exit(); the last such line of a process counts. The
 * first twenty differences are printed in full before.
 */

/* After a capture of *caller gave node. */
void check_stack(struct thread *thread, const struct frame *caller, uint32_t node);

/* In our constructor, behind fallback_prepare(). */
void check_prepare(void);

#endif
