/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/message.h"
#include "cli/options.h"
#include "formats/trace/layout.h"

static int is_file(const char *path, struct stat *status)
{
	return !stat(path, status) && S_ISREG(status->st_mode);
}

/* The content tells, and for a file that is not there its name. */
static int is_trace(const char *path)
{
	static const char *const patterns[] = {"*?.mlg", "*heaptrack.*.gz", "*heaptrack.*.zst"};
	struct stat status;

	if (is_file(path, &status) && status.st_size >= TRACE_MAGIC_BYTES) {
		char magic[TRACE_MAGIC_BYTES] = "";
		FILE *file = fopen(path, "re");
		size_t got = file ? fread(magic, 1, sizeof(magic), file) : 0;

		if (file)
			fclose(file);
		if (got == sizeof(magic) && !memcmp(magic, TRACE_MAGIC, sizeof(magic)))
			return 1;
	}
	for (size_t i = 0; i < sizeof(patterns) / sizeof(*patterns); i++)
		if (!fnmatch(patterns[i], path, 0))
			return 1;
	return 0;
}

static int is_program(const char *word)
{
	const char *path = getenv("PATH");
	struct stat status;
	char name[4096];

	if (strchr(word, '/'))
		return is_file(word, &status) && !access(word, X_OK);
	while (path && *path) {
		int length = (int)strcspn(path, ":");
		int bytes = snprintf(name, sizeof(name), "%.*s/%s", length, path, word);

		if (bytes < (int)sizeof(name) && is_file(name, &status) && !access(name, X_OK))
			return 1;
		path += length + (path[length] == ':');
	}
	return 0;
}

/* What fingers that know another tool meant: one line with what to type. */
static int no_command(int argc, char **argv)
{
	const char *names[16], *word = argv[1], *nearest;
	size_t count = 0;

	for (size_t i = 0; i < command_count && count < sizeof(names) / sizeof(*names); i++)
		if (commands[i].summary)
			names[count++] = commands[i].name;
	nearest = options_nearest(word, names, count);
	if (!strcmp(word, "diff"))
		return message_usage("'diff' is no command; to see what changed from %s to %s type "
				     "mallograph print -d %s %s",
				     argc > 2 ? argv[2] : "BASE", argc > 3 ? argv[3] : "FILE",
				     argc > 2 ? argv[2] : "BASE", argc > 3 ? argv[3] : "FILE");
	if (word[0] == '-')
		return message_usage("unknown option '%s': a command comes first, see mallograph "
				     "help",
				     word);
	if (is_trace(word))
		return message_usage("'%s' is no command; to see that trace type mallograph print "
				     "%s",
				     word, word);
	if (strchr(word, '/') || (!nearest && is_program(word)))
		return message_usage("'%s' is no command; to record that program type mallograph "
				     "record %s",
				     word, word);
	if (nearest)
		return message_usage("'%s' is no command: did you mean mallograph %s?", word,
				     nearest);
	return message_usage("'%s' is no command: see mallograph help", word);
}

int main(int argc, char **argv)
{
	const struct command *command;
	int status;

	if (argc < 2)
		return message_usage("a command is missing: see mallograph help");
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		command = command_find("help");
	else if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-v") || !strcmp(argv[1], "-V"))
		command = command_find("version");
	else
		command = command_find(argv[1]);
	if (!command)
		return no_command(argc, argv);
	status = command->run(argc - 1, argv + 1);
	return message_close_stdout(status);
}
