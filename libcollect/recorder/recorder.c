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
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "formats/error.h"
#include "libcollect/recorder/images.h"
#include "libcollect/recorder/naming.h"
#include "libcollect/recorder/procfs.h"
#include "libcollect/recorder/recording.h"
#include "libcollect/recorder/ticker.h"

#define MILLISECOND UINT64_C(1000000)
#define SLEEP_LEAST (1 * MILLISECOND)
#define SLEEP_MOST  (50 * MILLISECOND)
#define MUCH_WORDS  (2 * SEGMENT_WORDS) /* to be read before the next nap */
#define ROOM_WORDS  (8 * SEGMENT_WORDS) /* that programs may write in a nap unasked */
#define SCAN_NS     (10 * MILLISECOND)  /* between looks at all session slots */
#define ENDS_NS     (2 * MILLISECOND)   /* between looks for ended processes */
#define ATTACHED_NS (1000 * MILLISECOND)
#define ALONE_NS    (100 * MILLISECOND)
#define STATUS_NS   (1000 * MILLISECOND)  /* the launcher has to tell how the program ended */
#define FIRST_NS    (10000 * MILLISECOND) /* a preloaded program has to attach */

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
};

/* --- being alive ------------------------------------------------------------------ */

static struct robust_list_head robust_head;
static struct robust_list robust_entry;

/* Makes region->recorder a robust futex of this thread: whatever ends us, the
 * kernel marks it. */
static int take_robust_futex(struct region *region)
{
	_Atomic uint32_t *word = &region->recorder;

	robust_entry.next = &robust_head.list;
	robust_head.list.next = &robust_entry;
	robust_head.futex_offset = (char *)word - (char *)&robust_entry;
	robust_head.list_op_pending = NULL;
	if (syscall(SYS_set_robust_list, &robust_head, sizeof(robust_head)) != 0)
		return ERROR_SYSTEM;
	atomic_store(word, (uint32_t)syscall(SYS_gettid));
	return 0;
}

static void drop_robust_futex(struct region *region)
{
	atomic_store(&region->recorder, 0);
	robust_head.list.next = &robust_head.list;
}

/* Returns 1 when a program has something to say. */
static int nap(const struct shared *shared, uint64_t ns, enum region_sleep depth)
{
	struct region *region = shared->region;
	struct timespec time = {.tv_sec = (time_t)(ns / 1000000000u),
				.tv_nsec = (long)(ns % 1000000000u)};
	uint32_t wake = atomic_load(&region->wake);
	long result;

	atomic_store(&region->sleeping, depth);
	/* Behind that: whoever sees the new tick sees whether to wake us. */
	shared_alive(shared);
	result = syscall(SYS_futex, &region->wake, FUTEX_WAIT, wake, &time, NULL, 0);
	atomic_store(&region->sleeping, SLEEPING_NOT);
	return result == 0 || errno == EAGAIN;
}

static void ignore_signals(void)
{
	static const int ignored[] = {SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGXFSZ};

	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
}

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

/* --- sessions ----------------------------------------------------------------------- */

static int add_recording(struct recorder *recorder, struct recording *recording)
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

/* Rounds don't look at what is done. */
static void set_done_aside(struct recorder *recorder)
{
	for (size_t i = 0; i < recorder->count; i++) {
		struct recording *recording = recorder->recordings[i];

		if (recording->state != RECORDING_DONE || recording->session != NULL)
			continue;
		recorder->recordings[i--] = recorder->recordings[--recorder->count];
		recorder->recordings[recorder->count] = recording;
	}
}

static int pidfd_is_over(int pidfd)
{
	struct pollfd poll_one = {.fd = pidfd, .events = POLLIN};

	return pidfd >= 0 && poll(&poll_one, 1, 0) > 0;
}

/* As waitpid() would say it. 0, or a negative error when nobody knows. */
static int find_status(struct recorder *recorder, const struct recording *recording, int *status)
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

static void end_with_process(struct recorder *recorder, struct recording *recording)
{
	enum trace_ending ending = TRACE_ENDING_EXITED;
	int status = 0;

	if (recording->passed || recording_is_leaving(recording) ||
	    images_have_next(&recorder->images, recording))
		ending = TRACE_ENDING_EXECED;
	else if (find_status(recorder, recording, &status) != 0)
		ending = TRACE_ENDING_UNKNOWN;
	recording_end(recording, ending, status);
}

