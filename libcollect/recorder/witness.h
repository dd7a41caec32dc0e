/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_WITNESS_H
#define MALLOGRAPH_WITNESS_H

/*
 * Whether a signal was sent to us alone or to our whole process group, in which the program is and
 * has had it: the kernel doesn't say. So a process is kept in the group that does
 * nothing but notice signals. It is our child, and gone when we are.
 */

#include <signal.h>

/* Called once. Without it, where it can't be had, nothing is ever seen. */
void witness_start(const sigset_t *signals);

/* Before the program runs: until then the witness may still have our name. Waits a second at most.
 */
void witness_await(void);

/* Of a signal that we have just received: 1 when the witness has it, too. Takes 20 ms when it
 * has not. Safe in signal handlers that don't interrupt each other. */
int witness_saw(int number);

void witness_stop(void);

#endif
