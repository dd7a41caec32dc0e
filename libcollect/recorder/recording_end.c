/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The end of a recording: the rest of the events, what was counted, the report. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libcollect/recorder/procfs.h"
#include "libcollect/recorder/recording.h"

/* What a trace needs to be whole goes on without events. */
static void check_events(struct recording *recording)
{
	const struct trace_writer_stop *stop = trace_writer_stopped(recording->writer);
	struct account *account = &recording->account;
	double seconds = (double)stop->tick / TRACE_TICKS_PER_SECOND;

	if (!stop->stopped || account->events_stopped != 0)
		return;
	account->with_events = 0;
	account->events_stopped = 1 + stop->tick;
	if (stop->system_errno != 0)
		reports_say(&recording->common->reports, REPORT_WARNING, recording->first,
			    "'%s': %s: events stop at %.3f s, totals go on", recording->output.name,
			    strerror(stop->system_errno), seconds);
	else
		reports_say(&recording->common->reports, REPORT_WARNING, recording->first,
			    "'%s' has reached --max-size: events stop at %.3f s, totals go on",
			    recording->output.name, seconds);
}

/* After an error nothing more is written, but draining and counting go on: the
 * program must not wait for a full disk. */
void recording_check_writer(struct recording *recording, int error)
{
	int number;

	if (recording->write_error != 0 || recording->writer == NULL)
		return;
	check_events(recording);
	number = trace_writer_errno(recording->writer);
	if (number == 0 && error == 0)
		return;
	recording->write_error = number != 0 ? number : ENOMEM;
	recording->account.writer = NULL;
	reports_say(&recording->common->reports, REPORT_WARNING, recording->first,
		    "cannot write '%s': %s; the trace ends there", recording->output.name,
		    strerror(recording->write_error));
}

/* Recordings are kept for the whole run; descriptors are not. */
static void close_process(struct recording *recording)
{
	if (recording->state != RECORDING_DONE || recording->session != NULL ||
	    recording->pidfd < 0)
		return;
	close(recording->pidfd);
	recording->pidfd = -1;
}

void recording_leave_session(struct recording *recording)
{
	struct session *session = recording->session;
	const size_t state = sizeof(session->state);

	if (session == NULL)
		return;
	shared_return_all(&recording->common->shared, recording->epoch);
	memset((char *)session + state, 0, sizeof(*session) - state);
	atomic_store_explicit(&session->state, SESSION_FREE, memory_order_release);
	recording->session = NULL;
	close_process(recording);
}

static void set_ending(struct recording *recording, enum trace_ending ending, int status)
{
	recording->ending = ending;
	if (ending == TRACE_ENDING_EXITED && WIFSIGNALED(status)) {
		recording->ending = TRACE_ENDING_SIGNALLED;
		recording->status = (unsigned)WTERMSIG(status);
	} else if (ending == TRACE_ENDING_EXITED) {
		recording->status = (unsigned)WEXITSTATUS(status);
	}
}

static void take_counters(struct recording *recording)
{
	struct session *session = recording->session;

	for (unsigned i = 0; i < SESSION_COUNTERS; i++)
		recording->counter[i] = atomic_load(&session->counter[i]);
}

static void end_session(struct recording *recording)
{
	const struct clock *clock = &recording->common->clock;
	struct account *account = &recording->account;
	uint64_t now = clock_now(clock);
	pid_t pid = recording->pid;
	char name[THREAD_NAME_BYTES];

	drain_round(&recording->drain, now, 1);
	/* What others still have is there while its first thread is a zombie. */
	for (uint32_t i = 0; i < recording->drain.count && pid != 0; i++) {
		const struct feed *feed = &recording->drain.feeds[i];

		if (feed->tid == pid && feed->thread != 0 &&
		    recording->ending != TRACE_ENDING_EXECED && !recording_is_leaving(recording) &&
		    proc_thread_name(pid, pid, name, sizeof(name)) == 0)
			account_thread_name(account, feed->thread, name);
	}
	recording->end_tick = ticks_at(&account->ticks, now);
	if (now > account->ticks.opened)
		recording->end_offset_ns = clock_to_ns(clock, now - account->ticks.opened);
	timeline_point(&recording->timeline, account, recording->end_tick, monotonic_ns(), 1);
	timeline_release(&recording->timeline);
	take_counters(recording);
}