/* A process has one image. Ends the one before this, or what is left of another process
 * of that number. Returns 1 when this image came by an exec. */
static int end_image_before(struct recorder *recorder, const struct recording *image)
{
	struct recording *before = images_before(recorder->recordings, recorder->all, image);

	if (image->session->origin == ORIGIN_FORK) {
		if (before != NULL && before->state == RECORDING_OPEN &&
		    before->epoch != image->parent_epoch)
			end_with_process(recorder, before);
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

static int open_session(struct recorder *recorder, uint32_t slot)
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
		if (recording == NULL || add_recording(recorder, recording) != 0) {
			recording_free(recording);
			return ERROR_MEMORY; /* later, perhaps */
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
		end_with_process(recorder, recording); /* it was over before we looked */
	return 0;
}

static int is_known(const struct recorder *recorder, uint32_t slot)
{
	return recorder->by_slot[slot] != NULL && recorder->by_slot[slot]->session != NULL &&
	       recorder->by_slot[slot]->slot == slot;
}

/* Opens new sessions, oldest first. */
static void find_sessions(struct recorder *recorder, uint64_t now_ns, int in_any_case)
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
			    is_known(recorder, i))
				continue;
			if (oldest == SESSIONS_MAX ||
			    session->epoch < region->session[oldest].epoch)
				oldest = i;
		}
		if (oldest == SESSIONS_MAX || open_session(recorder, oldest) != 0)
			return;
		images_meet(&recorder->images, &recorder->common.shared);
	}
}

/* --- ends ------------------------------------------------------------------------------ */

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
		end_with_process(recorder, recording);
	} else if (atomic_load(&recording->session->state) == SESSION_ABANDONED) {
		recording_end(recording, TRACE_ENDING_ABANDONED, 0);
	} else if (has_execed(recorder, recording)) {
		recording_end(recording, TRACE_ENDING_EXECED, 0);
	}
}

static void look_at_ends(struct recorder *recorder, uint64_t now_ns)
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

static void complete_ended(struct recorder *recorder, uint64_t now_ns)
{
	struct naming *naming = &recorder->naming;
	struct recording *recording = naming_ended(naming, now_ns);
	int open = 0;

	if (recording != NULL)
		complete(recorder, recording, &naming->cache);
	while (naming->recording == NULL && (recording = next_ended(recorder)) != NULL) {
		if (!recorder->common.options->symbols || recording->account.writer == NULL ||
		    recording->account.classes.count == 0)
			complete(recorder, recording, NULL);
		else if (naming_start(naming, recording, now_ns))
			recording->state = RECORDING_SYMBOLS;
		else
			complete(recorder, recording, &naming->cache);
	}
	for (size_t i = 0; i < recorder->count && !open; i++)
		open = recorder->recordings[i]->state == RECORDING_OPEN;
	naming_background(naming, open);
}

/* --- the first process --------------------------------------------------------------------- */

static int create_first(struct recorder *recorder)
{
	const struct recorder_options *options = recorder->common.options;
	char name[64], message[256], *program = NULL;
	struct report report = {.kind = REPORT_READY, .first = 1};

	if (options->first_path == NULL)
		program = proc_program(recorder->first_pid);
	report_copy(name, sizeof(name),
		    base_name(options->first_path != NULL ? options->first_path : program));
	free(program);
	snprintf(message, sizeof(message), "out of memory");
	recorder->first = recording_new(&recorder->common, name, recorder->first_pid);
	if (recorder->first == NULL || add_recording(recorder, recorder->first) != 0 ||
	    recording_create_file(recorder->first, message, sizeof(message)) != 0) {
		reports_say(&recorder->common.reports, REPORT_ERROR, 1, "%s", message);
		return ERROR_SYSTEM;
	}
	recorder->first->first = 1;
	recorder->first_pidfd = proc_pidfd(recorder->first_pid);
	report.pid = recorder->first_pid;
	report_copy(report.path, sizeof(report.path), recorder->first->output.name);
	report_copy(report.name, sizeof(report.name), name);
	reports_send(&recorder->common.reports, &report);
	return 0;
}

