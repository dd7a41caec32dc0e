/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_LOOSEENDS_H
#define MALLOGRAPH_LOOSEENDS_H

/*
 * What pairing could not settle at once, because a thread was held up between
 * stamping an event and publishing it:
 *
 *   WAITING_FREE   a deallocation whose allocation was not seen: it waits for an
 *                  allocation of that address, in another thread, stamped before it
 *   MISSING_FREE   a block whose address was allocated again: it has been taken
 *                  out already, and its deallocation, stamped before the
 *                  new allocation, is to be swallowed when it comes
 *
 * Both are rare. They are kept for a second and are bounded in number; the
 * oldest give way.
 */

#include <stdint.h>

#include "libcollect/recorder/area.h"

enum loose_kind { LOOSE_NONE = 0, LOOSE_WAITING_FREE, LOOSE_MISSING_FREE };

struct loose_end {
	uint64_t address;
	uint64_t time;    /* WAITING_FREE: its stamp. MISSING_FREE: of the new allocation */
	uint64_t arrived; /* clock when it was put here */
	uint32_t thread;
	uint8_t kind; /* enum loose_kind */
	uint8_t realloc;
	uint16_t pad;
	uint32_t next, previous; /* entries of the same bucket, by number + 1 */
};

struct looseends { /* all zero: empty */
	struct area ends, buckets;
	uint64_t first, last;      /* entries first..last-1, modulo the room */
	uint32_t waiting, missing; /* how many of each kind */
};

void looseends_release(struct looseends *loose);

/* Adds a copy. 0, ERROR_MEMORY, or ERROR_LIMIT: take the oldest out first. */
int looseends_add(struct looseends *loose, const struct loose_end *end);
/* The earliest waiting deallocation of an address stamped in [from, before) by another thread than
 * that: a thread's own events come in their order, and without stamps many have one time. */
struct loose_end *looseends_waiting(struct looseends *loose, uint64_t address, uint64_t from,
				    uint64_t before, uint32_t not_by);
/* The block that a deallocation with this stamp was expected of. */
struct loose_end *looseends_missing(struct looseends *loose, uint64_t address, uint64_t time);
void looseends_remove(struct looseends *loose, struct loose_end *end);
/* The oldest that arrived before, or NULL. To be removed by the caller. */
struct loose_end *looseends_oldest(struct looseends *loose, uint64_t before);

#endif