void recording_end(struct recording *recording, enum trace_ending ending, int status)
{
	int program_may_write = ending == TRACE_ENDING_ABANDONED;

	/* However the program ended then: what it did before is not here. */
	if (recording->session != NULL &&
	    atomic_load(&recording->session->state) == SESSION_ABANDONED)
		ending = TRACE_ENDING_ABANDONED;
	set_ending(recording, ending, status);
	if (recording->session != NULL)
		end_session(recording);
	else
		recording_write_meta(recording, NULL);
	account_release_live(&recording->account);
	stacks_release_map(&recording->stacks);
	drain_release(&recording->drain);
	if (!program_may_write)
		recording_leave_session(recording);
	if (recording->account.writer != NULL)
		recording_check_writer(recording, trace_writer_flush(recording->writer));
	recording->state = RECORDING_ENDED;
}

/* --- the trace's end -------------------------------------------------------------- */

static void write_counters(struct recording *recording)
{
	const struct account *account = &recording->account;

	for (uint32_t id = 1; id <= account->classes.count; id++) {
		struct class_figures class_;

		classes_figures(&account->classes, id, &class_);
		trace_writer_class_counters(
		    recording->writer,
		    &(struct trace_class_counters){.allocations = class_.allocations,
						   .deallocations = class_.deallocations,
						   .temporary = class_.temporary,
						   .peak_live = class_.peak_live});
	}
	for (uint32_t id = 1; id <= account->thread_count; id++) {
		const struct account_thread *thread = account_thread_at(account, id);

		trace_writer_thread_counters(
		    recording->writer,
		    &(struct trace_thread_counters){.allocations = thread->allocations,
						    .deallocations = thread->deallocations,
						    .temporary = thread->temporary,
						    .bytes = thread->bytes});
	}
}

static uint64_t lost_other(const struct recording *recording)
{
	return recording->counter[COUNT_LOST_ADDRESS] + recording->counter[COUNT_LOST_OTHER] +
	       recording->account.lost + recording->drain.bad;
}

static uint64_t unrecorded(const struct recording *recording)
{
	return recording->counter[COUNT_EXEC_UNRECORDED] + recording->unrecorded;
}

static void write_end(struct recording *recording, const struct account_totals *totals)
{
	const struct trace_writer_stop *stop = trace_writer_stopped(recording->writer);
	const struct account *account = &recording->account;
	const struct classes *classes = &account->classes;
	const struct {
		enum trace_end_tag tag;
		int always;
		uint64_t value;
	} numbers[] = {
	    {TRACE_END_HOW, 1, recording->ending},
	    {TRACE_END_STATUS, 1, recording->status},
	    {TRACE_END_TICK, 1, recording->end_tick},
	    {TRACE_END_PEAK_BYTES, 1, classes->peak_bytes},
	    {TRACE_END_PEAK_BLOCKS, 1, classes->peak_blocks},
	    {TRACE_END_PEAK_TICK, 1, classes->peak_tick},
	    {TRACE_END_PEAK_RSS, 1, recording->timeline.peak_rss},
	    {TRACE_END_ALLOCATIONS, 1, totals->allocations},
	    {TRACE_END_DEALLOCATIONS, 1, totals->deallocations},
	    {TRACE_END_REALLOCATIONS, 1, account->reallocations},
	    {TRACE_END_TEMPORARY, 1, totals->temporary},
	    {TRACE_END_BYTES, 1, totals->bytes},
	    {TRACE_END_LEAKED_BLOCKS, 1, classes->live_blocks},
	    {TRACE_END_LEAKED_BYTES, 1, classes->live_bytes},
	    {TRACE_END_UNKNOWN_FREES, 0, account->unknown_frees},
	    {TRACE_END_INHERITED_FREES, 0, account->inherited_frees},
	    {TRACE_END_LOST_SIGNAL, 0, recording->counter[COUNT_LOST_SIGNAL]},
	    {TRACE_END_LOST_NO_RING, 0, recording->counter[COUNT_LOST_NO_RING]},
	    {TRACE_END_LOST_OTHER, 0, lost_other(recording)},
	    {TRACE_END_LOST_ABANDONED, 0, recording->ending == TRACE_ENDING_ABANDONED},
	    {TRACE_END_STACKS_UNKNOWN, 0, totals->stacks_unknown},
	    {TRACE_END_STACKS_INCOMPLETE, 0, totals->stacks_incomplete},
	    {TRACE_END_STACKS_CUT, 0, totals->stacks_cut},
	    {TRACE_END_STACKS_GUESSED, 0, totals->stacks_guessed},
	    {TRACE_END_STACKS_FALLBACK, 0, recording->counter[COUNT_STACK_FALLBACK]},
	    {TRACE_END_EXEC_UNRECORDED, 0, unrecorded(recording)},
	    {TRACE_END_LOADED_PAST, 0, recording->counter[COUNT_LOADED_PAST]},
	    {TRACE_END_LATE_EVENTS, 0, recording->drain.late},
	    {TRACE_END_SYMBOLS_SKIPPED, 0, recording->symbols_skipped},
	    {TRACE_END_EVENTS_STOPPED, 0, account->events_stopped},
	    {TRACE_END_EVENTS_STOPPED_BY, 0,
	     stop->system_errno == ENOMEM ? TRACE_STOPPED_BY_MEMORY
	     : stop->system_errno != 0    ? TRACE_STOPPED_BY_DISK
					  : TRACE_STOPPED_BY_LIMIT},
	};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (numbers[i].always || numbers[i].value != 0)
			trace_writer_end_number(recording->writer, numbers[i].tag,
						numbers[i].value);
}

