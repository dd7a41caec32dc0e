/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_COMMANDS_H
#define MALLOGRAPH_COMMANDS_H

/* Each command is a function like main(): argv[0] is the command's name, the
 * result the exit status. main() has SIGPIPE as it was, and checks stdout
 * behind them. */

#include <stddef.h>

int cmd_export(int argc, char **argv);
int cmd_help(int argc, char **argv);
int cmd_info(int argc, char **argv);
int cmd_print(int argc, char **argv);
int cmd_record(int argc, char **argv);
int cmd_serve(int argc, char **argv);     /* internal: run by libmallograph.so */
int cmd_symbolize(int argc, char **argv); /* internal: run by the recorder */
int cmd_tui(int argc, char **argv);
int cmd_version(int argc, char **argv);

struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary; /* NULL: internal, the help does not list it */
};

/* Sorted by name. */
extern const struct command commands[];
extern const size_t command_count;

const struct command *command_find(const char *name);

#endif
