/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/commands.h"

#include <stdio.h>
#include <string.h>

#include "analyzer/model/profile.h"
#include "analyzer/model/resolve.h"
#include "analyzer/report/text.h"
#include "cli/input.h"
#include "cli/message.h"
#include "cli/options.h"
#include "formats/error.h"

/* Values of the options, at their defaults. */
static struct {
	const char *file, *only;
	int allocations, peak, leaks, temporary, merge, shorten, bytes;
	uint64_t entries, stacks;
} values = {
    .allocations = 1,
    .peak = 1,
    .temporary = 1,
    .merge = 1,
    .shorten = 1,
    .entries = 10,
    .stacks = 5,
};

static const struct option options[] = {
    {
	.letter = 'f',
	.name = "file",
	.kind = OPTION_TEXT,
	.value = &values.file,
	.argument = "FILE",
	.help = "the trace; - is standard input",
    },
    {
	.letter = 'a',
	.name = "print-allocators",
	.kind = OPTION_SWITCH,
	.value = &values.allocations,
	.help = "most calls to allocation functions (1)",
    },
    {
	.letter = 'p',
	.name = "print-peaks",
	.kind = OPTION_SWITCH,
	.value = &values.peak,
	.help = "peak memory consumers (1)",
    },
    {
	.letter = 'l',
	.name = "print-leaks",
	.kind = OPTION_SWITCH,
	.value = &values.leaks,
	.help = "memory leaks (0)",
    },
    {
	.letter = 'T',
	.name = "print-temporary",
	.kind = OPTION_SWITCH,
	.value = &values.temporary,
	.help = "most temporary allocations (1)",
    },
    {
	.name = "only",
	.kind = OPTION_TEXT,
	.value = &values.only,
	.argument = "SECTION[,...]",
	.help = "exactly these, whatever the switches say:\n"
		"allocations, peak, leaks, temporary, summary",
    },
    {
	.letter = 'n',
	.name = "peak-limit",
	.kind = OPTION_NUMBER,
	.value = &values.entries,
	.argument = "N",
	.help = "entries in a section (10)",
    },
    {
	.letter = 's',
	.name = "sub-peak-limit",
	.kind = OPTION_NUMBER,
	.value = &values.stacks,
	.argument = "N",
	.help = "backtraces below an entry (5)",
    },
    {
	.letter = 'm',
	.name = "merge-backtraces",
	.kind = OPTION_SWITCH,
	.value = &values.merge,
	.help = "one entry for each function and line, its\nbacktraces below (1)",
    },
    {
	.letter = 't',
	.name = "shorten-templates",
	.kind = OPTION_SWITCH,
	.value = &values.shorten,
	.help = "vector<> instead of vector<int> (1)",
    },
    {
	.name = "bytes",
	.kind = OPTION_FLAG,
	.value = &values.bytes,
	.number = 1,
	.help = "plain numbers of bytes: 72704, not 72.70K",
    },
    {0},
};

static const struct option_set set = {
    .command = "print",
    .words = "[options] [FILE]",
    .summary = "Prints a text report of a trace; without FILE, of the newest mallograph.*.mlg\n"
	       "in the current directory.",
    .options = options,
    .epilog = "A switch takes 0 or 1: -l, -l1, -l=1, --print-leaks=yes.",
};

static const struct {
	const char *name;
	unsigned bit;
} section_names[] = {
    {"allocations", TEXT_ALLOCATIONS}, {"peak", TEXT_PEAK},       {"leaks", TEXT_LEAKS},
    {"temporary", TEXT_TEMPORARY},     {"summary", TEXT_SUMMARY},
};
#define SECTION_COUNT (sizeof(section_names) / sizeof(*section_names))

static int unknown_section(const char *name)
{
	const char *names[SECTION_COUNT], *nearest;

	for (size_t i = 0; i < SECTION_COUNT; i++)
		names[i] = section_names[i].name;
	nearest = options_nearest(name, names, SECTION_COUNT);
	if (nearest)
		return message_usage("--only: there is no section '%s': did you mean '%s'?", name,
				     nearest);
	return message_usage("--only: there is no section '%s': they are allocations, peak, "
			     "leaks, temporary, summary",
			     name);
}

/* -1, or the exit status */
static int parse_only(const char *list, unsigned *sections)
{
	*sections = 0;
	for (;;) {
		size_t length = strcspn(list, ","), i;
		char name[64];

		snprintf(name, sizeof(name), "%.*s", (int)(length < 60 ? length : 60), list);
		for (i = 0; i < SECTION_COUNT; i++)
			if (!strcmp(name, section_names[i].name))
				break;
		if (i == SECTION_COUNT)
			return unknown_section(name);
		*sections |= section_names[i].bit;
		if (!list[length])
			return -1;
		list += length + 1;
	}
}

int cmd_print(int argc, char **argv)
{
	struct text_options text = {0};
	struct profile *profile;
	char newest[INPUT_NAME_BYTES];
	const char *path;
	int error, status = options_parse(&set, &argc, argv);

	if (status >= 0)
		return status;
	text.sections = TEXT_SUMMARY | (values.allocations ? TEXT_ALLOCATIONS : 0) |
			(values.peak ? TEXT_PEAK : 0) | (values.leaks ? TEXT_LEAKS : 0) |
			(values.temporary ? TEXT_TEMPORARY : 0);
	if (values.only && (status = parse_only(values.only, &text.sections)) >= 0)
		return status;
	text.merge = values.merge;
	text.shorten = values.shorten;
	text.plain_bytes = values.bytes;
	text.entries = values.entries;
	text.stacks = values.stacks;
	status = input_choose("print", values.file, argc, argv, newest, &path);
	if (status >= 0)
		return status;
	status = input_load(&profile, path);
	if (!profile)
		return status;
	error = profile_resolve(profile);
	text_report_head(stdout, profile, path);
	if (!error)
		error = text_report(stdout, profile, &text);
	profile_free(profile);
	return error ? message_failed("%s: %s", path, error_text(error)) : status;
}
