/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/message.h"
#include "cli/record_options.h"
#include "cli/record_summary.h"
#include "libcollect/program.h"
#include "libcollect/recorder/launch.h"

enum { PATH_BYTES = 4096 };

/* Finds name as execvp does. Returns 0 with its path; otherwise path is the best guess
 * for a message. */
static int find_program(const char *name, char *path, size_t bytes)
{
	const char *folders = getenv("PATH");
	int found = -1;

	snprintf(path, bytes, "%s", name);
	if (strchr(name, '/') != NULL || *name == '\0')
		return 0;
	for (const char *f = folders != NULL ? folders : "/bin:/usr/bin";; f++) {
		int length = (int)strcspn(f, ":");
		char candidate[PATH_BYTES];
		enum program_kind kind;

		snprintf(candidate, sizeof(candidate), "%.*s%s%s", length, f, length ? "/" : "./",
			 name);
		kind = program_kind(candidate);
		if (kind != PROGRAM_MISSING && kind != PROGRAM_FOLDER) {
			if (found != 0)
				snprintf(path, bytes, "%s", candidate);
			found = 0;
			if (kind != PROGRAM_NOT_EXECUTABLE && kind != PROGRAM_DENIED) {
				snprintf(path, bytes, "%s", candidate);
				return 0;
			}
		}
		f += length;
		if (*f == '\0')
			return found;
	}
}

/* A program of this folder, named without one. */
static int is_here(const char *name)
{
	char path[PATH_BYTES];

	return strchr(name, '/') == NULL &&
	       snprintf(path, sizeof(path), "./%s", name) < (int)sizeof(path) &&
	       program_kind(path) == PROGRAM_RECORDABLE;
}

static int refuse_program(const char *name, const char *path, enum program_kind kind)
{
	char interpreter[PATH_BYTES];

	if (kind == PROGRAM_NO_INTERPRETER &&
	    program_interpreter(path, interpreter, sizeof(interpreter)) == 0)
		message("%s: its interpreter '%s' is not there: see its first line", name,
			interpreter);
	else if (kind == PROGRAM_MISSING && is_here(name))
		message("%s: not found in $PATH, but here: type mallograph record ./%s", name,
			name);
	else
		message("%s: %s", name, program_text(kind));
	if (kind == PROGRAM_MISSING)
		return STATUS_NOT_FOUND;
	if (kind == PROGRAM_FOLDER || kind == PROGRAM_NOT_EXECUTABLE || kind == PROGRAM_DENIED ||
	    kind == PROGRAM_NO_INTERPRETER)
		return STATUS_NOT_EXECUTABLE;
	return STATUS_NOT_STARTED;
}

static const char *find_library(void)
{
	/* beside a build's own binary, in the build tree, installed */
	static const char *const places[] = {"libmallograph.so", "build/libmallograph.so",
					     "../lib/mallograph/libmallograph.so"};
	static char real[PATH_MAX];
	char path[PATH_BYTES + 64];
	const char *folder = program_folder();

	for (size_t i = 0; folder != NULL && i < sizeof(places) / sizeof(places[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, places[i]);
		if (realpath(path, real) != NULL && access(real, R_OK) == 0)
			return real;
	}
	return NULL;
}

static int check_library(const char *library)
{
	if (library == NULL)
		message("cannot find libmallograph.so beside %s: install both, or run make",
			program_folder() != NULL ? program_folder() : "the binary");
	else if (strpbrk(library, " :") != NULL)
		message("%s: LD_PRELOAD cannot name a path with a blank or a colon in it: "
			"move mallograph elsewhere",
			library);
	else
		return 0;
	return -1;
}

static int program_status(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int looks_like_attach(int argc, char **argv)
{
	return argc >= 2 && (strncmp(argv[1], "-p", 2) == 0 || strncmp(argv[1], "--pid", 5) == 0);
}

int cmd_record(int argc, char **argv)
{
	struct launch launch = {.started = 0};
	char path[PATH_BYTES], complaint[512];
	enum program_kind kind;
	int status;

	if (looks_like_attach(argc, argv))
		return message_usage("cannot attach to a running process yet: restart it with "
				     "mallograph record PROGRAM");
	status = options_parse(&record_option_set, &argc, argv);
	if (status >= 0)
		return status;
	if (argc < 2)
		return message_usage("no PROGRAM given: type mallograph record PROGRAM [ARG...]");
	if (record_options(&launch.options, complaint, sizeof(complaint)) != 0)
		return message_usage("%s", complaint);
	kind =
	    find_program(argv[1], path, sizeof(path)) == 0 ? program_kind(path) : PROGRAM_MISSING;
	if (kind != PROGRAM_RECORDABLE)
		return refuse_program(argv[1], path, kind);
	if (program_preloads_sanitizer(getenv("LD_PRELOAD"))) {
		message("LD_PRELOAD names AddressSanitizer, which must come first in it, as "
			"libmallograph.so must: unset LD_PRELOAD to record");
		return STATUS_NOT_STARTED;
	}
	launch.library = find_library();
	if (check_library(launch.library) != 0)
		return STATUS_NOT_STARTED;
	launch.path = path;
	launch.argv = argv + 1;
	launch.options.first_path = path;
	launch.options.first_argv = argv + 1;
	status = launch_run(&launch);
	/* The status is the program's, whatever becomes of our last words. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	if (status != 0) {
		if (launch.failure[0] != '\0') {
			message("%s", launch.failure);
			return STATUS_NOT_STARTED;
		}
		message("%s: %s", argv[1], strerror(launch.exec_errno));
		return launch.exec_errno == ENOENT ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTABLE;
	}
	record_summary(&launch, argv[1], record_quiet());
	status = program_status(launch.status);
	launch_clear(&launch);
	return status;
}
