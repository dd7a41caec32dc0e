/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/commands.h"

#include <stdio.h>

#include "analyzer/model/profile.h"
#include "analyzer/report/text.h"
#include "cli/input.h"
#include "cli/message.h"
#include "cli/options.h"
#include "formats/error.h"

static const struct option options[] = {{0}};

static const struct option_set set = {
    .command = "info",
    .words = "[FILE]",
    .summary = "Shows what is in a trace: the program, times, totals, and what is missing.\n"
	       "Without FILE, in the newest mallograph.*.mlg in the current folder.",
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
	status = input_load(&profile, path);
	if (!profile)
		return status;
	error = text_info(stdout, profile, path);
	profile_free(profile);
	return error ? message_failed("%s: %s", path, error_text(error)) : status;
}
