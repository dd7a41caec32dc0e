/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * measure [OPTIONS] NAME PROGRAM [ARG...]: runs a program natively and under each tool
 * that is given, in turn, round after round, and writes a line for each run to stdout:
 *
 *   NAME TOOL ROUND WALL CPU PROGRAM-CPU PROGRAM-RSS RECORDER-RSS TRACE-BYTES INSIDE SAME
 *
 * separated by tabs; seconds, bytes; PROGRAM-CPU is the program's own part of the time
 * (-1: not known); INSIDE is what the program wrote into the file that BENCH_INSIDE names,
 * nanoseconds an operation, or 0. Round 0 warms up and says other things:
 *
 *   NAME TOOL exit PRIVATE REGION RESIDENT     bytes of the program when it exits
 *   NAME TOOL limit SECONDS                    the tool took longer, and is left out
 *
 * With -w there is no such round; with -u the program is not traced in the others.
 *
 * table.c makes tables of it. The tools: native; alone, the library with a driver that
 * throws events away (driver.c); mallograph; heaptrack.
 *
 * The machine's speed drifts, so native and profiled runs alternate and are compared
 * within their round.
 *
 * CPU time is that of all processes. Being a child subreaper, we inherit and reap what
 * a profiler leaves behind, and wait for it before the next run starts. A companion (a
 * client of a server that is measured) runs beside the program in its folder, and is not
 * counted.
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
	TOOLS = 4,
	ARGUMENTS_MAX = 64,
	LOOK_FIRST_NS = 1000000,
	LOOK_NS = 20000000,
	LEFT_SECONDS = 10,
	ROUNDS_LEAST = 3
};

struct tool {
	const char *name;
	char *before[8];      /* what stands before the program's own words */
	int output_is_theirs; /* it writes on the program's stdout, too */
	int left_out;         /* took too long */
};

enum { NATIVE, ALONE, MALLOGRAPH, HEAPTRACK };

static struct tool tools[TOOLS] = {
    [NATIVE] = {.name = "native"},
    [ALONE] = {.name = "alone", .before = {NULL, "-o", "sums"}},
    [MALLOGRAPH] = {.name = "mallograph", .before = {NULL, "record", "-q", "-o", "trace", "--"}},
    [HEAPTRACK] = {.name = "heaptrack", .before = {NULL, "-o", "trace"}, .output_is_theirs = 1},
};

struct bytes {
	char *data;
	size_t size;
};

static const char *folder, *input = "/dev/null";
static char *companion[] = {NULL, NULL};
static double limit_of_run = 60;
static int untraced; /* rounds that are printed: PROGRAM-CPU is not known */
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

_Noreturn static void become(char *const *words, const char *in, int gate)
{
	char go;

	setpgid(0, 0);
	redirect(in, O_RDONLY, 0);
	redirect("out", O_WRONLY | O_CREAT | O_APPEND, 1);
	redirect("err", O_WRONLY | O_CREAT | O_APPEND, 2);
	sigprocmask(SIG_UNBLOCK, &awaited, NULL);
	if (gate >= 0 && read(gate, &go, 1) != 1)
		_exit(125);
	execvp(words[0], words);
	die(words[0]);
}

/* Starts the command, which we trace from its first instruction on. */
static pid_t start_command(char *const *words, int at_exit)
{
	int gate[2];
	pid_t command;

	if (pipe2(gate, O_CLOEXEC) != 0)
		die("pipe");
	command = fork();
	if (command < 0)
		die("fork");
	if (command == 0)
		become(words, input, gate[0]);
	if (at_exit || !untraced)
		tracee_begin(command, program, at_exit);
	if (write(gate[1], "", 1) != 1)
		die("pipe");
	close(gate[0]);
	close(gate[1]);
	return command;
}

static pid_t start_companion(void)
{
	pid_t pid = companion[0] != NULL ? fork() : 0;

	if (pid < 0)
		die("fork");
	if (pid == 0 && companion[0] != NULL) {
		redirect("companion", O_WRONLY | O_CREAT | O_APPEND, 1);
		become(companion, "/dev/null", -1);
	}
	return pid;
}

_Noreturn static void give_up(pid_t command, const char *why)
{
	fprintf(stderr, "measure: %s; what is left:", why);
	watch_name(stderr);
	fputc('\n', stderr);
	kill(-command, SIGKILL);
	exit(1);
}

static pid_t parent_of(pid_t pid)
{
	char path[64], line[512];
	const char *end;
	int parent = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "re");
	if (file == NULL)
		return 0;
	if (fgets(line, sizeof(line), file) != NULL && (end = strrchr(line, ')')) != NULL &&
	    sscanf(end, ") %*c %d", &parent) != 1)
		parent = 0;
	fclose(file);
	return parent;
}

struct run {
	pid_t command, companion;
	double start;
	struct sample *sample;
};

static void note_end(const struct run *run, pid_t pid, int is_child, int status,
		     const struct rusage *usage)
{
	double cpu = seconds(usage->ru_utime) + seconds(usage->ru_stime);

	if (pid == run->companion)
		return;
	tracee_ended(pid, cpu, run->sample);
	/* The time of one whom we trace only comes with its parent's. */
	if (is_child)
		run->sample->cpu += cpu;
	if (pid == run->command) {
		run->sample->wall = now() - run->start;
		run->sample->status = status;
	}
}

