/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The launched process: its trace exists before it runs, and the launcher waits for its end. */
#define _GNU_SOURCE
#include "libcollect/recorder/recorder_parts.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/error.h"
#include "libcollect/recorder/procfs.h"

int recorder_create_first(struct recorder *recorder)
{
	const struct recorder_options *options = recorder->common.options;
	char name[64], message[256], *program = NULL;
	struct report report = {.kind = REPORT_READY, .first = 1};

	if (options->first_path == NULL)
		program = proc_program(recorder->first_pid);
	report_copy(name, sizeof(name),
		    base_name(options->first_path != NULL ? options->first_path : program));
	free(program);
	snprintf(message, sizeof(message), "cannot create the trace: out of memory");
	recorder->first = recording_new(&recorder->common, name, recorder->first_pid);
	if (recorder->first == NULL || recorder_add(recorder, recorder->first) != 0 ||
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
	    (told || (recorder->first_pidfd >= 0 ? recorder_pidfd_is_over(recorder->first_pidfd)
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
	if (recorder_find_status(recorder, recording, &status) != 0)
		ending = TRACE_ENDING_UNKNOWN;
	recording_end(recording, ending, status);
}

void recorder_look_at_first(struct recorder *recorder, uint64_t now_ns)
{
	struct report report = {.kind = REPORT_FIRST_DONE};

	if (recorder->first_pid == 0 || recorder->first_done || !first_has_ended(recorder))
		return;
	recorder_find_sessions(recorder, now_ns, 1);
	recorder->ends_ns = 0;
	recorder_look_at_ends(recorder, now_ns);
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
