/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/commands.h"

#include <string.h>

const struct command commands[] = {
    {
	.name = "export",
	.run = cmd_export,
	.summary = "a trace for other tools: flame graphs, massif, JSON",
    },
    {
	.name = "help",
	.run = cmd_help,
	.summary = "show this page, or the options of a command",
    },
    {
	.name = "info",
	.run = cmd_info,
	.summary = "what is in a trace: program, times, totals, health",
    },
    {
	.name = "print",
	.run = cmd_print,
	.summary = "text report: who allocated, the peak, leaks, temporary ones",
    },
    {
	.name = "record",
	.run = cmd_record,
	.summary = "run a program and record its heap",
    },
    {
	.name = "serve",
	.run = cmd_serve,
    },
    {
	.name = "symbolize",
	.run = cmd_symbolize,
    },
    {
	.name = "tui",
	.run = cmd_tui,
	.summary = "browse a trace in the terminal",
    },
    {
	.name = "version",
	.run = cmd_version,
	.summary = "show the version",
    },
};

const size_t command_count = sizeof(commands) / sizeof(*commands);

const struct command *command_find(const char *name)
{
	size_t low = 0, high = command_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(name, commands[middle].name);

		if (!order)
			return &commands[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}
