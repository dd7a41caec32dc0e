/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * measure [OPTIONS] NAME PROGRAM [ARG...]: runs a program alone and under each profiler
 * that is given, in turn, round after round, and appends a line for each run to stdout:
 *
 *   NAME TOOL ROUND WALL CPU PROGRAM-RSS RECORDER-RSS TRACE-BYTES INSIDE SAME
 *
 * separated by tabs; seconds, bytes; INSIDE is what the program wrote into the file that
 * BENCH_INSIDE names, nanoseconds an operation, or 0. table.c makes tables of it.
 *
 * The machine's speed drifts, so native and profiled runs alternate and are compared
 * within their round. Round 0 warms up and is not printed.
 *
 * CPU time is that of all processes. Being a child subreaper, we inherit and reap what
 * a profiler leaves behind, and wait for it before the next run starts.
 */
#include "tests/bench/measure.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	TOOLS = 3,
	ARGUMENTS_MAX = 64,
	LOOK_FIRST_NS = 1000000,
	LOOK_NS = 20000000,
	LIMIT_SECONDS = 60,
	ROUNDS_LEAST = 3
};

struct tool {
	const char *name;
	char *before[8];      /* what stands before the program's own words */
	int output_is_theirs; /* it writes on the program's stdout, too */
};

static struct tool tools[TOOLS] = {
    {.name = "native"},
    {.name = "mallograph", .before = {NULL, "record", "-q", "-o", "trace", "--"}},
    {.name = "heaptrack", .before = {NULL, "-o", "trace"}, .output_is_theirs = 1},
};

struct bytes {
	char *data;
	size_t size;
};

static const char *folder, *input = "/dev/null";
static char program[PATH_MAX];
static struct bytes native_output;
static int native_status;
static sigset_t awaited;

