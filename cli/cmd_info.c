/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/commands.h"

#include <stdio.h>

#include "analyzer/model/profile.h"
#include "analyzer/report/text.h"
#include "cli/input.h"
#include "cli/message.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "formats/error.h"

static int bytes;

static const struct option options[] = {
    {
	.name = "bytes",
	.kind = OPTION_FLAG,
	.value = &bytes,
	.number = 1,
	.help = "plain numbers of bytes: 72704, not 72.70K",
    },
    {0},
};

static const struct option_set set = {
    .command = "info",
    .words = "[options] [FILE]",
    .summary = "Shows what is in a trace: the program, times, totals, and what is missing.\n"
	       "Without FILE, in the newest run's mallograph.*.mlg in the current directory.",
    .options = options,
};

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
	progress_show();
	status = input_load(&profile, path);
	if (!profile)
		return status;
	profile_check_events(profile, profile->path);
	error = text_info(stdout, profile, path, bytes);
	if (profile->events_fault)
		status = message_failed("%s: the figures are sound, but events in it are damaged "
					"(%s)",
					input_name(path), profile->events_fault);
	profile_free(profile);
	return error ? message_failed("%s: %s", path, error_text(error)) : status;
}
