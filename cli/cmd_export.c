/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/commands.h"

#include "analyzer/query/cost.h"
#include "cli/exports.h"
#include "cli/input.h"
#include "cli/message.h"
#include "cli/progress.h"
#include "cli/view.h"
#include "cli/view_rows.h"

/* Values of the options, at their defaults. */
static struct {
	struct view_options view;
	const char *output;
	int format; /* enum export_format; -1: not said */
	struct export_options options;
} values = {
    .view = {.by = -1, .identity = -1},
    .format = -1,
    .options = {.cost = COST_ALLOCATIONS,
		.detailed = EXPORT_USUAL,
		.axis = TIMELINE_MS,
		.entries = UINT64_MAX,
		.stacks = 5,
		.shorten = 1},
};

static const struct option_choice formats[] = {
    {"folded", EXPORT_FOLDED},
    {"histogram", EXPORT_HISTOGRAM},
    {"json", EXPORT_JSON},
    {"massif", EXPORT_MASSIF},
    {NULL, 0},
};

static const struct option table[] = {
    HEADING("files and formats"),
    CHOICE("format", OPTION_CHOICE, format, formats, "FORMAT",
	   "folded (stacks for flamegraph.pl), massif (for\n"
	   "ms_print), histogram (sizes and their counts),\n"
	   "json (the whole report)"),
    VALUE('o', "output", OPTION_TEXT, output, "OUT",
	  "the file to write, replaced when it is there\n(standard output)"),
    VIEW_FILE_ROWS,
    CHOICE("flamegraph-cost-type", OPTION_CHOICE, options.cost, export_costs, "COST",
	   "allocations, temporary, leaked or peak\n(allocations)"),
    VALUE(0, "massif-threshold", OPTION_TEXT, options.percent, "PERCENT",
	  "smaller parts of a snapshot are one (1)"),
    VALUE(0, "massif-detailed-freq", OPTION_NUMBER, options.detailed, "N",
	  "every Nth snapshot has its parts; 0: only the\npeak (2)"),
    CHOICE("time-unit", OPTION_CHOICE, options.axis, export_axes, "UNIT",
	   "time in a massif file: ms or bytes, those\nallocated and given back (ms)"),
    VALUE('n', "peak-limit", OPTION_NUMBER, options.entries, "N",
	  "entries in a section of json (all)"),
    VALUE('s', "sub-peak-limit", OPTION_NUMBER, options.stacks, "N",
	  "backtraces below an entry of json (5)"),
    SWITCH('t', "shorten-templates", options.shorten, "vector<> instead of vector<int> (1)"),
    VIEW_ROWS,
    {0},
};

static const struct option_set set = {
    .command = "export",
    .words = "--format=FORMAT [-o OUT] [options] [FILE]",
    .summary = "Writes a trace for other tools; without FILE, the newest run's\n"
	       "mallograph.*.mlg in the current directory.",
    .options = table,
};

int cmd_export(int argc, char **argv)
{
	char newest[INPUT_NAME_BYTES];
	struct view view;
	int written, status = options_parse(&set, &argc, argv);

	if (status >= 0)
		return status;
	if (values.format < 0)
		return message_usage(
		    "export: name a format with --format=folded, massif, histogram "
		    "or json");
	status = input_choose("export", values.view.path, argc, argv, newest, &values.view.path);
	if (status < 0)
		status =
		    export_check((enum export_format)values.format, &values.options, &values.view);
	if (status >= 0)
		return status;
	progress_show();
	status = view_open(&view, &values.view);
	if (view.profile) {
		written = export_write(values.output, (enum export_format)values.format,
				       &values.options, &view, &values.view);
		status = written >= 0 ? written : status;
	}
	view_close(&view);
	return status;
}
