/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_VIEW_ROWS_H
#define MALLOGRAPH_VIEW_ROWS_H

/*
 * Rows of option tables, short; and those that print and export share. The values go into a
 * variable `values` of the file, what is shared into its member `view` (struct view_options).
 */

#include "cli/options.h"

#define SWITCH(c, long_name, field, text)                                                          \
	{                                                                                          \
		.letter = c, .name = long_name, .kind = OPTION_SWITCH, .value = &values.field,     \
		.help = text                                                                       \
	}
#define HEADING(text)                                                                              \
	{                                                                                          \
		.kind = OPTION_HEADING, .help = text                                               \
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

extern const struct option_choice view_identities[];

/* clang-format off */
#define VIEW_FILE_ROWS                                                                             \
	VALUE('f', "file", OPTION_TEXT, view.path, "FILE", "the trace; - is standard input"),      \
	VALUE('d', "diff", OPTION_TEXT, view.base, "BASE",                                         \
	      "report what FILE has more, or less, than BASE")

#define VIEW_ROWS                                                                                  \
	HEADING("what counts"),                                                                    \
	VALUE(0, "filter", OPTION_LIST, view.filters, "KEY=VALUE",                                 \
	      "only allocations like that: time=A..B,\n"                                           \
	      "lifetime=A..B, size=A..B, thread=, function=,\n"                                    \
	      "file=, module=; repeatable"),                                                       \
	VALUE(0, "exclude", OPTION_LIST, view.excludes, "KEY=VALUE", "none like that; repeatable"),\
	VALUE(0, "filter-bt-function", OPTION_LIST, view.functions, "TEXT",                        \
	      "--filter function=TEXT"),                                                           \
	VALUE(0, "at", OPTION_TEXT, view.at, "WHEN",                                               \
	      "figures at that moment: 1.5s, 30%, peak, end;\n"                                    \
	      "leaks are what was alive then"),                                                    \
	VALUE(0, "temporary-allocation-threshold", OPTION_NUMBER, view.temporary_threshold, "N",   \
	      "temporary: freed before N other allocations\nof the thread (0)"),                   \
	HEADING("with -d"),                                                                        \
	CHOICE("diff-by", OPTION_CHOICE, view.identity, view_identities, "WHAT",                   \
	       "what of two traces is the same: function,\nline or address (function)"),           \
	FLAG("match-similar", view.similar, "pair stacks that are in one trace only"),             \
	HEADING("leaks, wrappers, names"),                                                         \
	VALUE(0, "suppressions", OPTION_LIST, view.suppression_files, "FILE",                      \
	      "leaks to leave out, leak:PATTERN lines;\nrepeatable"),                              \
	FLAG("disable-embedded-suppressions", view.no_embedded, "ignore those of the program"),    \
	FLAG("disable-builtin-suppressions", view.no_builtin, "ignore those of mallograph"),       \
	VALUE(0, "wrapper", OPTION_LIST, view.wrappers, "PATTERN",                                 \
	      "a function that allocates for its caller, as\nmy_alloc or pool::*; repeatable"),    \
	VALUE(0, "sysroot", OPTION_TEXT, view.sysroot, "DIR",                                      \
	      "look for modules and debug files below DIR"),                                       \
	FLAG("debuginfod", view.debuginfod, "ask the servers of $DEBUGINFOD_URLS for names")
/* clang-format on */

#endif