/* Takes note of what has ended or stopped. Returns 0 when nobody is left. */
static int reap(const struct run *run)
{
	for (;;) {
		siginfo_t info = {.si_pid = 0};
		struct rusage usage;
		int status, is_child;

		if (waitid(P_ALL, 0, &info, WEXITED | WSTOPPED | WNOHANG | WNOWAIT) != 0)
			return 0;
		if (info.si_pid == 0)
			return 1;
		is_child = parent_of(info.si_pid) == getpid();
		if (wait4(info.si_pid, &status, WNOHANG, &usage) <= 0)
			continue;
		if (WIFSTOPPED(status))
			tracee_stopped(info.si_pid, status, run->sample);
		else
			note_end(run, info.si_pid, is_child, status, &usage);
	}
}

/* Returns 0, or -1 when it took longer than the limit. */
static int run_command(char *const *words, struct sample *sample, int at_exit)
{
	struct timespec look = {.tv_nsec = LOOK_FIRST_NS};
	struct run run = {.sample = sample};
	double end;
	int late = 0;

	run.companion = start_companion();
	run.start = now();
	run.command = start_command(words, at_exit);
	end = run.start + limit_of_run;
	for (;;) {
		int number = sigtimedwait(&awaited, NULL, &look);

		if (number == SIGINT || number == SIGTERM)
			give_up(run.command, "interrupted");
		if (!reap(&run))
			return late ? -1 : 0;
		if (now() > end) {
			if (late)
				give_up(run.command, "does not end when it is killed");
			kill(-run.command, SIGKILL);
			if (run.companion > 0)
				kill(-run.companion, SIGKILL);
			late = 1;
			end = now() + LEFT_SECONDS;
		}
		watch_peaks(program, run.companion, sample);
		look.tv_nsec = look.tv_nsec * 2 < LOOK_NS ? look.tv_nsec * 2 : LOOK_NS;
	}
}

static void say(const char *name, const struct tool *tool, int round, const struct sample *sample,
		int same)
{
	if (round == 0) {
		printf("%s\t%s\texit\t%ju\t%ju\t%ju\n", name, tool->name,
		       (uintmax_t)sample->private_bytes, (uintmax_t)sample->region_bytes,
		       (uintmax_t)sample->resident_bytes);
		if (!same)
			fprintf(stderr, "measure: %s: %s: output or status is not the native one\n",
				name, tool->name);
	} else {
		printf("%s\t%s\t%d\t%.6f\t%.6f\t%.6f\t%ju\t%ju\t%ju\t%.3f\t%d\n", name, tool->name,
		       round, sample->wall, sample->cpu, sample->program_cpu,
		       (uintmax_t)sample->program_bytes, (uintmax_t)sample->recorder_bytes,
		       (uintmax_t)trace_bytes(), inside(), same);
	}
	fflush(stdout);
}

static void measure(const char *name, struct tool *tool, char *const *argv, int round)
{
	struct sample sample = {.status = -1, .program_cpu = -1};
	char *words[ARGUMENTS_MAX];
	size_t count = 0;

	for (size_t i = 0; tool->before[i] != NULL; i++)
		words[count++] = tool->before[i];
	for (; *argv != NULL && count < ARGUMENTS_MAX - 1; argv++)
		words[count++] = *argv;
	words[count] = NULL;
	enter_folder(tool->name);
	if (run_command(words, &sample, round == 0) != 0) {
		tool->left_out = 1;
		printf("%s\t%s\tlimit\t%.0f\n", name, tool->name, limit_of_run);
		fflush(stdout);
		return;
	}
	if (tool == &tools[NATIVE] && native_output.data == NULL) {
		native_output = read_whole("out");
		native_status = sample.status;
	}
	say(name, tool, round, &sample, outcome_is_native(tool, sample.status));
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
	fputs("usage: measure -d FOLDER [-uw] [-n ROUNDS] [-t SECONDS] [-l LIMIT-OF-A-RUN]\n"
	      "               [-i STDIN] [-c COMPANION] [-a DRIVER] [-m MALLOGRAPH]\n"
	      "               [-k HEAPTRACK] NAME PROGRAM [ARG...]\n",
	      stderr);
	return 2;
}

int main(int argc, char **argv)
{
	int rounds = 7, option, round = 0;
	double limit = 60, start;

	while ((option = getopt(argc, argv, "+uwd:n:t:l:i:c:a:m:k:")) != -1) {
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
		case 'l':
			limit_of_run = atof(optarg);
			break;
		case 'w':
			round = 1;
			break;
		case 'u':
			untraced = 1;
			break;
		case 'c':
			companion[0] = optarg;
			break;
		case 'a':
			tools[ALONE].before[0] = optarg;
			break;
		case 'm':
			tools[MALLOGRAPH].before[0] = optarg;
			break;
		case 'k':
			tools[HEAPTRACK].before[0] = optarg;
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
	for (; round <= rounds && (round <= ROUNDS_LEAST || now() - start < limit); round++) {
		for (size_t i = 0; i < TOOLS; i++) {
			if ((i == NATIVE || tools[i].before[0] != NULL) && !tools[i].left_out)
				measure(argv[optind], &tools[i], argv + optind + 1, round);
		}
	}
	free(native_output.data);
	return 0;
}
