/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The recorder's loop: one thread, all sessions.
 *
 * A round looks for new sessions, drains each open one, looks for those whose
 * process has ended, and moves finished ones through the symbolizer, one at a
 * time. Then it sleeps on region->wake: not at all while there is much to do, a
 * millisecond while events come, longer and longer while none do. Programs wake it from
 * a long sleep with their first event, and when a ring is full; or each time a segment of
 * one is, where a millisecond of them is more than a ring should hold.
 *
 * The program can scribble on the region; region.h says what is trusted.
 */
#define _GNU_SOURCE
#include "libcollect/recorder/recorder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "libcollect/recorder/alive.h"
#include "libcollect/recorder/recorder_parts.h"

#define SLEEP_LEAST  (1 * MILLISECOND)
#define SLEEP_MOST   (200 * MILLISECOND)
#define MUCH_WORDS   (2 * SEGMENT_WORDS) /* to be read before the next nap */
#define ROOM_WORDS   (8 * SEGMENT_WORDS) /* that programs may write in a nap unasked */
#define BEHIND_WORDS (8 * SEGMENT_WORDS) /* a round finds so many where it falls behind */
#define ALONE_NS     (100 * MILLISECOND)
#define FIRST_NS     (10000 * MILLISECOND) /* a preloaded program has to attach */

static void raise_limits(struct recorder *recorder)
{
	struct rlimit limit = {.rlim_cur = 256};

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
		getrlimit(RLIMIT_NOFILE, &limit);
	}
	recorder->common.files.most =
	    limit.rlim_cur / 2 < 65536 ? (uint32_t)limit.rlim_cur / 2 : 65536;
}

static int something_is_open(const struct recorder *recorder, uint64_t now_ns)
{
	for (size_t i = 0; i < recorder->count; i++)
		if (recorder->recordings[i]->state != RECORDING_DONE)
			return 1;
	if (recorder->first_pid != 0)
		return !recorder->first_done;
	return !recorder->sessions_seen && now_ns - recorder->started_ns < FIRST_NS;
}

/* Nothing is recorded, and nobody is left who could be. */
static int all_is_done(struct recorder *recorder, uint64_t now_ns)
{
	/* One in the middle of an exec is not attached: look again. */
	if (something_is_open(recorder, now_ns) || shared_attached(&recorder->common.shared) > 1)
		recorder->alone_ns = now_ns;
	return now_ns >= recorder->alone_ns + ALONE_NS;
}

static uint64_t drain_all(struct recorder *recorder, uint64_t now_ns)
{
	uint64_t words = 0;

	for (size_t i = 0; i < recorder->count; i++)
		if (recorder->recordings[i]->state == RECORDING_OPEN) {
			words += recording_round(recorder->recordings[i], now_ns);
			images_meet(&recorder->images, &recorder->common.shared);
		}
	return words;
}

/* One look at everything. Returns the words that were read, or -1 when all is over. */
static int64_t look(struct recorder *recorder, uint64_t now_ns)
{
	uint64_t words;

	shared_alive(&recorder->common.shared);
	clock_refine(&recorder->common.clock);
	recorder_find_sessions(recorder, now_ns, 0);
	words = drain_all(recorder, now_ns);
	recorder_look_at_ends(recorder, now_ns);
	recorder_look_at_first(recorder, now_ns);
	recorder_complete_ended(recorder, now_ns);
	recorder_look_at_first(recorder, now_ns);
	recorder_set_done_aside(recorder);
	reports_flush(&recorder->common.reports, 0);
	return all_is_done(recorder, now_ns) ? -1 : (int64_t)words;
}

/* found: words of the round before. */
static void choose_hands(struct recorder *recorder, int64_t found, uint64_t now_ns)
{
	unsigned hands = recorder->common.options->hands;

	if (hands == 0)
		hands = found > BEHIND_WORDS ? cores_hands(&recorder->cores, now_ns) : 1;
	crew_hire(&recorder->common.crew, hands);
}

static void run(struct recorder *recorder)
{
	uint64_t sleep_ns = SLEEP_LEAST, rested_ns = monotonic_ns(), words = 0;
	int64_t found = 0;

	for (;;) {
		uint64_t now_ns = monotonic_ns();
		enum region_sleep depth = SLEEPING_NOT;

		choose_hands(recorder, found, now_ns);
		found = look(recorder, now_ns);
		if (found < 0)
			return;
		words += (uint64_t)found;
		if (found != 0)
			ticker_wake(&recorder->ticker);
		/* Programs went on while we were at it. */
		if (found > MUCH_WORDS)
			continue;
		if (words != 0 || recorder->naming.recording != NULL)
			sleep_ns = SLEEP_LEAST;
		if (sleep_ns > SLEEP_LEAST)
			depth = SLEEPING_LONG;
		else if (words * SLEEP_LEAST > ROOM_WORDS * (now_ns - rested_ns))
			depth = SLEEPING;
		rested_ns = now_ns;
		words = 0;
		if (depth == SLEEPING_LONG)
			ticker_rest(&recorder->ticker);
		if (alive_nap(&recorder->common.shared, sleep_ns, depth)) {
			sleep_ns = SLEEP_LEAST;
			ticker_wake(&recorder->ticker);
		} else {
			sleep_ns = sleep_ns * 2 < SLEEP_MOST ? sleep_ns * 2 : SLEEP_MOST;
		}
	}
}

int recorder_run(struct region *region, const struct recorder_options *options, int report_fd,
		 pid_t first_pid)
{
	struct recorder recorder = {.first_pid = first_pid, .first_pidfd = -1};
	int status = 1;

	alive_ignore_signals();
	recorder.common.options = options;
	recorder.started_ns = monotonic_ns();
	reports_start(&recorder.common.reports, report_fd);
	shared_open(&recorder.common.shared, region);
	raise_limits(&recorder);
	clock_start(&recorder.common.clock, region->clock);
	if (alive_begin(region) != 0) {
		reports_say(&recorder.common.reports, REPORT_ERROR, 1,
			    "cannot watch over the recorder: %s", strerror(errno));
	} else if (first_pid == 0 || recorder_create_first(&recorder) == 0) {
		ticker_start(&recorder.ticker, region);
		run(&recorder);
		ticker_stop(&recorder.ticker);
		status = 0;
	}
	alive_end(region);
	reports_flush(&recorder.common.reports, 1);
	for (size_t i = 0; i < recorder.all; i++)
		recording_free(recorder.recordings[i]);
	free(recorder.recordings);
	free(recorder.polled);
	crew_release(&recorder.common.crew);
	cores_release(&recorder.cores);
	images_release(&recorder.images);
	naming_release(&recorder.naming);
	module_files_release(&recorder.common.files);
	output_names_release(&recorder.common.names);
	if (recorder.first_pidfd >= 0)
		close(recorder.first_pidfd);
	return status;
}