_Noreturn static void die(const char *what)
{
	fprintf(stderr, "measure: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static double seconds(struct timeval time)
{
	return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

/* --- the folder of a run: out, err, inside, trace* ------------------------- */

static void enter_folder(const char *name)
{
	struct dirent *entry;
	DIR *here;

	if (chdir(folder) != 0 || (mkdir(name, 0777) != 0 && errno != EEXIST) || chdir(name) != 0)
		die(name);
	here = opendir(".");
	if (here == NULL)
		die(name);
	while ((entry = readdir(here)) != NULL)
		unlink(entry->d_name);
	closedir(here);
}

static uint64_t trace_bytes(void)
{
	uint64_t bytes = 0;
	struct dirent *entry;
	struct stat status;
	DIR *here = opendir(".");

	while (here != NULL && (entry = readdir(here)) != NULL) {
		if (strncmp(entry->d_name, "trace", 5) == 0 && stat(entry->d_name, &status) == 0)
			bytes += (uint64_t)status.st_size;
	}
	if (here != NULL)
		closedir(here);
	return bytes;
}

static struct bytes read_whole(const char *path)
{
	struct bytes bytes = {.size = 0};
	FILE *file = fopen(path, "re");
	struct stat status;

	if (file == NULL || fstat(fileno(file), &status) != 0)
		die(path);
	bytes.data = malloc((size_t)status.st_size + 1);
	if (bytes.data == NULL)
		die(path);
	bytes.size = fread(bytes.data, 1, (size_t)status.st_size, file);
	fclose(file);
	return bytes;
}

static double inside(void)
{
	FILE *file = fopen("inside", "re");
	double value = 0;

	if (file != NULL) {
		if (fscanf(file, "%lf", &value) != 1)
			value = 0;
		fclose(file);
	}
	return value;
}

/* Is the outcome what the program gives alone? A profiler that adds lines of its own
 * to stdout must still let the program's through unbroken. */
static int outcome_is_native(const struct tool *tool, int status)
{
	struct bytes output = read_whole("out");
	int same = status == native_status;

	if (tool->output_is_theirs)
		same = same && memmem(output.data, output.size, native_output.data,
				      native_output.size) != NULL;
	else
		same = same && output.size == native_output.size &&
		       memcmp(output.data, native_output.data, output.size) == 0;
	free(output.data);
	return same;
}

/* --- a run ---------------------------------------------------------------- */

/* Appending, since the program may open /dev/stdout anew. */
static void redirect(const char *path, int flags, int to)
{
	int fd = open(path, flags, 0666);

	if (fd < 0 || dup2(fd, to) < 0)
		die(path);
	if (fd != to)
		close(fd);
}

static void become(char *const *words)
{
	setpgid(0, 0);
	redirect(input, O_RDONLY, 0);
	redirect("out", O_WRONLY | O_CREAT | O_APPEND, 1);
	redirect("err", O_WRONLY | O_CREAT | O_APPEND, 2);
	sigprocmask(SIG_UNBLOCK, &awaited, NULL);
	execvp(words[0], words);
	die(words[0]);
}

_Noreturn static void give_up(pid_t command, const char *why)
{
	fprintf(stderr, "measure: %s; what is left:", why);
	watch_name(stderr);
	fputc('\n', stderr);
	kill(-command, SIGKILL);
	exit(1);
}

static void run(char *const *words, struct sample *sample)
{
	struct timespec look = {.tv_nsec = LOOK_FIRST_NS};
	double start = now();
	pid_t command = fork();

	if (command < 0)
		die("fork");
	if (command == 0)
		become(words);
	for (;;) {
		int number = sigtimedwait(&awaited, NULL, &look), status;
		struct rusage usage;
		pid_t ended;

		if (number == SIGINT || number == SIGTERM)
			give_up(command, "interrupted");
		while ((ended = wait4(-1, &status, WNOHANG, &usage)) > 0) {
			sample->cpu += seconds(usage.ru_utime) + seconds(usage.ru_stime);
			if (ended == command) {
				sample->wall = now() - start;
				sample->status = status;
			}
		}
		if (ended < 0)
			return;
		if (now() - start > LIMIT_SECONDS)
			give_up(command, "a run takes more than a minute");
		watch_peaks(program, sample);
		look.tv_nsec = look.tv_nsec * 2 < LOOK_NS ? look.tv_nsec * 2 : LOOK_NS;
	}
}

static void measure(const char *name, const struct tool *tool, char *const *argv, int round)
{
	struct sample sample = {.status = -1};
	char *words[ARGUMENTS_MAX];
	size_t count = 0;
	int same;

	for (size_t i = 0; tool->before[i] != NULL; i++)
		words[count++] = tool->before[i];
	for (; *argv != NULL && count < ARGUMENTS_MAX - 1; argv++)
		words[count++] = *argv;
	words[count] = NULL;
	enter_folder(tool->name);
	run(words, &sample);
	if (tool == &tools[0] && round == 0) {
		native_output = read_whole("out");
		native_status = sample.status;
	}
	same = outcome_is_native(tool, sample.status);
	if (round == 0 && !same)
		fprintf(stderr, "measure: %s: %s: output or status is not the native one\n", name,
			tool->name);
	if (round == 0)
		return;
	printf("%s\t%s\t%d\t%.6f\t%.6f\t%ju\t%ju\t%ju\t%.3f\t%d\n", name, tool->name, round,
	       sample.wall, sample.cpu, (uintmax_t)sample.program_bytes,
	       (uintmax_t)sample.recorder_bytes, (uintmax_t)trace_bytes(), inside(), same);
	fflush(stdout);
}

/* --- the command line ------------------------------------------------------ */

static void find_program(const char *name)
{
	const char *folders = getenv("PATH");
	char path[PATH_MAX];

	if (strchr(name, '/') != NULL) {
		if (realpath(name, program) == NULL)
			die(name);
		return;
	}
	while (folders != NULL && *folders != '\0') {
		int length = (int)strcspn(folders, ":");

		snprintf(path, sizeof(path), "%.*s/%s", length, folders, name);
		if (access(path, X_OK) == 0 && realpath(path, program) != NULL)
			return;
		folders += length + (folders[length] == ':');
	}
	errno = ENOENT;
	die(name);
}

static int usage(void)
{
	fputs("usage: measure -d FOLDER [-n ROUNDS] [-t SECONDS] [-i STDIN] [-m MALLOGRAPH]\n"
	      "               [-k HEAPTRACK] NAME PROGRAM [ARG...]\n",
	      stderr);
	return 2;
}

int main(int argc, char **argv)
{
	int rounds = 7, option;
	double limit = 60, start;

	while ((option = getopt(argc, argv, "+d:n:t:i:m:k:")) != -1) {
		switch (option) {
		case 'd':
			folder = optarg;
			break;
		case 'n':
			rounds = atoi(optarg);
			break;
		case 't':
			limit = atof(optarg);
			break;
		case 'i':
			input = optarg;
			break;
		case 'm':
			tools[1].before[0] = optarg;
			break;
		case 'k':
			tools[2].before[0] = optarg;
			break;
		default:
			return usage();
		}
	}
	if (folder == NULL || argc - optind < 2)
		return usage();
	find_program(argv[optind + 1]);
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0)
		die("prctl");
	sigemptyset(&awaited);
	sigaddset(&awaited, SIGCHLD);
	sigaddset(&awaited, SIGINT);
	sigaddset(&awaited, SIGTERM);
	sigprocmask(SIG_BLOCK, &awaited, NULL);
	setenv("BENCH_INSIDE", "inside", 1);

	start = now();
	for (int round = 0; round <= rounds; round++) {
		if (round > ROUNDS_LEAST && now() - start > limit)
			break;
		for (size_t i = 0; i < TOOLS; i++) {
			if (i == 0 || tools[i].before[0] != NULL)
				measure(argv[optind], &tools[i], argv + optind + 1, round);
		}
	}
	free(native_output.data);
	return 0;
}
