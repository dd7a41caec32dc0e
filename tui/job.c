/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tui/job.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "formats/error.h"
#include "tui/screen.h"
#include "tui/state.h"

static void *run(void *argument)
{
	struct job *job = argument;

	scan_watch_set(&job->watch);
	job->error = job->kind->work(job->context, job->complaint);
	scan_watch_set(NULL);
	/* errno is the thread's own */
	if (job->error == ERROR_SYSTEM && !*job->complaint)
		snprintf(job->complaint, sizeof(job->complaint), "%s", strerror(errno));
	atomic_store_explicit(&job->finished, 1, memory_order_release);
	screen_wake();
	return NULL;
}

/* All signals are the main loop's. */
static int start_thread(struct job *job)
{
	sigset_t all, before;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	error = pthread_create(&job->thread, NULL, run, job);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error;
}

static void hand_over(struct tui *tui)
{
	struct job *job = &tui->job;
	const struct job_kind *kind = job->kind;

	job->kind = NULL;
	kind->done(tui, job->context, job->error, job->complaint);
}

void job_start(struct tui *tui, const struct job_kind *kind, void *context)
{
	struct job *job = &tui->job;

	job_stop(tui);
	job->kind = kind;
	job->context = context;
	job->complaint[0] = '\0';
	job->events = scan_event_count(tui->options->fresh);
	atomic_store(&job->finished, 0);
	atomic_store(&job->watch.done, 0);
	atomic_store(&job->watch.cancel, 0);
	if (!start_thread(job))
		return;
	job->error = kind->work(context, job->complaint);
	hand_over(tui);
}

int job_poll(struct tui *tui)
{
	struct job *job = &tui->job;

	if (!job->kind || !atomic_load_explicit(&job->finished, memory_order_acquire))
		return 0;
	pthread_join(job->thread, NULL);
	hand_over(tui);
	return 1;
}

void job_wait(struct tui *tui)
{
	while (tui->job.kind) {
		pthread_join(tui->job.thread, NULL);
		hand_over(tui);
	}
}

void job_stop(struct tui *tui)
{
	if (!tui->job.kind)
		return;
	atomic_store(&tui->job.watch.cancel, 1);
	pthread_join(tui->job.thread, NULL);
	if (!tui->job.error)
		tui->job.error = ERROR_CANCELLED;
	hand_over(tui);
}

int job_text(const struct tui *tui, char *text, size_t size)
{
	const struct job *job = &tui->job;
	uint64_t done;

	if (!job->kind)
		return 0;
	done = atomic_load_explicit(&job->watch.done, memory_order_relaxed);
	if (done > job->events)
		done = job->events;
	return snprintf(text, size, "%s %d%% (Esc stops)", job->kind->doing,
			job->events ? (int)((unsigned __int128)done * 100 / job->events) : 0);
}
