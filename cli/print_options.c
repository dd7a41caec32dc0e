/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/print_options.h"

#include <stddef.h>
#include <string.h>

#include "analyzer/query/lens.h"
#include "analyzer/query/tree.h"
#include "analyzer/report/report.h"
#include "cli/message.h"
#include "cli/view_rows.h"

#define ENTRY_SECTIONS (REPORT_ALLOCATIONS | REPORT_PEAK | REPORT_LEAKS | REPORT_TEMPORARY)

static struct print_options values = {
    .allocations = -1,
    .peak = -1,
    .temporary = -1,
    .merge = 1,
    .shorten = 1,
    .entries = 10,
    .stacks = 5,
    .view.by = -1,
    .sort_by = -1,
    .view.identity = -1,
    .tree = -1,
    .least = UINT64_MAX,
    .per = 1,
    .outputs = {{.format = EXPORT_HISTOGRAM}, {.format = EXPORT_FOLDED}, {.format = EXPORT_MASSIF}},
    .exports = {.cost = COST_ALLOCATIONS, .detailed = EXPORT_USUAL, .axis = TIMELINE_MS},
};

static const struct option_choice sections[] = {
    {"allocations", REPORT_ALLOCATIONS},
    {"peak", REPORT_PEAK},
    {"leaks", REPORT_LEAKS},
    {"temporary", REPORT_TEMPORARY},
    {"summary", REPORT_SUMMARY},
    {"timeline", REPORT_TIMELINE},
    {"histogram", REPORT_HISTOGRAM},
    {NULL, 0},
};

static const struct option_choice entries_by[] = {
    {"function", LENS_BY_FUNCTION}, {"line", LENS_BY_LINE},
    {"file", LENS_BY_FILE},         {"module", LENS_BY_MODULE},
    {"thread", LENS_BY_THREAD},     {"size", LENS_BY_SIZE},
    {"address", LENS_BY_ADDRESS},   {NULL, 0},
};

static const struct option_choice costs[] = {
    {"allocations", COST_ALLOCATIONS},
    {"temporary", COST_TEMPORARY},
    {"leaked", COST_LEAKED},
    {"peak", COST_PEAK},
    {"bytes", COST_BYTES},
    {NULL, 0},
};

static const struct option_choice directions[] = {
    {"top-down", TREE_TOP_DOWN}, {"bottom-up", TREE_BOTTOM_UP}, {NULL, 0}};

static const struct option table[] = {
    HEADING("files"),
    VIEW_FILE_ROWS,
    HEADING("sections (-a, -p and -T unless said otherwise)"),
    SWITCH('a', "print-allocators", allocations, "most calls to allocation functions (1)"),
    SWITCH('p', "print-peaks", peak, "peak memory consumers (1)"),
    SWITCH('l', "print-leaks", leaks, "memory leaks (0)"),
    SWITCH('T', "print-temporary", temporary, "most temporary allocations (1)"),
    FLAG("timeline", timeline, "the heap over time"),
    CHOICE("only", OPTION_CHOICES, only, sections, "SECTION[,...]",
	   "exactly these, whatever the switches say:\n"
	   "allocations, peak, leaks, temporary, summary,\n"
	   "timeline, histogram"),
    CHOICE("tree", OPTION_CHOICE, tree, directions, "DIRECTION",
	   "costs from main down (top-down) or from who\nallocated up (bottom-up)"),
    VALUE(0, "callers", OPTION_TEXT, callers, "FUNCTION", "who leads to it, with what cost"),
    VALUE(0, "callees", OPTION_TEXT, callees, "FUNCTION", "what it leads to, with what cost"),
    FLAG("json", json, "the report for programs"),
    HEADING("entries"),
    VALUE('n', "peak-limit", OPTION_NUMBER, entries, "N", "entries in a section (10)"),
    VALUE('s', "sub-peak-limit", OPTION_NUMBER, stacks, "N", "backtraces below an entry (5)"),
    SWITCH('m', "merge-backtraces", merge,
	   "one entry for each function and line, its\nbacktraces below (1)"),
    SWITCH('t', "shorten-templates", shorten, "vector<> instead of vector<int> (1)"),
    FLAG("bytes", bytes, "plain numbers of bytes: 72704, not 72.70K"),
    FLAG("details", details, "own peak, lifetimes, times and threads of\neach entry"),
    CHOICE("by", OPTION_CHOICE, view.by, entries_by, "WHAT",
	   "one entry for each function, line, file,\nmodule, thread, size or address"),
    CHOICE("sort", OPTION_CHOICE, sort_by, costs, "COST",
	   "entries by allocations, temporary, leaked,\npeak or bytes (requested)"),
    VALUE(0, "min-change", OPTION_NUMBER, least, "N",
	  "with -d: smaller changes are counted, not\nlisted (1)"),
    VALUE(0, "per", OPTION_NUMBER, per, "N", "divide counts and bytes by N requests"),
    VIEW_ROWS,
    SWITCH(0, "print-suppressions", list_suppressions, "which of them left out what (0)"),
    HEADING("for other tools"),
    VALUE('H', "print-histogram", OPTION_TEXT, outputs[0].path, "FILE",
	  "write sizes and their counts"),
    VALUE('F', "print-flamegraph", OPTION_TEXT, outputs[1].path, "FILE",
	  "write folded stacks, for flamegraph.pl"),
    CHOICE("flamegraph-cost-type", OPTION_CHOICE, exports.cost, export_costs, "COST",
	   "allocations, temporary, leaked or peak\n(allocations)"),
    VALUE('M', "print-massif", OPTION_TEXT, outputs[2].path, "FILE",
	  "write a massif file, for ms_print"),
    VALUE(0, "massif-threshold", OPTION_TEXT, exports.percent, "PERCENT",
	  "smaller parts of a snapshot are one (1)"),
    VALUE(0, "massif-detailed-freq", OPTION_NUMBER, exports.detailed, "N",
	  "every Nth snapshot has its parts; 0: only the\npeak (2; of --timeline 10)"),
    CHOICE("time-unit", OPTION_CHOICE, exports.axis, export_axes, "UNIT",
	   "the axis of --timeline and -M: ms, allocations,\nor bytes (ms)"),
    HEADING("others"),
    VALUE(0, "fail-above", OPTION_TEXT, fail_above, "METRIC=N[,...]",
	  "exit with 3 when it is more: allocations,\n"
	  "temporary, leaked, leaked-bytes, peak; with -d,\nwhen it grew by more; N may be 500k or "
	  "2M"),
    {.letter = 'v',
     .name = "version",
     .kind = OPTION_FLAG,
     .value = &values.version,
     .number = 1,
     .help = "show the version"},
    {0},
};

