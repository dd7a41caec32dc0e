/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * driver [--check] [--count] [--depth N] [--save FILE] [-o FILE] PROGRAM [ARG...]: runs a program
 * with the library, and plays a recorder that looks at nothing: it takes rings, moves their tails
 * to their heads, gives back what ended, and sleeps. What the program then takes longer is
 * hooks and capture alone. Says of every session what came, in one line each.
 *
 *   --check    the library that compares every captured stack (build/check/)
 *   --count    read the words: events by kind, and how many make no sense. Costs time
 *   --depth N  limit of frames
 *   --save FILE  save what it writes, for replay; of further processes to FILE.2, ...
 *   -o FILE    append the lines there, not to stderr
 *   -q         say nothing
 *
 * `make B=FOLDER FOLDER/bench/driver` builds it.
 * LIB names the library; otherwise it is the one of the build that the driver is in. The
 * exit status is the program's, 128 + N where signal N ended it. Processes that it leaves
 * behind are waited for, ten seconds.
 *
 * region->sleeping stays 0: a recorder that has work is awake when segments fill up,
 * and system calls to wake it are not part of what is measured. Numbers of processes are
 * taken as they are: nothing in a pid namespace of its own is recorded to its end.
 */
#include "tests/bench/driver.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "libcollect/recorder/recorder.h"

enum { NAP_NS = 200000, NS = 1000000000, WAIT_SECONDS = 10 };

static struct driver driver;
static struct robust_list_head robust_head;
static struct robust_list robust_entry;

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / NS;
}

_Noreturn static void die(const char *what)
{
	fprintf(stderr, "driver: %s: %s\n", what, strerror(errno));
	exit(125);
}

/* Programs see at once when we are gone, whatever ends us. */
static void sign_of_life(struct region *region)
{
	robust_entry.next = &robust_head.list;
	robust_head.list.next = &robust_entry;
	robust_head.futex_offset = (char *)&region->recorder - (char *)&robust_entry;
	if (syscall(SYS_set_robust_list, &robust_head, sizeof(robust_head)) != 0)
		die("robust futex");
	atomic_store(&region->recorder, (uint32_t)syscall(SYS_gettid));
}

/* Gives the library's absolute path. */
static void find_library(char path[PATH_MAX], int check)
{
	const char *lib = getenv("LIB");
	char near[PATH_MAX], *slash;
	ssize_t length;

	if (lib == NULL || *lib == '\0') {
		length = readlink("/proc/self/exe", near, sizeof(near) - 32);
		if (length < 0)
			die("/proc/self/exe");
		near[length] = '\0';
		slash = strrchr(near, '/');
		strcpy(slash, "/../libmallograph.so");
		lib = near;
	}
	if (realpath(lib, path) == NULL)
		die(lib);
	if (!check)
		return;
	slash = strrchr(path, '/');
	snprintf(near, sizeof(near), "%.*s/check%s", (int)(slash - path), path, slash);
	if (realpath(near, path) == NULL)
		die(near);
}

static void become(char *const *words, const char *library, int id, uint64_t cookie)
{
	const char *before = getenv("LD_PRELOAD");
	char session[64], *preload;
	int more = before != NULL && *before != '\0';

	snprintf(session, sizeof(session), "%d.%llx", id, (unsigned long long)cookie);
	if (asprintf(&preload, "%s%s%s", library, more ? ":" : "", more ? before : "") < 0)
		_exit(125);
	setenv(SESSION_VARIABLE, session, 1);
	setenv("LD_PRELOAD", preload, 1);
	signal(SIGINT, SIG_DFL);
	signal(SIGQUIT, SIG_DFL);
	execvp(words[0], words);
	fprintf(stderr, "driver: %s: %s\n", words[0], strerror(errno));
	_exit(127);
}

static volatile sig_atomic_t asked_to_end;

static void on_term(int number)
{
	(void)number;
	asked_to_end = 1;
}

static void nap(struct region *region)
{
	struct timespec time = {.tv_nsec = NAP_NS};
	uint32_t wake = atomic_load(&region->wake);

	atomic_fetch_add_explicit(&region->tick, 1, memory_order_relaxed);
	syscall(SYS_futex, &region->wake, FUTEX_WAIT, wake, &time, NULL, 0);
}

/* Until the program has ended, and who else was recorded. Returns the program's status. */
static int play(pid_t program)
{
	struct region *region = driver.shared.region;
	int status, first_status = 0, over = 0;
	double ended = 0;
	pid_t pid;

	for (;;) {
		while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
			if (pid != program)
				continue;
			first_status = status;
			over = 1;
			ended = now();
		}
		if (asked_to_end && !over)
			kill(program, SIGTERM);
		asked_to_end = 0;
		atomic_fetch_add_explicit(&region->heartbeat, 1, memory_order_relaxed);
		atomic_fetch_add_explicit(&region->tick, 1, memory_order_relaxed);
		driver_round(&driver, now(), over);
		if (over && ((driver.open == 0 && pid < 0) || now() - ended > WAIT_SECONDS))
			break;
		nap(region);
	}
	atomic_store(&region->recorder, 0);
	driver_leave(&driver);
	return first_status;
}

static int usage(void)
{
	fputs("usage: driver [--check] [--count] [--depth N] [--save FILE] [-o FILE | -q] PROGRAM "
	      "[ARG...]\n",
	      stderr);
	return 2;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"check", no_argument, NULL, 'c'},
						{"count", no_argument, NULL, 'n'},
						{"depth", required_argument, NULL, 'd'},
						{"save", required_argument, NULL, 's'},
						{NULL, 0, NULL, 0}};
	char library[PATH_MAX];
	struct region *region;
	int option, check = 0, status, id;
	unsigned depth = 0;
	pid_t program;

	driver.output = stderr;
	while ((option = getopt_long(argc, argv, "+o:q", options, NULL)) != -1) {
		if (option == 'c')
			check = 1;
		else if (option == 'n')
			driver.counting = 1;
		else if (option == 'd')
			depth = (unsigned)strtoul(optarg, NULL, 10);
		else if (option == 's')
			driver.save = optarg;
		else if (option == 'q')
			driver.output = NULL;
		else if (option != 'o' || (driver.output = fopen(optarg, "ae")) == NULL)
			return usage();
	}
	if (argc == optind)
		return usage();
	find_library(library, check);
	region = region_create(&id);
	if (region == NULL)
		die("shared memory");
	region->max_depth = depth;
	driver_open(&driver, region);
	sign_of_life(region);
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	program = fork();
	if (program < 0)
		die("fork");
	if (program == 0)
		become(argv + optind, library, id, region->cookie);
	/* The terminal's are the program's. */
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	signal(SIGTERM, on_term);
	region->first_pid = (uint32_t)program;
	status = play(program);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
