/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The internal command that libmallograph.so runs when a program was started
 * by LD_PRELOAD alone: `mallograph serve PID`, options in MALLOGRAPH_OPTIONS,
 * the answer goes to descriptor 3. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/message.h"
#include "cli/record_options.h"
#include "libcollect/recorder/launch.h"

enum { REPLY_FD = 3, WORDS_MAX = 64, OPTIONS_BYTES = 8192 };

/* Splits text at blanks; quotes keep them. Returns how many words, -1: too many or an open quote.
 */
static int split(char *text, char **words, int most)
{
	int count = 0;

	for (;;) {
		char *out, quote = '\0';

		text += strspn(text, " \t\n");
		if (*text == '\0')
			return count;
		if (count == most)
			return -1;
		words[count++] = out = text;
		for (; *text != '\0' && (quote != '\0' || strchr(" \t\n", *text) == NULL); text++) {
			if (*text == quote)
				quote = '\0';
			else if (quote == '\0' && (*text == '\'' || *text == '"'))
				quote = *text;
			else
				*out++ = *text;
		}
		if (quote != '\0')
			return -1;
		if (*text != '\0')
			text++;
		*out = '\0';
	}
}

static int refuse(const char *complaint)
{
	char line[512];
	int length = snprintf(line, sizeof(line), OPTIONS_VARIABLE ": %s", complaint);

	return write(REPLY_FD, line, (size_t)length) == length ? STATUS_USAGE : STATUS_FAILED;
}

int cmd_serve(int argc, char **argv)
{
	static char text[OPTIONS_BYTES]; /* the options point into it */
	char *words[WORDS_MAX + 2] = {(char *)"record"}, complaint[400];
	const char *given = getenv(OPTIONS_VARIABLE);
	struct recorder_options options;
	uint64_t pid;
	int count;

	if (argc != 2 || options_number(argv[1], &pid) != 0 || pid == 0 || pid > INT32_MAX)
		return message_usage(
		    "serve is run by libmallograph.so; see mallograph help record");
	if (given != NULL && strlen(given) >= sizeof(text))
		return refuse("too long");
	strcpy(text, given != NULL ? given : "");
	count = split(text, words + 1, WORDS_MAX);
	if (count < 0)
		return refuse("an open quote, or too many words");
	count++;
	if (options_parse_quietly(&record_option_set, &count, words, complaint,
				  sizeof(complaint)) >= 0)
		return refuse(complaint);
	if (count > 1)
		return refuse("takes options only");
	if (record_options(&options, complaint, sizeof(complaint)) != 0)
		return refuse(complaint);
	options.preloaded = 1;
	return launch_serve(&options, (pid_t)pid, REPLY_FD);
}
