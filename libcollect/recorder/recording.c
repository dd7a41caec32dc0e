/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include "libcollect/recorder/recording.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "formats/error.h"

#define FLUSH_NS UINT64_C(500000000)

struct recording *recording_new(struct common *common, const char *name, pid_t pid)
{
	struct recording *recording = calloc(1, sizeof(*recording));

	if (recording == NULL)
		return NULL;
	recording->common = common;
	recording->own_pid = recording->pid = pid;
	recording->pidfd = -1;
	recording->timeline.statm_fd = -1;
	report_copy(recording->name, sizeof(recording->name), name);
	recording->output.fd = -1;
	return recording;
}

int recording_create_file(struct recording *recording, char *message, size_t size)
{
	struct common *common = recording->common;
	const struct recorder_options *options = common->options;
	int error = output_create(&common->names, options, recording->name, recording->own_pid,
				  &recording->output, message, size);

	if (error != 0)
		return error;
	recording->writer = trace_writer_new(recording->output.fd, options->codec, options->level);
	if (recording->writer == NULL) {
		snprintf(message, size, "cannot write '%s': out of memory", recording->output.name);
		output_remove(&recording->output);
		return ERROR_MEMORY;
	}
	if (trace_writer_errno(recording->writer) != 0) {
		snprintf(message, size, "cannot write '%s': %s", recording->output.name,
			 strerror(trace_writer_errno(recording->writer)));
		output_remove(&recording->output);
		trace_writer_free(recording->writer);
		recording->writer = NULL;
		return ERROR_SYSTEM;
	}
	trace_writer_limit(recording->writer, options->max_size);
	recording->account.writer = recording->writer;
	recording->account.with_events = 1;
	return 0;
}

void recording_free(struct recording *recording)
{
	if (recording == NULL)
		return;
	trace_writer_free(recording->writer);
	if (recording->output.fd >= 0)
		close(recording->output.fd);
	if (recording->pidfd >= 0)
		close(recording->pidfd);
	free(recording->output.name);
	free(recording->output.path);
	free(recording->program);
	free(recording->arguments);
	free(recording->folder);
	timeline_release(&recording->timeline);
	account_release(&recording->account);
	stacks_release(&recording->stacks);
	if (recording->stacks.modules.files != NULL)
		modules_release(&recording->stacks.modules);
	drain_release(&recording->drain);
	free(recording);
}

void recording_bind(struct recording *recording, uint32_t slot, const struct recording *parent,
		    const struct recording *relative)
{
	struct session *session = &recording->common->shared.region->session[slot];

	recording->session = session;
	recording->slot = slot;
	recording->epoch = session->epoch;
	recording->parent_epoch = session->parent_epoch;
	recording->own_pid = session->pid;
	recording->account.inherited = session->origin == ORIGIN_FORK;
	ticks_start(&recording->account.ticks, &recording->common->clock, session->opened);
	recording_find_process(recording, relative);
	recording_describe(recording, parent);
	if (recording->name[0] == '\0')
		report_copy(recording->name, sizeof(recording->name),
			    session->origin == ORIGIN_FORK && parent != NULL
				? parent->name
				: base_name(recording->program));
}

void recording_open(struct recording *recording, const struct recording *parent)
{
	struct common *common = recording->common;
	struct session *session = recording->session;
	uint64_t now_ns = monotonic_ns();

	recording->stacks.shared = &common->shared;
	recording->stacks.session = session;
	recording->stacks.crew = recording->account.crew = &common->crew;
	recording->account.classes.crew = &common->crew;
	recording->account.stacks = &recording->stacks;
	recording->stacks.modules = (struct modules){.shared = &common->shared,
						     .session = session,
						     .files = &common->files,
						     .pid = recording->pid,
						     .program = recording->program,
						     .folder = recording->folder};
	recording->drain = (struct drain){.shared = &common->shared,
					  .session = session,
					  .slot = recording->slot,
					  .epoch = recording->epoch,
					  .clock = &common->clock,
					  .account = &recording->account,
					  .stacks = &recording->stacks};
	timeline_start(&recording->timeline, recording->pid, (uint64_t)session->resident << 10,
		       &session->execing, now_ns);
	recording->flushed_ns = now_ns;
	recording->state = RECORDING_OPEN;
	recording_write_meta(recording, parent);
	if (recording->output.displaced)
		reports_say(&common->reports, REPORT_WARNING, recording->first,
			    "another recording is being written under this name: this trace is "
			    "'%s'",
			    recording->output.name);
}

uint64_t recording_round(struct recording *recording, uint64_t now_ns)
{
	struct account *account = &recording->account;
	const struct clock *clock = &recording->common->clock;
	uint64_t words = drain_round(&recording->drain, clock_now(clock), 0);
	uint64_t tick = account->ticks.now;

	/* The clock, where no event tells the time. */
	if (words == 0)
		tick = ticks_at(&account->ticks, clock_now(clock));
	timeline_point(&recording->timeline, account, tick, now_ns, 0);
	recording_name_threads(recording, now_ns);
	recording_look_at_threads(recording, now_ns);
	if (account->writer == NULL)
		return words;
	recording_check_writer(recording, 0);
	if (account->writer != NULL && now_ns >= recording->flushed_ns + FLUSH_NS) {
		recording_check_writer(recording, trace_writer_flush(account->writer));
		recording->flushed_ns = now_ns;
	}
	return words;
}