const struct option_set print_option_set = {
    .command = "print",
    .words = "[options] [FILE]",
    .summary = "Prints a text report of a trace; without FILE, of the newest run's\n"
	       "mallograph.*.mlg in the current directory.",
    .options = table,
    .epilog = "A switch takes 0 or 1: -l, -l1, -l=1, --print-leaks=yes.\n"
	      "With - as FILE of -H, -F or -M that goes to standard output, without a report.",
};

unsigned print_sections(const struct print_options *options)
{
	/* who asks for a tree or a graph wants to see that */
	int usual =
	    !options->timeline && options->tree < 0 && !options->callers && !options->callees;
	int allocations = options->allocations >= 0 ? options->allocations : usual;
	int peak = options->peak >= 0 ? options->peak : usual;
	int temporary = options->temporary >= 0 ? options->temporary : usual;
	unsigned timeline = options->timeline ? REPORT_TIMELINE : 0;

	if (options->only)
		return options->only | timeline;
	return REPORT_SUMMARY | (allocations ? REPORT_ALLOCATIONS : 0) | (peak ? REPORT_PEAK : 0) |
	       (options->leaks ? REPORT_LEAKS : 0) | (temporary ? REPORT_TEMPORARY : 0) | timeline;
}

static int needs_name(const char *option, const char *name)
{
	return name && !*name ? message_usage("option '%s' takes a function's name", option) : -1;
}

static int needs_base(const char *option)
{
	return message_usage("option '%s' compares two traces: name the other one with -d BASE",
			     option);
}

/* -1, or the exit status after a message. */
static int check_exports(void)
{
	const struct print_output *outputs = values.outputs;
	int to_stdout = 0, status;

	for (size_t i = 0; i < PRINT_OUTPUTS; i++) {
		if (!outputs[i].path)
			continue;
		to_stdout += !strcmp(outputs[i].path, "-");
		status = export_check(outputs[i].format, &values.exports, &values.view);
		if (status >= 0)
			return status;
	}
	if (to_stdout > 1)
		return message_usage("only one of -H, -F and -M can be '-', standard output");
	/* what --timeline reads, too */
	return export_check(EXPORT_FOLDED, &values.exports, &values.view);
}

int print_options(struct print_options **options)
{
	*options = &values;
	if (!values.view.base && values.view.identity >= 0)
		return needs_base("--diff-by");
	if (!values.view.base && values.least != UINT64_MAX)
		return needs_base("--min-change");
	if (!values.view.base && values.view.similar)
		return needs_base("--match-similar");
	if (values.least == UINT64_MAX)
		values.least = 1;
	if (!values.per)
		return message_usage(
		    "option '--per' takes how many requests there were: 1 or more");
	if (needs_name("--callers", values.callers) >= 0 ||
	    needs_name("--callees", values.callees) >= 0)
		return STATUS_USAGE;
	if (!values.merge && values.view.by >= 0)
		return message_usage("option '--by' gathers backtraces, and -m0 does not: "
				     "use one of them");
	if (values.view.by >= 0 && (values.tree >= 0 || values.callers || values.callees) &&
	    !(print_sections(&values) & ENTRY_SECTIONS))
		return message_usage("option '--by' gathers entries, and a tree has none: leave "
				     "the tree out, or ask for a section, too: --only allocations");
	values.exports.shorten = values.shorten;
	values.exports.plain = values.bytes;
	return check_exports();
}
