/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_RECORDER_PARTS_H
#define MALLOGRAPH_RECORDER_PARTS_H

/* The inside of the recorder's loop, for recorder.c, sessions.c, ends.c and first.c alone. */

#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "libcollect/recorder/cores.h"
#include "libcollect/recorder/images.h"
#include "libcollect/recorder/naming.h"
#include "libcollect/recorder/recording.h"
#include "libcollect/recorder/ticker.h"

#define MILLISECOND UINT64_C(1000000)

struct recorder {
	struct common common;
	struct recording **recordings; /* those that are not done come first ... */
	struct pollfd *polled;
	size_t count; /* ... this many; */
	size_t all;   /* the others, so many in all, are kept as parents of later ones */
	size_t room;
	struct recording *by_slot[SESSIONS_MAX]; /* may have left it */
	struct recording *first;                 /* WAITING for its session, then NULL */
	pid_t first_pid;
	int first_pidfd;
	int first_over;  /* the process has ended */
	int first_done;  /* and that was reported */
	uint32_t epochs; /* as last seen */
	struct images images;
	uint64_t scanned_ns, ends_ns, attached_ns, alone_ns, started_ns;
	int nobody_attached; /* only we have the region mapped */
	int sessions_seen;
	struct naming naming;
	struct ticker ticker;
	struct cores cores;
};

/* --- sessions.c: what is being recorded ------------------------------------------------ */

int recorder_add(struct recorder *recorder, struct recording *recording);
/* Rounds don't look at what is done. */
void recorder_set_done_aside(struct recorder *recorder);
/* Opens new sessions, oldest first. */
void recorder_find_sessions(struct recorder *recorder, uint64_t now_ns, int in_any_case);

/* --- ends.c ------------------------------------------------------------------------------- */

int recorder_pidfd_is_over(int pidfd);
/* As waitpid() would say it. 0, or a negative error when nobody knows. */
int recorder_find_status(struct recorder *recorder, const struct recording *recording, int *status);
void recorder_end_with_process(struct recorder *recorder, struct recording *recording);
void recorder_look_at_ends(struct recorder *recorder, uint64_t now_ns);
/* Moves what has ended through the symbolizer, to its whole trace. */
void recorder_complete_ended(struct recorder *recorder, uint64_t now_ns);

/* --- first.c: the launched process -------------------------------------------------------- */

int recorder_create_first(struct recorder *recorder);
void recorder_look_at_first(struct recorder *recorder, uint64_t now_ns);

#endif
