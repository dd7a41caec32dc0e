/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/commands.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "analyzer/query/names.h"
#include "analyzer/report/json_report.h"
#include "analyzer/report/text.h"
#include "cli/exports.h"
#include "cli/fail_above.h"
#include "cli/input.h"
#include "cli/message.h"
#include "cli/print_options.h"
#include "cli/progress.h"
#include "cli/view.h"
#include "formats/error.h"

/* massif's own default. */
#define PRINT_TIMELINE_DETAILED 10

static void fill_report_options(struct report_options *report, const struct print_options *options,
				const struct view *view)
{
	*report = (struct report_options){
	    .sections = print_sections(options),
	    .tree = options->tree + 1,
	    .callers = options->callers,
	    .callees = options->callees,
	    .merge = options->merge,
	    .details = options->details,
	    .shorten = options->shorten,
	    .plain_bytes = options->bytes,
	    .entries = options->entries,
	    .stacks = options->stacks,
	    .sort_by = options->sort_by,
	    .per = options->per,
	    .least = options->least,
	    .suppressions = options->list_suppressions,
	    .filter = &view->fresh.filter,
	    .base_filter = &view->base.filter,
	};
}

static int failed(const char *name, int error)
{
	return message_failed("%s: %s", name,
			      error == ERROR_SYSTEM ? strerror(errno) : error_text(error));
}

/* Stacks begin with who calls these. */
static const char *why_missing(const char *function)
{
	char bare[64], other[64];

	if (strlen(function) >= sizeof(bare))
		return "";
	name_bare(bare, function);
	for (unsigned i = TRACE_FUNCTION_MALLOC; i <= TRACE_FUNCTION_NEW_ARRAY_ALIGNED_NOTHROW;
	     i++) {
		name_bare(other, profile_function_name(i));
		if (!strcmp(bare, other))
			return ": allocation functions are not among the callers shown; --tree "
			       "bottom-up begins with who calls them";
	}
	return "";
}

/* Files beside the report. *instead: one of them takes its place on stdout. -1, or the exit
 * status after a message. */
static int write_files(const struct print_options *options, const struct view *view, int *instead)
{
	int status = -1;

	*instead = 0;
	for (size_t i = 0; i < PRINT_OUTPUTS && status < 0; i++) {
		const struct print_output *output = &options->outputs[i];

		if (!output->path)
			continue;
		*instead |= !strcmp(output->path, "-");
		status = export_write(output->path, output->format, &options->exports, view,
				      &options->view);
	}
	return status;
}

static int print(const struct print_options *options, const struct view *view)
{
	const char *path = options->view.path;
	struct report_options report_options;
	struct timeline_view timeline =
	    export_timeline_view(&options->exports, view, PRINT_TIMELINE_DETAILED);
	struct report report;
	int error, instead, status = write_files(options, view, &instead);

	if (status >= 0)
		return status;
	status = STATUS_OK;
	fill_report_options(&report_options, options, view);
	report_options.timeline = &timeline;
	error = report_init(&report, view->profile, &view->lens, &report_options);
	if (!error && options->json && !instead)
		error = json_report(stdout, &report, path, options->view.base);
	else if (!error && !instead) {
		text_report_head(stdout, view->profile, path, options->view.base);
		error = text_report(stdout, &report);
	}
	if (!error && options->fail_above)
		status = fail_above(options->fail_above, &report, input_name(path));
	if (error == ERROR_EMPTY && report.missing)
		status = message_failed("%s: no stack has a function '%s'%s", input_name(path),
					report.missing, why_missing(report.missing));
	else if (error)
		status = failed(input_name(path), error);
	report_release(&report);
	return status;
}

int cmd_print(int argc, char **argv)
{
	struct print_options *options = NULL;
	char newest[INPUT_NAME_BYTES];
	struct view view;
	int status = options_parse(&print_option_set, &argc, argv);

	if (status < 0)
		status = print_options(&options);
	if (status < 0 && options->version)
		return cmd_version(1, argv);
	if (status < 0 && options->fail_above)
		status = fail_above_check(options->fail_above);
	if (status < 0)
		status = input_choose("print", options->view.path, argc, argv, newest,
				      &options->view.path);
	if (status >= 0)
		return status;
	progress_show();
	status = view_open(&view, &options->view);
	if (view.profile) {
		int printed = print(options, &view);

		/* of a trace that is cut off no budget can be kept */
		status = status == STATUS_OK ? printed : status;
	}
	view_close(&view);
	return status;
}
