/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which processes are recorded: new sessions, and whose image each of them is. */
#define _GNU_SOURCE
#include "libcollect/recorder/recorder_parts.h"

#include <stdlib.h>

#include "formats/error.h"
#include "libcollect/recorder/procfs.h"

#define SCAN_NS (10 * MILLISECOND) /* between looks at all session slots */

int recorder_add(struct recorder *recorder, struct recording *recording)
{
	if (recorder->all == recorder->room) {
		size_t room = recorder->room != 0 ? recorder->room * 2 : 16;
		struct recording **more = realloc(recorder->recordings, room * sizeof(*more));
		struct pollfd *polled;

		if (more == NULL)
			return ERROR_MEMORY;
		recorder->recordings = more;
		polled = realloc(recorder->polled, room * sizeof(*polled));
		if (polled == NULL)
			return ERROR_MEMORY;
		recorder->polled = polled;
		recorder->room = room;
	}
	recorder->recordings[recorder->all++] = recorder->recordings[recorder->count];
	recorder->recordings[recorder->count++] = recording;
	return 0;
}

void recorder_set_done_aside(struct recorder *recorder)
{
	for (size_t i = 0; i < recorder->count; i++) {
		struct recording *recording = recorder->recordings[i];

		if (recording->state != RECORDING_DONE || recording->session != NULL)
			continue;
		recorder->recordings[i--] = recorder->recordings[--recorder->count];
		recorder->recordings[recorder->count] = recording;
	}
}

/* A process has one image. Ends the one before this, or what is left of another process
 * of that number. Returns 1 when this image came by an exec. */
static int end_image_before(struct recorder *recorder, const struct recording *image)
{
	struct recording *before = images_before(recorder->recordings, recorder->all, image);

	if (image->session->origin == ORIGIN_FORK) {
		if (before != NULL && before->state == RECORDING_OPEN &&
		    before->epoch != image->parent_epoch)
			recorder_end_with_process(recorder, before);
		return 0;
	}
	if (before == NULL)
		return 0;
	if (before->state == RECORDING_OPEN)
		recording_end(before, TRACE_ENDING_EXECED, 0);
	return before->ending == TRACE_ENDING_EXECED ||
	       (before->ending == TRACE_ENDING_ABANDONED && before->session != NULL);
}

static unsigned origin_of(const struct recorder *recorder, const struct session *session,
			  int is_first, int execed)
{
	if (session->origin == ORIGIN_FORK)
		return TRACE_ORIGIN_FORKED;
	if (execed)
		return TRACE_ORIGIN_EXECED;
	if (recorder->common.options->preloaded && is_first)
		return TRACE_ORIGIN_PRELOADED;
	return is_first ? TRACE_ORIGIN_LAUNCHED : TRACE_ORIGIN_CHILD;
}

/* Its file, or a word about why there is none: it is drained all the same. */
static void create_file(struct recorder *recorder, struct recording *recording)
{
	char message[256];

	if (recording_create_file(recording, message, sizeof(message)) == 0)
		return;
	atomic_fetch_add(&recorder->common.shared.region->unrecorded, 1);
	reports_say(&recorder->common.reports, REPORT_WARNING, recording->first,
		    "process %d is not recorded: %s", (int)recording->own_pid, message);
}

/* What can be told before /proc is asked: which process, and whether it has gone on. */
static void meet_process(struct recorder *recorder, struct recording *recording,
			 const struct session *session, uint32_t slot)
{
	recording->own_pid = session->pid;
	recording->epoch = session->epoch;
	if (recording->pidfd < 0)
		recording->pidfd = images_take(&recorder->images, slot, session->epoch);
	recording->pidfd_number = proc_pidfd_number(recording->pidfd);
	recording->passed = images_have_next(&recorder->images, recording);
}

/* Without memory for a session its process goes on unrecorded: it sees that the session is no
 * longer its own where it would wait for us. */
static void refuse_session(struct recorder *recorder, struct session *session)
{
	session->epoch = 0;
	atomic_fetch_add(&recorder->common.shared.region->unrecorded, 1);
	reports_say(&recorder->common.reports, REPORT_WARNING, 0,
		    "process %d is not recorded: out of memory", (int)session->pid);
}

static void open_session(struct recorder *recorder, uint32_t slot)
{
	struct session *session = &recorder->common.shared.region->session[slot];
	struct recording *const *all;
	struct recording *parent, *recording = NULL;
	int is_first = recorder->first_pid != 0 && session->pid == recorder->first_pid &&
		       session->origin != ORIGIN_FORK;

	recorder->sessions_seen = 1;
	if (is_first && recorder->first != NULL) {
		recording = recorder->first;
		recorder->first = NULL;
	} else {
		recording = recording_new(&recorder->common, "", session->pid);
		if (recording == NULL || recorder_add(recorder, recording) != 0) {
			recording_free(recording);
			refuse_session(recorder, session);
			return;
		}
	}
	all = recorder->recordings;
	parent = images_parent(all, recorder->all, session);
	meet_process(recorder, recording, session, slot);
	recording->first = is_first;
	recording->origin = origin_of(recorder, session, is_first, recording->writer == NULL);
	recording_bind(recording, slot, parent,
		       images_relative(all, recorder->all, session, recording));
	recording->origin =
	    origin_of(recorder, session, is_first, end_image_before(recorder, recording));
	recorder->by_slot[slot] = recording;
	if (recording->writer == NULL)
		create_file(recorder, recording);
	recording_open(recording, parent);
	if (recording->passed)
		recording_end(recording, TRACE_ENDING_EXECED, 0);
	else if (recording->pid == 0 && (!is_first || recorder->common.options->preloaded))
		recorder_end_with_process(recorder, recording); /* it was over before we looked */
}

static int is_known(const struct recorder *recorder, uint32_t slot)
{
	return recorder->by_slot[slot] != NULL && recorder->by_slot[slot]->session != NULL &&
	       recorder->by_slot[slot]->slot == slot;
}

void recorder_find_sessions(struct recorder *recorder, uint64_t now_ns, int in_any_case)
{
	struct region *region = recorder->common.shared.region;
	uint32_t epochs = atomic_load(&region->epochs);

	images_meet(&recorder->images, &recorder->common.shared);
	if (!in_any_case && epochs == recorder->epochs && now_ns - recorder->scanned_ns < SCAN_NS)
		return;
	recorder->epochs = epochs;
	recorder->scanned_ns = now_ns;
	for (;;) {
		uint32_t oldest = SESSIONS_MAX;

		for (uint32_t i = 0; i < SESSIONS_MAX; i++) {
			struct session *session = &region->session[i];

			uint32_t state =
			    atomic_load_explicit(&session->state, memory_order_acquire);

			if ((state != SESSION_OPEN && state != SESSION_ABANDONED) ||
			    session->epoch == 0 || is_known(recorder, i))
				continue;
			if (oldest == SESSIONS_MAX ||
			    session->epoch < region->session[oldest].epoch)
				oldest = i;
		}
		if (oldest == SESSIONS_MAX)
			return;
		open_session(recorder, oldest);
		images_meet(&recorder->images, &recorder->common.shared);
	}
}
