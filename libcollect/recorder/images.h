/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_IMAGES_H
#define MALLOGRAPH_IMAGES_H

/*
 * Which process a session is of, and which image of it.
 *
 * A process runs one image after another (exec), and each opens a session. We look
 * late: by then the process may be the third image on, or gone. So what follows what is
 * told by what the sessions themselves say (number, epoch, origin, parent's epoch,
 * execing), and never by what we happened to see first. The kernel tells how a process
 * ended, but once it has been reaped only to who held a pidfd before: images_meet() takes
 * one of every new session at once, between all other work.
 */

#include <stddef.h>
#include <stdint.h>

#include "libcollect/recorder/recording.h"

struct images {          /* all zero to begin with */
	uint32_t epochs; /* given out when we last looked */
	unsigned looks;  /* left, for one that was being filled in */
	struct image_met {
		uint32_t epoch;
		int pidfd;       /* -1: none, or taken */
		uint64_t number; /* its proc_pidfd_number() */
	} met[SESSIONS_MAX];
};

/* Takes a pidfd of each new session's process. Costs next to nothing when there is none. */
void images_meet(struct images *images, const struct shared *shared);
/* That of a session, which is the caller's then, or -1. */
int images_take(struct images *images, uint32_t slot, uint32_t epoch);
/* Closes what nobody took. */
void images_release(struct images *images);

/* Whether another image of the process has opened a session behind this one. */
int images_have_next(const struct images *images, const struct recording *recording);
/* Whether both are of one process. */
int images_same_process(const struct recording *a, const struct recording *b);
/* The image that the process had before this one, or NULL. */
struct recording *images_before(struct recording *const *all, size_t count,
				const struct recording *image);
/* The recording of the session that a session's process was forked from, or NULL. */
struct recording *images_parent(struct recording *const *all, size_t count,
				const struct session *session);
/* A recording, not `self`, of the same process or of the one it calls its parent, or NULL. */
struct recording *images_relative(struct recording *const *all, size_t count,
				  const struct session *session, const struct recording *self);

#endif
