/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/print_options.h"

#include <stddef.h>

#include "analyzer/query/lens.h"
#include "analyzer/query/tree.h"
#include "analyzer/report/report.h"
#include "cli/message.h"

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
    .flamegraph_cost = COST_ALLOCATIONS,
    .massif_percent = "1",
    .massif_detailed = 2,
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

static const struct option_choice flamegraph_costs[] = {
    {"allocations", COST_ALLOCATIONS},
    {"temporary", COST_TEMPORARY},
    {"leaked", COST_LEAKED},
    {"peak", COST_PEAK},
    {NULL, 0},
};

static const struct option_choice identities[] = {
    {"function", LENS_FUNCTION}, {"line", LENS_LINE}, {"address", LENS_ADDRESS}, {NULL, 0}};

static const struct option_choice directions[] = {
    {"top-down", TREE_TOP_DOWN}, {"bottom-up", TREE_BOTTOM_UP}, {NULL, 0}};

#define SWITCH(c, long_name, field, text)                                                          \
	{                                                                                          \
		.letter = c, .name = long_name, .kind = OPTION_SWITCH, .value = &values.field,     \
		.help = text                                                                       \
	}
#define FLAG(long_name, field, text)                                                               \
	{                                                                                          \
		.name = long_name, .kind = OPTION_FLAG, .value = &values.field, .number = 1,       \
		.help = text                                                                       \
	}
#define VALUE(c, long_name, type, field, word, text)                                               \
	{                                                                                          \
		.letter = c, .name = long_name, .kind = type, .value = &values.field,              \
		.argument = word, .help = text                                                     \
	}
#define CHOICE(long_name, type, field, names, word, text)                                          \
	{                                                                                          \
		.name = long_name, .kind = type, .value = &values.field, .choices = names,         \
		.argument = word, .help = text                                                     \
	}

static const struct option table[] = {
    VALUE('f', "file", OPTION_TEXT, view.path, "FILE", "the trace; - is standard input"),
    VALUE('d', "diff", OPTION_TEXT, view.base, "BASE",
	  "report what FILE has more, or less, than BASE"),
    SWITCH('a', "print-allocators", allocations, "most calls to allocation functions (1)"),
    SWITCH('p', "print-peaks", peak, "peak memory consumers (1)"),
    SWITCH('l', "print-leaks", leaks, "memory leaks (0)"),
    SWITCH('T', "print-temporary", temporary, "most temporary allocations (1)"),
    FLAG("timeline", timeline, "the heap over time"),
    CHOICE("only", OPTION_CHOICES, only, sections, "SECTION[,...]",
	   "exactly these, whatever the switches say:\n"
	   "allocations, peak, leaks, temporary, summary,\n"
	   "timeline, histogram"),
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
    CHOICE("tree", OPTION_CHOICE, tree, directions, "DIRECTION",
	   "costs from main down (top-down) or from who\nallocated up (bottom-up)"),
    VALUE(0, "callers", OPTION_TEXT, callers, "FUNCTION", "who leads to it, with what cost"),
    VALUE(0, "callees", OPTION_TEXT, callees, "FUNCTION", "what it leads to, with what cost"),
    VALUE(0, "filter", OPTION_LIST, view.filters, "KEY=VALUE",
	  "only allocations like that: time=A..B,\n"
	  "lifetime=A..B, size=A..B, thread=, function=,\n"
	  "file=, module=; repeatable"),
    VALUE(0, "exclude", OPTION_LIST, view.excludes, "KEY=VALUE", "none like that; repeatable"),
    VALUE(0, "filter-bt-function", OPTION_LIST, view.functions, "TEXT", "--filter function=TEXT"),
    VALUE(0, "at", OPTION_TEXT, view.at, "WHEN", "figures at that moment: 1.5s, 30%, peak, end"),
    VALUE(0, "temporary-allocation-threshold", OPTION_NUMBER, view.temporary_threshold, "N",
	  "temporary: freed before N other allocations\nof the thread (0)"),
    CHOICE("diff-by", OPTION_CHOICE, view.identity, identities, "WHAT",
	   "what of two traces is the same: function,\nline or address (function)"),
    VALUE(0, "min-change", OPTION_NUMBER, least, "N",
	  "smaller changes are counted, not listed (1)"),
    VALUE(0, "per", OPTION_NUMBER, per, "N", "divide counts and bytes by N requests"),
    FLAG("match-similar", view.similar, "pair stacks that are in one trace only"),
    VALUE(0, "suppressions", OPTION_LIST, view.suppression_files, "FILE",
	  "leaks to leave out, leak:PATTERN lines;\nrepeatable"),
    FLAG("disable-embedded-suppressions", view.no_embedded, "ignore those of the program"),
    FLAG("disable-builtin-suppressions", view.no_builtin, "ignore those of mallograph"),
    SWITCH(0, "print-suppressions", list_suppressions, "which of them left out what (0)"),
    VALUE(0, "wrapper", OPTION_LIST, view.wrappers, "PATTERN",
	  "a function that allocates for its caller, as\nmy_alloc or pool::*; repeatable"),
    VALUE(0, "sysroot", OPTION_TEXT, view.sysroot, "DIR",
	  "look for modules and debug files below DIR"),
    FLAG("debuginfod", view.debuginfod, "ask the servers of $DEBUGINFOD_URLS for names"),
    VALUE('H', "print-histogram", OPTION_TEXT, histogram, "FILE", "write sizes and their counts"),
    VALUE('F', "print-flamegraph", OPTION_TEXT, flamegraph, "FILE",
	  "write folded stacks, for flamegraph.pl"),
    CHOICE("flamegraph-cost-type", OPTION_CHOICE, flamegraph_cost, flamegraph_costs, "COST",
	   "allocations, temporary, leaked or peak\n(allocations)"),
    VALUE('M', "print-massif", OPTION_TEXT, massif, "FILE", "write a massif file, for ms_print"),
    VALUE(0, "massif-threshold", OPTION_TEXT, massif_percent, "PERCENT",
	  "smaller parts of a snapshot are one (1)"),
    VALUE(0, "massif-detailed-freq", OPTION_NUMBER, massif_detailed, "N",
	  "every Nth snapshot has its parts (2)"),
    FLAG("json", json, "the report for programs"),
    VALUE(0, "fail-above", OPTION_TEXT, fail_above, "METRIC=N[,...]",
	  "exit with 3 when it is more: allocations,\n"
	  "temporary, leaked, leaked-bytes, peak; with -d,\nwhen it grew by more"),
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
    .summary = "Prints a text report of a trace; without FILE, of the newest mallograph.*.mlg\n"
	       "in the current directory.",
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

static int needs_base(const char *option)
{
	return message_usage("option '%s' compares two traces: name the other one with -d BASE",
			     option);
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
	if (!values.merge && values.view.by >= 0)
		return message_usage("option '--by' gathers backtraces, and -m0 does not: "
				     "use one of them");
	return -1;
}
