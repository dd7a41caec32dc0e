/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/commands.h"

#include <errno.h>
#include <string.h>

#include "cli/input.h"
#include "cli/message.h"
#include "cli/progress.h"
#include "cli/view.h"
#include "cli/view_rows.h"
#include "formats/error.h"
#include "tui/tui.h"

/* Values of the options, at their defaults. */
static struct {
	struct view_options view;
	const char *script, *source_dir;
} values = {
    .view = {.by = -1, .identity = -1, .whole = 1},
};

static const struct option table[] = {
    VIEW_FILE_ROWS,
    VALUE(0, "source-dir", OPTION_TEXT, source_dir, "DIR", "look for source files below DIR"),
    VALUE(0, "script", OPTION_TEXT, script, "SCRIPT",
	  "take keys from a file and save screens, without\na terminal; - is standard input"),
    VIEW_ROWS,
    {0},
};

static const struct option_set set = {
    .command = "tui",
    .words = "[options] [FILE]",
    .summary = "Browses a trace in the terminal: ? shows the keys. Without FILE, the newest run's\n"
	       "mallograph.*.mlg in the current directory.",
    .options = table,
};

static int browse(const struct view *view)
{
	const struct tui_options options = {
	    .fresh = view->fresh.whole,
	    .base = view->base.whole,
	    .path = values.view.path,
	    .base_path = values.view.base,
	    .filters = {&view->fresh.filter, &view->base.filter},
	    .suppressions = &view->suppressions,
	    .lens = view->lens,
	    .script = values.script,
	    .source_dir = values.source_dir,
	};
	char complaint[512];
	int error = tui_run(&options, complaint, sizeof(complaint));

	if (error && *complaint)
		return message_failed("%s", complaint);
	if (error)
		return message_failed("%s: %s", input_name(values.view.path),
				      error == ERROR_SYSTEM ? strerror(errno) : error_text(error));
	return STATUS_OK;
}

int cmd_tui(int argc, char **argv)
{
	char newest[INPUT_NAME_BYTES];
	struct view view;
	int status = options_parse(&set, &argc, argv);

	if (status < 0)
		status =
		    input_choose("tui", values.view.path, argc, argv, newest, &values.view.path);
	if (status >= 0)
		return status;
	progress_show();
	status = view_open(&view, &values.view);
	if (view.profile) {
		int browsed = browse(&view);

		status = status == STATUS_OK ? browsed : status;
	}
	view_close(&view);
	return status;
}
