/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_REACH_H
#define MALLOGRAPH_REACH_H

/*
 * Memory that a walk may read without harm: the part of the thread's own stack
 * above the walk's start; any other page after a system call has found it
 * readable. A page is asked for once as long as the walk stays in it, and is
 * asked again by the next capture: other threads may unmap it.
 */

#include "libcollect/preload/state.h"

struct reach {
	uintptr_t low, last; /* words from low to last lie within it */
	uintptr_t page;      /* the last page found readable elsewhere, or 0 */
	int own;             /* low to last are of the thread's own stack */
	int strayed;         /* a word lay elsewhere */
};

/* Begins at sp, whose caller's return address has just been read at sp - 8. */
void reach_begin(struct reach *reach, struct thread *thread, uintptr_t sp);
/* Goes on at sp, which was found in a signal frame: nothing has been read there. */
void reach_jump(struct reach *reach, struct thread *thread, uintptr_t sp);
int reach_probe(struct reach *reach, uintptr_t address);

static inline int reach_has(const struct reach *reach, uintptr_t address)
{
	return address >= reach->low && address <= reach->last && (address & 7) == 0;
}

/* Reads the word at address. Returns 0 when it can't be read. */
static inline int reach_read(struct reach *reach, uintptr_t address, uintptr_t *value)
{
	if (unlikely(!reach_has(reach, address)) && !reach_probe(reach, address))
		return 0;
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): 0 is never within reach */
	*value = *(const uintptr_t *)address;
	return 1;
}

/* Makes the thread's stack known down to there, as far as it can be read: before a filter
 * forbids to ask. */
void reach_ahead(struct thread *thread, uintptr_t sp);

#endif
