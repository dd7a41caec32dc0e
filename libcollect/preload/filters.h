/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_FILTERS_H
#define MALLOGRAPH_FILTERS_H

/* The program's seccomp filters, and what they say of system calls of ours. Safe everywhere. */

#include <linux/filter.h>
#include <stdint.h>

/* Whether strict mode's four system calls are the only ones from now on. */
void filters_strict(int on);

struct filter;
/* A filter that is about to be installed, or may be. NULL: it can't be read, and won't be. */
struct filter *filters_add(const struct sock_fprog *program);
/* It has not been installed. */
void filters_remove(struct filter *filter);

/* 1 when the call would be made, or fail, without harm to the program. */
int filters_allow(long number, const uint64_t *arguments);

/* 1 when the calls that a new program's recording begins with would be. */
int filters_allow_start(void);

#endif
