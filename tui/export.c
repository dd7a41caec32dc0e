/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The line of `e`: what is shown, to a file. Its name says how: .folded and .json are what print
 * writes with -F and --json of the same part; anything else is the text of the view. */
#include "tui/dispatch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "analyzer/report/folded.h"
#include "analyzer/report/json_report.h"
#include "formats/error.h"

static int ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), tail = strlen(end);

	return length > tail && !strcmp(text + length - tail, end);
}

static int write_json(struct tui *tui, FILE *out)
{
	const struct report_options options = {
	    .sections =
		REPORT_ALLOCATIONS | REPORT_PEAK | REPORT_LEAKS | REPORT_TEMPORARY | REPORT_SUMMARY,
	    .merge = 1,
	    .shorten = 1,
	    .entries = SIZE_MAX,
	    .stacks = 5,
	    .sort_by = tui->sort_by,
	    .filter = &tui->picture->filters[0],
	    .base_filter = &tui->picture->filters[1],
	};
	struct report report;
	int error = report_init(&report, tui->picture->profile, &tui->picture->lens, &options);

	if (!error)
		error = json_report(out, &report, tui->options->path, tui->options->base_path);
	report_release(&report);
	return error;
}

static int write_view(struct tui *tui, FILE *out)
{
	void *data = tui_view_data(tui, tui->view);

	if (!data || !tui->view->write)
		return ERROR_UNSUPPORTED;
	return tui->view->write(tui, data, out);
}

static void typed(struct tui *tui, const char *path)
{
	FILE *out;
	int error;

	if (!*path)
		return;
	/* what is there is never written over */
	out = tui->random ? fopen("/dev/null", "we") : fopen(path, "wxe");
	if (!out) {
		tui_message(tui, "%s: %s", path,
			    errno == EEXIST ? "it is there already: take another name"
					    : strerror(errno));
		return;
	}
	if (ends_with(path, ".json"))
		error = write_json(tui, out);
	else if (ends_with(path, ".folded"))
		error = folded_write(out, tui->picture->profile, &tui->picture->lens, tui->cost, 1);
	else
		error = write_view(tui, out);
	if ((ferror(out) | fclose(out)) && !error)
		error = ERROR_SYSTEM;
	if (error == ERROR_UNSUPPORTED)
		tui_message(tui, "this view has no text: take NAME.folded or NAME.json");
	else if (error)
		tui_message(tui, "%s: %s", path,
			    error == ERROR_SYSTEM ? strerror(errno) : error_text(error));
	else
		tui_message(tui, "written: %s", path);
}

const struct prompt_kind export_prompt = {
    .label = "write to (NAME, NAME.folded, NAME.json): ",
    .done = typed,
};