static void report_trace(struct recording *recording, const struct account_totals *totals)
{
	const struct account *account = &recording->account;
	struct report report = {
	    .kind = REPORT_TRACE,
	    .first = recording->first != 0,
	    .pid = recording->own_pid,
	    .image = recording->epoch,
	    .execed = recording->origin == TRACE_ORIGIN_EXECED,
	    .ending = recording->ending,
	    .status = recording->status,
	    .nanoseconds = recording->end_offset_ns,
	    .allocations = totals->allocations,
	    .deallocations = totals->deallocations,
	    .temporary = totals->temporary,
	    .reallocations = account->reallocations,
	    .bytes = totals->bytes,
	    .peak_bytes = account->classes.peak_bytes,
	    .peak_blocks = account->classes.peak_blocks,
	    .peak_tick = account->classes.peak_tick,
	    .leaked_blocks = account->classes.live_blocks,
	    .leaked_bytes = account->classes.live_bytes,
	    .lost = recording->counter[COUNT_LOST_SIGNAL] + recording->counter[COUNT_LOST_NO_RING] +
		    lost_other(recording),
	    .unrecorded = unrecorded(recording),
	    .loaded_past = recording->counter[COUNT_LOADED_PAST],
	    .trace_bytes = trace_writer_size(recording->writer),
	};

	report.lost_other_reason = (recording->ending == TRACE_ENDING_ABANDONED ? 1 : 0) |
				   (recording->write_error != 0 ? 2 : 0) |
				   (report.unrecorded != 0 ? 4 : 0);
	report_copy(report.name, sizeof(report.name), recording->name);
	report_copy(report.path, sizeof(report.path), recording->output.name);
	reports_send(&recording->common->reports, &report);
}

static void write_symbols(struct recording *recording, struct symcache *symbols)
{
	int error = symcache_write(symbols, &recording->stacks, recording->writer);

	trace_writer_flush(recording->writer);
	if (error || trace_writer_lacks_symbols(recording->writer))
		recording->symbols_skipped = recording->stacks.modules.file_count;
}

void recording_complete(struct recording *recording, struct symcache *symbols)
{
	struct account_totals totals;

	account_total(&recording->account, &totals);
	if (recording->writer != NULL && recording->write_error == 0) {
		if (symbols != NULL)
			write_symbols(recording, symbols);
		write_counters(recording);
		write_end(recording, &totals);
		recording_check_writer(recording, trace_writer_finish(recording->writer));
	}
	if (recording->writer != NULL && output_follow(&recording->output) != 0)
		reports_say(&recording->common->reports, REPORT_WARNING, recording->first,
			    "'%s' was removed or replaced while it was written: the trace is lost",
			    recording->output.name);
	/* Closing lets the lock go: readers then see a whole trace. */
	if (recording->output.fd >= 0)
		close(recording->output.fd);
	recording->output.fd = -1;
	if (recording->writer != NULL)
		report_trace(recording, &totals);
	trace_writer_free(recording->writer);
	recording->writer = recording->account.writer = NULL;
	account_release(&recording->account);
	stacks_release(&recording->stacks);
	if (recording->stacks.modules.files != NULL)
		modules_release(&recording->stacks.modules);
	recording->state = RECORDING_DONE;
	close_process(recording);
}
