/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/commands.h"

#include <stdio.h>

#include "cli/message.h"
#include "cli/options.h"
#include "formats/version.h"

static const struct option no_options[] = {{0}};

static void overview(void)
{
	printf("usage: mallograph COMMAND [options] ...\n\n"
	       "mallograph records every heap allocation of a program and shows who made it.\n\n"
	       "commands:\n");
	for (size_t i = 0; i < command_count; i++)
		if (commands[i].summary)
			printf("  %-10s%s\n", commands[i].name, commands[i].summary);
	printf("\nto begin:\n"
	       "  mallograph record ./app\n"
	       "  mallograph print mallograph.app.PID.mlg\n\n"
	       "mallograph help COMMAND shows the options of a command.\n");
}

int cmd_help(int argc, char **argv)
{
	static const struct option_set set = {
	    .command = "help",
	    .words = "[COMMAND]",
	    .summary = "Shows what mallograph does, or the options of a command.",
	    .options = no_options,
	};
	const struct command *command;
	char help[] = "--help";
	int status = options_parse(&set, &argc, argv);

	if (status >= 0)
		return status;
	if (argc > 2)
		return message_usage("help: one command at a time, and '%s' is the second",
				     argv[2]);
	if (argc < 2) {
		overview();
		return STATUS_OK;
	}
	command = command_find(argv[1]);
	if (!command || !command->summary)
		return message_usage("there is no command '%s': see mallograph help", argv[1]);
	return command->run(2, (char *[]){argv[1], help, NULL});
}

int cmd_version(int argc, char **argv)
{
	static const struct option_set set = {
	    .command = "version",
	    .words = "",
	    .summary = "Shows the version.",
	    .options = no_options,
	};
	int status = options_parse(&set, &argc, argv);

	if (status >= 0)
		return status;
	if (argc > 1)
		return message_usage("version: takes nothing, but got '%s'", argv[1]);
	printf("mallograph %s\n", MALLOGRAPH_VERSION);
	return STATUS_OK;
}
