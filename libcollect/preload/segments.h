/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_SEGMENTS_H
#define MALLOGRAPH_SEGMENTS_H

/*
 * The producer's end of a ring: where the next words go. A thread fills a
 * segment, then takes the first place that the recorder has drained, so that a
 * program whose recorder keeps up stays in the same warm memory; a place not
 * yet used, and memory for it, only when none is; and sleeps when there is neither.
 */

#include "libcollect/preload/state.h"

/* What one hook may publish: an EVENT_TIME, the two events of a reallocation. */
enum { WORDS_A_HOOK = 2 + 2 + EVENT_WORDS_MAX };

/* Makes a used ring as good as one that is all zero. */
void segments_forget(struct thread *thread);

/* Makes a new thread's ring ready. */
void segments_open(struct thread *thread);

/* Room for what one hook publishes, in one piece from thread->head on. May sleep.
 * Returns 0 when there will be none any more. */
int segments_make_room(struct thread *thread);
static inline int segments_room(struct thread *thread)
{
	return likely(thread->head < thread->limit) || segments_make_room(thread);
}

#endif
