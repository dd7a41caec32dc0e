/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_LIMITS_H
#define MALLOGRAPH_LIMITS_H

/* The address space that the program may have, of which the region takes a share. */

#include <stdint.h>
#include <sys/resource.h>

/* Returns 1 and the limit where there is one. */
int limits_address_space(struct rlimit *limit);

/* As shmat does, for a segment that may be larger than the limit: lifts it for that moment, if
 * the process may. Returns what the system call does. */
long limits_attach(int id, const struct rlimit *limit);

/* How many bytes of the region a process keeps that may have so many. */
uint64_t limits_share(uint64_t bytes);

#endif
