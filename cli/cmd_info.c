/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/commands.h"

#include <stdio.h>
#include <string.h>

#include "analyzer/model/profile.h"
#include "analyzer/report/text.h"
#include "cli/input.h"
#include "cli/message.h"
#include "cli/options.h"
#include "formats/error.h"
#include "formats/trace/reader.h"

static const struct option options[] = {{0}};

static const struct option_set set = {
    .command = "info",
    .words = "[FILE]",
    .summary = "Shows what is in a trace: the program, times, totals, and what is missing.\n"
	       "Without FILE, in the newest mallograph.*.mlg in the current folder.",
    .options = options,
};

static int ignore(void *context, const struct trace_event *event)
{
	(void)context;
	(void)event;
	return 0;
}

/* The figures of a complete trace come from its end; its events are read here
 * all the same, for their health. Returns the exit status. */
static int check_events(const char *path, const struct profile *profile, int status)
{
	static const struct trace_visitor visitor = {.event = ignore};
	enum trace_state state = TRACE_COMPLETE;
	struct trace_reader *reader;
	int error;

	if (profile->state != TRACE_COMPLETE || profile->rebuilt || !strcmp(path, "-"))
		return status;
	if (trace_reader_open(&reader, path))
		return status;
	error = trace_reader_read(reader, &visitor, NULL, &state);
	if (error || state != TRACE_COMPLETE) {
		message("%s: the figures are sound, but events in it are damaged (%s)", path,
			trace_reader_fault(reader) ? trace_reader_fault(reader) : "unreadable");
		status = STATUS_FAILED;
	}
	trace_reader_close(reader);
	return status;
}

int cmd_info(int argc, char **argv)
{
	struct profile *profile;
	char newest[INPUT_NAME_BYTES];
	const char *path;
	int error, status = options_parse(&set, &argc, argv);

	if (status >= 0)
		return status;
	status = input_choose("info", NULL, argc, argv, newest, &path);
	if (status >= 0)
		return status;
	status = input_load(&profile, path);
	if (!profile)
		return status;
	error = text_info(stdout, profile, path);
	status = check_events(path, profile, status);
	profile_free(profile);
	return error ? message_failed("%s: %s", path, error_text(error)) : status;
}
