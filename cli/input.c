/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/input.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "analyzer/model/health.h"
#include "cli/message.h"

#define TRACE_PATTERN "mallograph.*.mlg"

static int is_newer(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec > b->tv_sec : a->tv_nsec > b->tv_nsec;
}

static int find_newest(char *newest)
{
	struct timespec time = {0};
	struct dirent *entry;
	DIR *folder = opendir(".");
	int found = 0;

	if (!folder)
		return 0;
	while ((entry = readdir(folder)) != NULL) {
		struct stat status;

		if (strlen(entry->d_name) >= INPUT_NAME_BYTES ||
		    fnmatch(TRACE_PATTERN, entry->d_name, 0) || stat(entry->d_name, &status) ||
		    !S_ISREG(status.st_mode))
			continue;
		if (found && !is_newer(&status.st_mtim, &time))
			continue;
		time = status.st_mtim;
		strcpy(newest, entry->d_name);
		found = 1;
	}
	closedir(folder);
	return found;
}

int input_choose(const char *command, const char *option, int argc, char **argv, char *newest,
		 const char **path)
{
	if (argc > 2 || (argc == 2 && option))
		return message_usage("%s: reads one trace, and '%s' is the second", command,
				     option ? argv[1] : argv[2]);
	*path = option ? option : argc == 2 ? argv[1] : NULL;
	if (*path)
		return -1;
	if (!find_newest(newest))
		return message_usage("%s: name a trace: there is no " TRACE_PATTERN " here",
				     command);
	message("reading %s, the newest trace here", newest);
	*path = newest;
	return -1;
}

int input_load(struct profile **profile, const char *path)
{
	char state[256];
	int error = profile_load(profile, path);

	if (error) {
		*profile = NULL;
		return message_trace_error(path, error);
	}
	if (health_state_text(*profile, state, sizeof(state)))
		message("%s: %s", strcmp(path, "-") ? path : "standard input", state);
	return (*profile)->state == TRACE_CUT || (*profile)->state == TRACE_DAMAGED ? STATUS_FAILED
										    : STATUS_OK;
}
