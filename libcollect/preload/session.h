/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_SESSION_H
#define MALLOGRAPH_SESSION_H

#include <stdint.h>

#include "libcollect/ring.h"

enum { EACCES_NUMBER = 13, ENOMEM_NUMBER = 12, DEPTH_DEFAULT = 1024 };

/* Maps the region of that number into this process; says why not and returns
 * -1 when it cannot. */
int region_attach(int id, uint64_t cookie);

/* Reads "SHMID.COOKIE". Returns 0, or -1 when it is something else. */
int session_parse(const char *text, int *id, uint64_t *cookie);

/* 1 while the recorder of the region is there. */
int session_recorder_lives(void);

/* Opens the session of this process, once; a forked child's says which one it was forked from.
 * Returns 0 when it is open. */
int session_open(void);

/* Wakes the recorder if it sleeps at least so deeply (SLEEPING_NOT: in any case). */
void session_wake_recorder(enum region_sleep least);

/* 1 while a ring is of the session with that epoch. */
int session_owns(const struct ring *ring, uint32_t epoch);

/* The entry without launcher (LD_PRELOAD only): starts a recorder and attaches
 * to its region. Returns 0, or -1 after having said why not. */
int preload_start(void);

#endif
