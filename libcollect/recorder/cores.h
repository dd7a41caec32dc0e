/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_RECORDER_CORES_H
#define MALLOGRAPH_RECORDER_CORES_H

/*
 * How many processors are idle. What the recorder does in further threads costs more than
 * in one, so it takes them only while it falls behind and nobody else wants them: the
 * programs being recorded least of all.
 *
 * The kernel tells how many threads want to run (/proc/loadavg, "runnable"). Threads that wait for
 * room in their rings don't, so where the recorder is the limit it sees the cores of
 * those who wait for it.
 */

#include <stdint.h>

struct cores {  /* all zero: not yet looked */
	int fd; /* of loadavg, + 1; 0: none yet, -1: cannot be had */
	unsigned all;
	unsigned busy[4]; /* last looks, some time apart: the recorder itself among them */
	unsigned next;
	uint64_t looked_ns;
};

/* Hands for the next while, of which one is the caller's; its helpers are idle. */
unsigned cores_hands(struct cores *cores, uint64_t now_ns);
void cores_release(struct cores *cores);

#endif
