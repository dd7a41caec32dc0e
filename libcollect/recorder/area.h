/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_AREA_H
#define MALLOGRAPH_AREA_H

/*
 * An array that grows without being copied: anonymous memory, moved by
 * mremap(). Room that was never used costs address space only, so it doubles
 * freely; big ones ask for huge pages, since the recorder's tables are read at
 * random places.
 */

#include <stddef.h>

struct area { /* all zero: empty */
	void *base;
	size_t bytes; /* of room */
};

/* Makes room for at least this many bytes. What is new is zero; base may move.
 * Returns 0 or ERROR_MEMORY (then nothing has changed). */
int area_reserve(struct area *area, size_t bytes);
void area_release(struct area *area);

#endif
