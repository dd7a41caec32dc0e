/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Internal: the recorder runs `mallograph symbolize` while a program runs or when it has ended,
 * and copies the blocks that come out into the trace. It is a process of its
 * own because ELF and DWARF come from anywhere and the libraries that read
 * them are large: a file that breaks them, eats memory or never ends takes down
 * this process and no other. The limits below see to that; what was written
 * before is whole blocks.
 */
#include "cli/commands.h"

#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "analyzer/symbols/symbolize.h"
#include "cli/message.h"
#include "cli/options.h"
#include "libcollect/recorder/symbols.h"

#define SECONDS_DEFAULT   60
#define MEGABYTES_DEFAULT 2048
/* Above the soft limits: they let the work end by itself, these end it. */
#define SECONDS_GRACE 10
#define MODULES_MAX   (1u << 20)
#define NUMBER_MAX    1000000u /* seconds, megabytes */

struct request {
	const char *path;
	int *fds; /* by module id */
	size_t fd_count;
	struct symbolize_options options;
};

static int set_fd(struct request *request, uint64_t module, int fd)
{
	if (module >= request->fd_count) {
		int *grown = reallocarray(request->fds, module + 1, sizeof(*grown));
		if (!grown)
			return -1;
		request->fds = grown;
		while (request->fd_count <= module)
			request->fds[request->fd_count++] = -1;
	}
	request->fds[module] = fd;
	return 0;
}

/* "MODULE:FD" */
static int parse_fd(struct request *request, const char *word)
{
	uint64_t module, fd;
	char *copy = strdup(word);
	char *colon = copy ? strchr(copy, ':') : NULL;
	int status = -1;
	if (colon) {
		*colon = '\0';
		if (options_number(copy, &module) == 0 && module > 0 && module <= MODULES_MAX &&
		    options_number(colon + 1, &fd) == 0 && fd <= INT_MAX)
			status = set_fd(request, module, (int)fd);
	}
	free(copy);
	return status;
}

static int take_fds(struct request *request, const struct option_list *fds)
{
	for (size_t i = 0; i < fds->count; i++)
		if (parse_fd(request, fds->words[i]) < 0)
			return message_usage("symbolize: --fd takes MODULE:FD, not '%s'",
					     fds->words[i]);
	return -1;
}

static int parse(struct request *request, int argc, char **argv)
{
	uint64_t seconds = SECONDS_DEFAULT, megabytes = MEGABYTES_DEFAULT, perf_map = 0;
	const char *sysroot = NULL;
	struct option_list fds = {0};
	const struct option options[] = {
	    {.name = "fd",
	     .kind = OPTION_LIST,
	     .value = &fds,
	     .argument = "MODULE:FD",
	     .help = "read module number MODULE from descriptor FD; repeatable"},
	    {.name = "sysroot",
	     .kind = OPTION_TEXT,
	     .value = &sysroot,
	     .argument = "DIR",
	     .help = "look for modules under DIR"},
	    {.name = "perf-map",
	     .kind = OPTION_NUMBER,
	     .value = &perf_map,
	     .argument = "PID",
	     .help = "read /tmp/perf-PID.map"},
	    {.name = "seconds",
	     .kind = OPTION_NUMBER,
	     .value = &seconds,
	     .argument = "N",
	     .help = "stop after N seconds"},
	    {.name = "megabytes",
	     .kind = OPTION_NUMBER,
	     .value = &megabytes,
	     .argument = "N",
	     .help = "use at most N MB"},
	    {0}};
	const struct option_set set = {.command = "symbolize",
				       .words = "[options] FILE [LATER]",
				       .summary = "Writes the symbols of a trace, as blocks of "
						  "the trace format, to stdout; and those of "
						  "LATER when stdin has ended.",
				       .options = options};

	int status = options_parse(&set, &argc, argv);
	if (status < 0)
		status = take_fds(request, &fds);
	free(fds.words);
	if (status >= 0)
		return status;
	if (argc != 2 && argc != 3)
		return message_usage("symbolize: give one trace, or two");
	/* 0 would be no limit at all */
	if (seconds == 0 || seconds > NUMBER_MAX || megabytes == 0 || megabytes > NUMBER_MAX ||
	    perf_map > INT_MAX)
		return message_usage("symbolize: a number is out of range");
	request->path = argv[1];
	request->options.later = argv[2];
	request->options.until_fd = STDIN_FILENO;
	request->options.sysroot = sysroot;
	request->options.seconds = (unsigned)seconds;
	request->options.megabytes = (unsigned)megabytes;
	request->options.perf_map_pid = (int)perf_map;
	return -1;
}

static void lower_limit(int resource, rlim_t value)
{
	struct rlimit limit;
	if (getrlimit(resource, &limit) != 0)
		return;
	if (limit.rlim_max == RLIM_INFINITY || limit.rlim_max > value)
		limit.rlim_max = value;
	if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur > limit.rlim_max)
		limit.rlim_cur = limit.rlim_max;
	setrlimit(resource, &limit);
}

/*
 * Address space counts mapped files too, and those cost no memory of ours;
 * hence twice the allowance. alarm() is for what takes no time of the
 * processor: a file on a server that is gone.
 */
static void set_limits(const struct symbolize_options *options)
{
	unsigned seconds = options->seconds + SECONDS_GRACE;
	struct rlimit files;
	lower_limit(RLIMIT_CORE, 0);
	lower_limit(RLIMIT_CPU, seconds);
#ifndef __SANITIZE_ADDRESS__ /* which reserves terabytes */
	lower_limit(RLIMIT_AS, (rlim_t)options->megabytes * 2 * 1000000u);
#endif
	/* the descriptors of many modules may have used up the soft limit */
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	signal(SIGALRM, SIG_DFL);
	alarm(seconds);
}

int cmd_symbolize(int argc, char **argv)
{
	struct request request = {.path = NULL};
	unsigned skipped = 0;

	int status = parse(&request, argc, argv);
	if (status < 0) {
		status = STATUS_OK;
		request.options.module_fds = request.fds;
		request.options.module_fd_count = request.fd_count;
		set_limits(&request.options);
		int error =
		    symbolize_trace(request.path, STDOUT_FILENO, &request.options, &skipped);
		if (error < 0)
			status = message_trace_error(request.path, error);
		else if (skipped > 0) {
			message("the symbols of %u modules were skipped", skipped);
			status = skipped < 255 - SYMBOLIZE_SKIPPED
				     ? SYMBOLIZE_SKIPPED + (int)skipped
				     : 255;
		}
	}
	free(request.fds);
	return status;
}
