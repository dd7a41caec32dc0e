/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How recorded processes end, and how their traces get whole. */
#define _GNU_SOURCE
#include "libcollect/recorder/recorder_parts.h"

#include <errno.h>
#include <signal.h>

#include "libcollect/recorder/procfs.h"

#define ENDS_NS     (2 * MILLISECOND) /* between looks for ended processes */
#define ATTACHED_NS (1000 * MILLISECOND)
#define STATUS_NS   (1000 * MILLISECOND) /* the launcher has to tell how the program ended */

int recorder_pidfd_is_over(int pidfd)
{
	struct pollfd poll_one = {.fd = pidfd, .events = POLLIN};

	return pidfd >= 0 && poll(&poll_one, 1, 0) > 0;
}

int recorder_find_status(struct recorder *recorder, const struct recording *recording, int *status)
{
	struct region *region = recorder->common.shared.region;

	if (recording->first && atomic_load(&region->first_ended) != 0) {
		*status = region->first_status;
		return 0;
	}
	if (proc_pidfd_status(recording->pidfd, status) == 0 ||
	    proc_zombie_status(recording->pid != 0 ? recording->pid : recording->own_pid, status) ==
		0)
		return 0;
	/* It may have been reaped between the two. */
	return proc_pidfd_status(recording->pidfd, status);
}

void recorder_end_with_process(struct recorder *recorder, struct recording *recording)
{
	enum trace_ending ending = TRACE_ENDING_EXITED;
	int status = 0;

	if (recording->passed || recording_is_leaving(recording) ||
	    images_have_next(&recorder->images, recording))
		ending = TRACE_ENDING_EXECED;
	else if (recorder_find_status(recorder, recording, &status) != 0)
		ending = TRACE_ENDING_UNKNOWN;
	recording_end(recording, ending, status);
}

/* Another image without the collector has taken the process over. */
static int has_execed(const struct recorder *recorder, const struct recording *recording)
{
	return atomic_load(&recording->session->execing) != 0 && recording->pid != 0 &&
	       proc_maps_segment(recording->pid, recorder->common.shared.id) == PROC_NOT_MAPPED;
}

static int process_is_over(const struct recording *recording, short events)
{
	pid_t pid = recording->pid != 0 ? recording->pid : recording->own_pid;

	if (recording->pid == 0)
		return 1;
	return recording->pidfd >= 0 ? events != 0 : kill(pid, 0) != 0 && errno == ESRCH;
}

static void look_at_end(struct recorder *recorder, struct recording *recording, short events,
			uint64_t now_ns)
{
	struct region *region = recorder->common.shared.region;
	/* Where another process may have been taken for it, when nobody is left. */
	int over = process_is_over(recording, events) ||
		   (recording->unverified && recorder->nobody_attached);

	if (recording->state != RECORDING_OPEN) {
		/* An abandoned session is the program's as long as that runs. */
		if (recording->session != NULL && over)
			recording_leave_session(recording);
		return;
	}
	if (over) {
		if (recording->ended_ns == 0)
			recording->ended_ns = now_ns;
		/* The launcher is about to tell how. */
		if (recording->first && !recorder->common.options->preloaded &&
		    atomic_load(&region->first_ended) == 0 &&
		    now_ns - recording->ended_ns < STATUS_NS)
			return;
		recorder_end_with_process(recorder, recording);
	} else if (atomic_load(&recording->session->state) == SESSION_ABANDONED) {
		recording_end(recording, TRACE_ENDING_ABANDONED, 0);
	} else if (has_execed(recorder, recording)) {
		recording_end(recording, TRACE_ENDING_EXECED, 0);
	}
}

void recorder_look_at_ends(struct recorder *recorder, uint64_t now_ns)
{
	nfds_t count = 0;

	if (now_ns - recorder->ends_ns < ENDS_NS)
		return;
	recorder->ends_ns = now_ns;
	if (now_ns - recorder->attached_ns >= ATTACHED_NS) {
		recorder->attached_ns = now_ns;
		recorder->nobody_attached = shared_attached(&recorder->common.shared) == 1;
	}
	for (size_t i = 0; i < recorder->count; i++)
		if (recorder->recordings[i]->session != NULL)
			recorder->polled[count++] =
			    (struct pollfd){.fd = recorder->recordings[i]->pidfd, .events = POLLIN};
	if (count != 0 && poll(recorder->polled, count, 0) < 0)
		return;
	count = 0;
	for (size_t i = 0; i < recorder->count; i++)
		if (recorder->recordings[i]->session != NULL) {
			look_at_end(recorder, recorder->recordings[i],
				    recorder->polled[count++].revents, now_ns);
			images_meet(&recorder->images, &recorder->common.shared);
		}
}

/* --- completion --------------------------------------------------------------------------- */

static void complete(struct recorder *recorder, struct recording *recording,
		     struct symcache *symbols)
{
	if (recording->first && !recorder->first_done)
		recording->unrecorded =
		    atomic_exchange(&recorder->common.shared.region->unrecorded, 0);
	recording_complete(recording, symbols);
	images_meet(&recorder->images, &recorder->common.shared);
}

/* The first process' recordings go before others: the launcher waits for them. */
static struct recording *next_ended(const struct recorder *recorder)
{
	struct recording *found = NULL;

	for (size_t i = 0; i < recorder->count; i++) {
		struct recording *recording = recorder->recordings[i];

		if (recording->state == RECORDING_ENDED &&
		    (found == NULL || (recording->first && !found->first)))
			found = recording;
	}
	return found;
}

static int wants_symbols(const struct recorder *recorder, const struct recording *recording)
{
	return recorder->common.options->symbols && recording->account.writer != NULL &&
	       recording->account.classes.count != 0;
}

void recorder_complete_ended(struct recorder *recorder, uint64_t now_ns)
{
	struct naming *naming = &recorder->naming;
	struct recording *recording = naming_ended(naming, now_ns), *open = NULL;
	size_t unfinished = 0;

	if (recording != NULL)
		complete(recorder, recording, &naming->cache);
	while (naming->recording == NULL && (recording = next_ended(recorder)) != NULL) {
		if (!wants_symbols(recorder, recording))
			complete(recorder, recording, NULL);
		else if (naming_start(naming, recording, now_ns))
			recording->state = RECORDING_SYMBOLS;
		else
			complete(recorder, recording, &naming->cache);
	}
	for (size_t i = 0; i < recorder->count; i++) {
		if (recorder->recordings[i]->state == RECORDING_OPEN)
			open = recorder->recordings[i];
		unfinished += recorder->recordings[i]->state != RECORDING_DONE;
	}
	naming_early(naming,
		     open != NULL && unfinished == 1 && wants_symbols(recorder, open) ? open : NULL,
		     now_ns);
	naming_background(naming, open != NULL, now_ns);
}
