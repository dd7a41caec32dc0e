/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The order of things: the region; the program, forked, which waits; the
 * recorder, which creates the trace and says READY; then the program is let go
 * and execs. So the trace has its name before the program starts, and when
 * anything fails before that, nothing has run.
 *
 * Signals: what somebody sends to the launcher goes on to the program. What the
 * terminal (si_code > 0), or anybody, sends to the whole process group, the program has
 * already: that is not passed on. We stop when the program has
 * stopped, as a shell expects of its job, and continue it when we are continued.
 */
#include "libcollect/recorder/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libcollect/recorder/clock.h"
#include "libcollect/recorder/output.h"
#include "libcollect/recorder/witness.h"

enum { SIGN_OF_LIFE_SECONDS = 20, READY_SECONDS = 10 };

static volatile sig_atomic_t program_pid;

/* --- the program --------------------------------------------------------- */

/* What LD_PRELOAD has behind our library: what it had, but for that of another recorder, which
 * would take our session for its own. */
static void append_preloads(char *joined, const char *library, const char *before)
{
	const char *name = base_name(library);

	while (*before != '\0') {
		int length = (int)strcspn(before, " :"), own = (int)strlen(name);
		int is_library = length >= own && memcmp(before + length - own, name, own) == 0 &&
				 (length == own || before[length - own - 1] == '/');

		if (length > 0 && !is_library)
			sprintf(joined + strlen(joined), ":%.*s", length, before);
		before += length + (before[length] != '\0');
	}
}

static void export_variables(const struct launch *launch, int id, uint64_t cookie)
{
	const char *preload = getenv("LD_PRELOAD");
	char *joined, session[64];

	preload = preload != NULL ? preload : "";
	joined = malloc(strlen(launch->library) + strlen(preload) + 2);
	if (joined == NULL)
		_exit(125);
	strcpy(joined, launch->library);
	append_preloads(joined, launch->library, preload);
	snprintf(session, sizeof(session), "%d.%llx", id, (unsigned long long)cookie);
	setenv(SESSION_VARIABLE, session, 1);
	setenv("LD_PRELOAD", joined, 1);
	unsetenv(OPTIONS_VARIABLE);
}

/* Past the hook of another recorder's library: where record is recorded itself, the program is
 * still ours. */
static void exec_program(const char *path, char *const *argv)
{
	syscall(SYS_execve, path, argv, environ);
}

/* A script without "#!": as execvp does, but not with a broken program. */
static void run_by_shell(const struct launch *launch)
{
	int fd = open(launch->path, O_RDONLY | O_CLOEXEC), is_elf;
	char magic[4] = "";
	size_t count = 0;
	const char **argv;

	is_elf = fd >= 0 && read(fd, magic, 4) == 4 && memcmp(magic, "\177ELF", 4) == 0;
	if (fd >= 0)
		close(fd);
	errno = ENOEXEC;
	if (is_elf)
		return;

	while (launch->argv[count] != NULL)
		count++;
	argv = calloc(count + 3, sizeof(*argv));
	if (argv == NULL)
		return;
	argv[0] = "/bin/sh";
	argv[1] = launch->path;
	for (size_t i = 1; i < count; i++)
		argv[i + 1] = launch->argv[i];
	exec_program("/bin/sh", (char **)argv);
}

/* The child: waits for a byte, then becomes the program. */
static void become_program(const struct launch *launch, int gate, int failed, int id,
			   uint64_t cookie)
{
	char go;
	int error;

	if (read(gate, &go, 1) != 1)
		_exit(125);
	export_variables(launch, id, cookie);
	exec_program(launch->path, launch->argv);
	error = errno;
	if (error == ENOEXEC) {
		run_by_shell(launch);
		error = errno;
	}
	if (write(failed, &error, sizeof(error)) != (ssize_t)sizeof(error))
		_exit(125);
	_exit(127);
}

/* --- the recorder -------------------------------------------------------- */

static void leave_standard_descriptors(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = 0; null >= 0 && fd < 3; fd++)
		dup2(null, fd);
}