static int first_has_ended(struct recorder *recorder)
{
	int told = atomic_load(&recorder->common.shared.region->first_ended) != 0;

	if (!recorder->first_over &&
	    (told || (recorder->first_pidfd >= 0 ? pidfd_is_over(recorder->first_pidfd)
						 : kill(recorder->first_pid, 0) != 0)))
		recorder->first_over = 1;
	return recorder->first_over;
}

/* It never called a function of ours: its trace is empty, and says so. */
static void end_unopened(struct recorder *recorder)
{
	struct recording *recording = recorder->first;
	int status = 0;
	enum trace_ending ending = TRACE_ENDING_EXITED;

	if (recording == NULL)
		return;
	recorder->first = NULL;
	reports_say(&recorder->common.reports, REPORT_WARNING, 1,
		    "nothing was recorded: the program never called the collector (it allocates "
		    "nothing, is statically linked, or removed LD_PRELOAD)");
	recording->program = recorder->common.options->first_path != NULL
				 ? strdup(recorder->common.options->first_path)
				 : NULL;
	recording->pidfd = recorder->first_pidfd;
	recorder->first_pidfd = -1;
	if (find_status(recorder, recording, &status) != 0)
		ending = TRACE_ENDING_UNKNOWN;
	recording_end(recording, ending, status);
}

static void look_at_first(struct recorder *recorder, uint64_t now_ns)
{
	struct report report = {.kind = REPORT_FIRST_DONE};

	if (recorder->first_pid == 0 || recorder->first_done || !first_has_ended(recorder))
		return;
	find_sessions(recorder, now_ns, 1);
	recorder->ends_ns = 0;
	look_at_ends(recorder, now_ns);
	end_unopened(recorder);
	for (size_t i = 0; i < recorder->count; i++) {
		const struct recording *recording = recorder->recordings[i];

		if (recording->state == RECORDING_DONE)
			continue;
		/* Others that have ended are waited for, too; those that live on are not. */
		if (recording->first || recording->state != RECORDING_OPEN)
			return;
		report.running++;
	}
	recorder->first_done = 1;
	reports_send(&recorder->common.reports, &report);
}

/* --- the loop ------------------------------------------------------------------------------- */

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
	find_sessions(recorder, now_ns, 0);
	words = drain_all(recorder, now_ns);
	look_at_ends(recorder, now_ns);
	look_at_first(recorder, now_ns);
	complete_ended(recorder, now_ns);
	look_at_first(recorder, now_ns);
	set_done_aside(recorder);
	reports_flush(&recorder->common.reports, 0);
	return all_is_done(recorder, now_ns) ? -1 : (int64_t)words;
}

static void run(struct recorder *recorder)
{
	uint64_t sleep_ns = SLEEP_LEAST, rested_ns = monotonic_ns(), words = 0;

	for (;;) {
		uint64_t now_ns = monotonic_ns();
		int64_t found = look(recorder, now_ns);
		enum region_sleep depth = SLEEPING_NOT;

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
		if (nap(&recorder->common.shared, sleep_ns, depth)) {
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

	ignore_signals();
	recorder.common.options = options;
	recorder.started_ns = monotonic_ns();
	reports_start(&recorder.common.reports, report_fd);
	shared_open(&recorder.common.shared, region);
	raise_limits(&recorder);
	clock_start(&recorder.common.clock, region->clock);
	if (take_robust_futex(region) != 0) {
		reports_say(&recorder.common.reports, REPORT_ERROR, 1,
			    "cannot watch over the recorder: %s", strerror(errno));
	} else if (first_pid == 0 || create_first(&recorder) == 0) {
		ticker_start(&recorder.ticker, region);
		run(&recorder);
		ticker_stop(&recorder.ticker);
		status = 0;
	}
	drop_robust_futex(region);
	reports_flush(&recorder.common.reports, 1);
	for (size_t i = 0; i < recorder.all; i++)
		recording_free(recorder.recordings[i]);
	free(recorder.recordings);
	free(recorder.polled);
	crew_release(&recorder.common.crew);
	images_release(&recorder.images);
	naming_release(&recorder.naming);
	module_files_release(&recorder.common.files);
	output_names_release(&recorder.common.names);
	if (recorder.first_pidfd >= 0)
		close(recorder.first_pidfd);
	return status;
}