/* The child that is the recorder; keep is its report socket. */
static void become_recorder(struct region *region, const struct recorder_options *options, int keep,
			    pid_t first)
{
	static const int ignored[] = {SIGINT,  SIGTERM, SIGHUP,  SIGQUIT, SIGPIPE, SIGTSTP,
				      SIGTTIN, SIGTTOU, SIGUSR1, SIGUSR2, SIGXFSZ};
	sigset_t none;

	setsid();
	prctl(PR_SET_NAME, "mallograph-rec", 0, 0, 0);
	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	leave_standard_descriptors();
	/* Whatever else we inherited is the user's. */
	if (keep != 3 && dup3(keep, 3, O_CLOEXEC) < 0)
		_exit(125);
	if (keep == 3)
		fcntl(3, F_SETFD, FD_CLOEXEC);
	syscall(SYS_close_range, 4u, ~0u, 0u);
	if (chdir("/") != 0)
		_exit(125);
	_exit(recorder_run(region, options, 3, first));
}

static pid_t start_recorder(struct region *region, const struct recorder_options *options,
			    int sockets[2], pid_t first)
{
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) != 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		close(sockets[0]);
		become_recorder(region, options, sockets[1], first);
	}
	close(sockets[1]);
	return pid;
}

/* As recv(); 0 when there is nothing until then. */
static ssize_t await_report(int socket, struct report *report, uint64_t until_ns)
{
	struct pollfd polled = {.fd = socket, .events = POLLIN};

	for (;;) {
		ssize_t got = recv(socket, report, sizeof(*report), MSG_DONTWAIT);

		if (got >= 0 || (errno != EAGAIN && errno != EINTR))
			return got;
		if (monotonic_ns() >= until_ns)
			return 0;
		poll(&polled, 1, 100);
	}
}

/* Waits for READY or ERROR. Returns 0 with the trace's path, or -1 with a
 * message, in text. */
static int await_ready(int socket, char *text, size_t bytes)
{
	uint64_t until_ns = monotonic_ns() + READY_SECONDS * UINT64_C(1000000000);
	struct report report;
	ssize_t got;

	do {
		got = await_report(socket, &report, until_ns);
	} while (got == (ssize_t)sizeof(report) && report.kind == REPORT_WARNING);
	if (got == 0 && monotonic_ns() >= until_ns) {
		snprintf(text, bytes,
			 "the recorder could not begin within %d s: does the disk of the trace "
			 "answer? -o takes another place",
			 READY_SECONDS);
		return -1;
	}
	if (got != (ssize_t)sizeof(report)) {
		snprintf(text, bytes, "the recorder did not start");
		return -1;
	}
	report.text[sizeof(report.text) - 1] = '\0';
	report.path[sizeof(report.path) - 1] = '\0';
	snprintf(text, bytes, "%s", report.kind == REPORT_READY ? report.path : report.text);
	return report.kind == REPORT_READY ? 0 : -1;
}

/* --- signals ------------------------------------------------------------- */

static const int passed_on[] = {SIGTERM, SIGHUP,  SIGQUIT, SIGUSR1, SIGUSR2,
				SIGINT,  SIGCONT, SIGTSTP, SIGCHLD};
enum { PASSED_ON = sizeof(passed_on) / sizeof(passed_on[0]) };

static void fill_passed_on(sigset_t *set)
{
	sigemptyset(set);
	for (size_t i = 0; i < PASSED_ON; i++)
		if (passed_on[i] != SIGCHLD)
			sigaddset(set, passed_on[i]);
}

static void pass_on(int number, siginfo_t *info, void *context)
{
	const pid_t program = (pid_t)program_pid;
	int saved = errno;

	(void)context;
	if (program > 0 && info->si_code <= 0 && number != SIGCHLD &&
	    (getpgid(program) != getpgrp() || !witness_saw(number)))
		kill(program, number);
	errno = saved;
}

static void catch_signals(struct sigaction *before)
{
	struct sigaction action = {.sa_sigaction = pass_on, .sa_flags = SA_SIGINFO | SA_RESTART};

	fill_passed_on(&action.sa_mask);
	for (size_t i = 0; i < PASSED_ON; i++) {
		sigaction(passed_on[i], NULL, &before[i]);
		/* What was ignored (nohup) stays so, for the program as for us;
		 * but its end we must see. */
		if (before[i].sa_handler != SIG_IGN || passed_on[i] == SIGCHLD)
			sigaction(passed_on[i], &action, NULL);
	}
}

static void restore_signals(const struct sigaction *before)
{
	for (size_t i = 0; i < PASSED_ON; i++)
		sigaction(passed_on[i], &before[i], NULL);
}

/* --- waiting ------------------------------------------------------------- */

/* Takes one message. Returns 1 when the first process is done, -1 at the end
 * of messages, 0 otherwise. */
static int take_report(struct launch *launch, int socket)
{
	struct report report, *more;
	ssize_t got = recv(socket, &report, sizeof(report), MSG_DONTWAIT);

	if (got < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	if (got != (ssize_t)sizeof(report))
		return -1;
	report.name[sizeof(report.name) - 1] = '\0';
	report.path[sizeof(report.path) - 1] = '\0';
	report.text[sizeof(report.text) - 1] = '\0';
	if (report.kind == REPORT_FIRST_DONE) {
		launch->running = report.running;
		return 1;
	}
	if (report.kind != REPORT_TRACE && report.kind != REPORT_WARNING)
		return 0;
	more = realloc(launch->reports, (launch->report_count + 1) * sizeof(*more));
	if (more == NULL)
		return 0;
	launch->reports = more;
	launch->reports[launch->report_count++] = report;
	return 0;
}

static void tell_ended(struct region *region, int status)
{
	region->first_status = status;
	atomic_store(&region->first_ended, 1);
	atomic_fetch_add(&region->wake, 1);
	syscall(SYS_futex, &region->wake, FUTEX_WAKE, 1, NULL, NULL, 0);
}

/* The program has stopped: so do we, for the shell whose job we are. Without a
 * terminal nobody is there to continue us. */
static void stop_too(pid_t program)
{
	int terminal = open("/dev/tty", O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (terminal < 0)
		return;
	close(terminal);
	raise(SIGSTOP);
	kill(program, SIGCONT);
}

/* Until the program has ended and its traces are complete, or the recorder is
 * gone or gives no sign of life. */
static void wait_for_all(struct launch *launch, struct region *region, pid_t program, int socket,
			 uint64_t started_ns)
{
	struct pollfd polled[2] = {{.events = POLLIN}, {.fd = socket, .events = POLLIN}};
	uint32_t heartbeat = 0;
	int ended = 0, done = 0, silent = 0;

	polled[0].fd = (int)syscall(SYS_pidfd_open, program, 0);
	while (!ended || done == 0) {
		int ready = poll(polled, 2, 1000);

		if (!ended) {
			int status = 0;
			pid_t got = waitpid(program, &status, WNOHANG | WUNTRACED);

			if (got == program && WIFSTOPPED(status)) {
				stop_too(program);
				continue;
			}
			if (got == program)
				launch->status = status;
			if (got == program || (got < 0 && errno == ECHILD)) {
				ended = 1;
				program_pid = 0;
				launch->nanoseconds = monotonic_ns() - started_ns;
				tell_ended(region, launch->status);
				if (polled[0].fd >= 0)
					close(polled[0].fd);
				polled[0].fd = -1;
			}
		}
		if (ready > 0 && polled[1].revents != 0)
			done = take_report(launch, socket);
		if (done != 0)
			polled[1].fd = -1;
		silent =
		    atomic_load(&region->heartbeat) == heartbeat && ready == 0 ? silent + 1 : 0;
		heartbeat = atomic_load(&region->heartbeat);
		if (ended && silent >= SIGN_OF_LIFE_SECONDS)
			done = -1;
	}
	launch->recorder_died = done < 0;
}

/* Lets the program go. Returns 0 when it runs, -1 when exec failed. */
static int let_go(struct launch *launch, int gate, int failed)
{
	ssize_t got;

	witness_await();
	if (write(gate, "", 1) != 1) {
		snprintf(launch->failure, sizeof(launch->failure), "the program did not start");
		return -1;
	}
	do {
		got = read(failed, &launch->exec_errno, sizeof(launch->exec_errno));
	} while (got < 0 && errno == EINTR);
	return got == 0 ? 0 : -1;
}

static int prepare_region(struct launch *launch, struct region **region, int *id)
{
	*region = region_create(id);
	if (*region == NULL) {
		snprintf(launch->failure, sizeof(launch->failure),
			 "cannot create shared memory for the recorder: %s", strerror(errno));
		return -1;
	}
	(*region)->max_depth = launch->options.max_depth;
	(*region)->follow_fork = (uint32_t)launch->options.follow_fork;
	return 0;
}

static int run_all(struct launch *launch)
{
	struct sigaction before[PASSED_ON];
	struct region *region;
	int gate[2], failed[2], sockets[2] = {-1, -1}, id, result = -1;
	uint64_t started_ns = 0;
	pid_t program, recorder;
	char trace[1024];

	if (prepare_region(launch, &region, &id) != 0)
		return -1;
	if (pipe2(gate, O_CLOEXEC) != 0 || pipe2(failed, O_CLOEXEC) != 0 ||
	    (program = fork()) < 0) {
		snprintf(launch->failure, sizeof(launch->failure), "cannot start a process: %s",
			 strerror(errno));
		return -1;
	}
	if (program == 0) {
		close(gate[1]);
		become_program(launch, gate[0], failed[1], id, region->cookie);
	}
	close(gate[0]);
	close(failed[1]);
	program_pid = program;
	region->first_pid = (uint32_t)program;
	catch_signals(before);
	recorder = start_recorder(region, &launch->options, sockets, program);
	if (recorder < 0) {
		snprintf(launch->failure, sizeof(launch->failure), "cannot start the recorder: %s",
			 strerror(errno));
	} else if (await_ready(sockets[0], trace, sizeof(trace)) != 0) {
		snprintf(launch->failure, sizeof(launch->failure), "%s", trace);
	} else if (started_ns = monotonic_ns(), let_go(launch, gate[1], failed[0]) != 0) {
		/* A path that was cut would be another file's. */
		if (strlen(trace) < sizeof(((struct report *)0)->path) - 1 &&
		    (trace[0] == '/' || launch->options.folder == NULL ||
		     chdir(launch->options.folder) == 0))
			unlink(trace);
	} else {
		launch->started = 1;
		wait_for_all(launch, region, program, sockets[0], started_ns);
		result = 0;
	}
	close(gate[1]);
	close(failed[0]);
	if (sockets[0] >= 0)
		close(sockets[0]);
	if (result != 0) {
		program_pid = 0;
		waitpid(program, NULL, 0);
		/* One that a disk holds up is gone only when that lets it. */
		if (recorder > 0 && waitpid(recorder, NULL, WNOHANG) == 0)
			kill(recorder, SIGKILL);
	}
	restore_signals(before);
	return result;
}

int launch_run(struct launch *launch)
{
	sigset_t signals;
	int result;

	fill_passed_on(&signals);
	/* First of all: it shall hold nothing of ours. */
	witness_start(&signals);
	result = run_all(launch);
	witness_stop();
	return result;
}

void launch_clear(struct launch *launch)
{
	free(launch->reports);
	launch->reports = NULL;
	launch->report_count = 0;
}

int launch_serve(const struct recorder_options *options, pid_t pid, int reply_fd)
{
	struct launch launch = {.options = *options};
	char reply[1100], text[1024];
	struct region *region;
	int sockets[2], id, ok = 0;

	fcntl(reply_fd, F_SETFD, FD_CLOEXEC);
	if (prepare_region(&launch, &region, &id) != 0) {
		snprintf(reply, sizeof(reply), "%s", launch.failure);
	} else {
		region->first_pid = (uint32_t)pid;
		if (start_recorder(region, options, sockets, pid) < 0) {
			snprintf(reply, sizeof(reply), "cannot start the recorder: %s",
				 strerror(errno));
		} else if (await_ready(sockets[0], text, sizeof(text)) != 0) {
			snprintf(reply, sizeof(reply), "%s", text);
		} else {
			snprintf(reply, sizeof(reply), "ok %d.%llx", id,
				 (unsigned long long)region->cookie);
			ok = 1;
		}
	}
	if (write(reply_fd, reply, strlen(reply)) < 0)
		return 125;
	return ok ? 0 : 125;
}
