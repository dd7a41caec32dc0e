/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * exec and posix_spawn, as the program calls them.
 *
 * What can be recorded starts with our variables, also where the program
 * made an environment of its own; what can't (static, another libc,
 * AddressSanitizer, setuid) starts without them, because it would not start with them, and is
 * counted. Called in children of vfork too: nothing here allocates, and what
 * is built lies on the stack.
 */
#include <alloca.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libcollect/preload/environment.h"
#include "libcollect/preload/filters.h"
#include "libcollect/preload/next.h"
#include "libcollect/preload/prepare.h"
#include "libcollect/preload/rawio.h"
#include "libcollect/preload/state.h"
#include "libcollect/program.h"

#define EXPORT __attribute__((visibility("default")))

typedef int exec_function(const char *, char *const *, char *const *);
typedef int spawn_function(pid_t *, const char *, const posix_spawn_file_actions_t *,
			   const posix_spawnattr_t *, char *const *, char *const *);

enum exec_name { EXECVE, EXECVPE, FEXECVE, EXECVEAT, POSIX_SPAWN, POSIX_SPAWNP, EXEC_NAMES };
static struct next real_functions[EXEC_NAMES] = {
    [EXECVE] = {.name = "execve"},           [EXECVPE] = {.name = "execvpe"},
    [FEXECVE] = {.name = "fexecve"},         [EXECVEAT] = {.name = "execveat"},
    [POSIX_SPAWN] = {.name = "posix_spawn"}, [POSIX_SPAWNP] = {.name = "posix_spawnp"}};

static void *real_function(enum exec_name name)
{
	return next_function(&real_functions[name]);
}

void hooks_exec_prepare(void)
{
	for (unsigned i = 0; i < EXEC_NAMES; i++)
		real_function((enum exec_name)i);
}

/* A filter of the program may forbid to look at files, or what a recording begins with. */
static int may_look(void)
{
	return !raw_asks || filters_allow_start();
}

/* Room for what search_path() writes. */
static size_t path_bytes(const char *file)
{
	const char *folders = environment_value(environ, "PATH");

	return raw_length(file) + (folders != NULL ? raw_length(folders) : 0) + 16;
}

/* Finds file as execvp does. Returns 0 and its path, or -1. */
static int search_path(const char *file, char *path)
{
	const char *folders = environment_value(environ, "PATH");
	size_t length = raw_length(file);
	int saved = errno;

	raw_copy(path, file, length + 1);
	for (const char *c = file; *c != '\0'; c++)
		if (*c == '/')
			return 0;
	if (!may_look())
		return -1;
	if (folders == NULL)
		folders = "/bin:/usr/bin";
	for (;;) {
		size_t folder = 0, at;
		struct stat status;

		while (folders[folder] != '\0' && folders[folder] != ':')
			folder++;
		at = folder;
		raw_copy(path, folders, folder);
		if (at > 0)
			path[at++] = '/';
		raw_copy(path + at, file, length + 1);
		if (stat(path, &status) == 0 && S_ISREG(status.st_mode) &&
		    faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0)
			break;
		if (folders[folder] == '\0') {
			raw_copy(path, file, length + 1);
			errno = saved;
			return -1;
		}
		folders += folder + 1;
	}
	errno = saved;
	return 0;
}

/* What the new image gets: the choice, and for an exec in this process word to
 * the recorder. */
static enum environment_choice choose(const char *path, char *const *envp)
{
	int saved = errno, cancellation;
	enum program_kind kind;
	enum environment_choice choice = ENVIRONMENT_RECORD;

	if (shared_region == NULL)
		return ENVIRONMENT_AS_IS;
	if (!may_look()) {
		count(COUNT_EXEC_UNRECORDED);
		return ENVIRONMENT_PLAIN;
	}
	/* exec and posix_spawn are no cancellation points, but open() is. */
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancellation);
	kind = program_kind(path);
	if (kind == PROGRAM_STATIC || kind == PROGRAM_OTHER_LIBC || kind == PROGRAM_OTHER_CPU ||
	    kind == PROGRAM_SANITIZED || kind == PROGRAM_PRIVILEGED || kind == PROGRAM_OWN_MALLOC ||
	    program_preloads_sanitizer(environment_value(envp, "LD_PRELOAD")) ||
	    !environment_reaches()) {
		choice = ENVIRONMENT_PLAIN;
		count(COUNT_EXEC_UNRECORDED);
	}
	pthread_setcancelstate(cancellation, NULL);
	errno = saved;
	return choice;
}

/* This process is about to become something else. A child of vfork borrows the parent's
 * memory: it is not this process. */
static void announce(enum session_exec execing)
{
	struct session *session = state->session;

	if (session != NULL && session->pid == raw_getpid())
		atomic_store(&session->execing, execing);
}

static enum session_exec kind_of_exec(enum environment_choice choice)
{
	return choice == ENVIRONMENT_PLAIN ? EXEC_UNRECORDED : EXEC_RECORDED;
}

/* Room on the caller's stack for an environment made by environment_make(). */
#define ENVIRONMENT(name, from, choice)                                                            \
	size_t name##_count = environment_size(from);                                              \
	char **name = alloca((name##_count + 3) * sizeof(char *));                                 \
	char *name##_text = alloca(environment_text_bytes(from));                                  \
	environment_make(name, name##_text, from, choice)

static int exec_as(const char *path, const char *judged, char *const *argv, char *const *envp,
		   enum exec_name name)
{
	exec_function *real = (exec_function *)real_function(name);
	enum environment_choice choice = choose(judged, envp);
	int result;

	if (real == NULL) {
		errno = ENOSYS;
		return -1;
	}
	ENVIRONMENT(environment, envp, choice);
	announce(kind_of_exec(choice));
	result = real(path, argv, environment);
	announce(EXEC_NONE);
	return result;
}

EXPORT int execve(const char *path, char *const argv[], char *const envp[])
{
	return exec_as(path, path, argv, envp, EXECVE);
}

EXPORT int execv(const char *path, char *const argv[])
{
	return exec_as(path, path, argv, environ, EXECVE);
}

static int search_and_exec(const char *file, char *const *argv, char *const *envp)
{
	char *path = alloca(path_bytes(file));

	search_path(file, path);
	return exec_as(file, path, argv, envp, EXECVPE);
}

EXPORT int execvpe(const char *file, char *const argv[], char *const envp[])
{
	return search_and_exec(file, argv, envp);
}

EXPORT int execvp(const char *file, char *const argv[])
{
	return search_and_exec(file, argv, environ);
}

static size_t count_arguments(va_list from)
{
	va_list arguments;
	size_t n = 1;

	va_copy(arguments, from);
	while (va_arg(arguments, char *) != NULL)
		n++;
	va_end(arguments);
	return n;
}

/* Gathers "first, ..., NULL" on the caller's stack. */
#define GATHER(argv, first, list)                                                                  \
	va_start(list, first);                                                                     \
	size_t argv##_count = count_arguments(list);                                               \
	char **argv = alloca((argv##_count + 1) * sizeof(char *));                                 \
	argv[0] = (char *)(uintptr_t)first;                                                        \
	for (size_t gathered = 1; gathered <= argv##_count; gathered++)                            \
	argv[gathered] = va_arg(list, char *)

EXPORT int execl(const char *path, const char *argument, ...)
{
	va_list list;

	GATHER(argv, argument, list);
	va_end(list);
	return exec_as(path, path, argv, environ, EXECVE);
}

EXPORT int execlp(const char *file, const char *argument, ...)
{
	va_list list;

	GATHER(argv, argument, list);
	va_end(list);
	return search_and_exec(file, argv, environ);
}

EXPORT int execle(const char *path, const char *argument, ...)
{
	va_list list;
	char *const *envp;

	GATHER(argv, argument, list);
	envp = va_arg(list, char *const *);
	va_end(list);
	return exec_as(path, path, argv, envp, EXECVE);
}

/* "/proc/self/fd/N" */
static void descriptor_path(char *path, int fd)
{
	const char prefix[] = "/proc/self/fd/";
	char digits[12];
	size_t n = 0;

	raw_copy(path, prefix, sizeof(prefix) - 1);
	path += sizeof(prefix) - 1;
	do {
		digits[n++] = (char)('0' + fd % 10);
		fd /= 10;
	} while (fd > 0);
	while (n > 0)
		*path++ = digits[--n];
	*path = '\0';
}

EXPORT int fexecve(int fd, char *const argv[], char *const envp[])
{
	int (*real)(int, char *const *, char *const *) = real_function(FEXECVE);
	char path[40];
	enum environment_choice choice;
	int result;

	descriptor_path(path, fd < 0 ? 0 : fd);
	choice = choose(path, envp);
	ENVIRONMENT(environment, envp, choice);
	announce(kind_of_exec(choice));
	result = real(fd, argv, environment);
	announce(EXEC_NONE);
	return result;
}

EXPORT int execveat(int folder, const char *path, char *const argv[], char *const envp[], int flags)
{
	int (*real)(int, const char *, char *const *, char *const *, int) = real_function(EXECVEAT);
	enum environment_choice choice = ENVIRONMENT_RECORD;
	char judged[40];
	int result, fd;

	if (*path == '\0' && (flags & AT_EMPTY_PATH) != 0) {
		descriptor_path(judged, folder);
		choice = choose(judged, envp);
	} else if (!may_look()) {
		choice = choose(path, envp);
	} else {
		int saved = errno;

		fd = openat(folder, path, O_PATH | O_CLOEXEC);
		if (fd >= 0) {
			descriptor_path(judged, fd);
			choice = choose(judged, envp);
			raw_syscall(SYS_close, fd, 0, 0, 0, 0, 0);
		}
		errno = saved;
	}
	ENVIRONMENT(environment, envp, choice);
	announce(kind_of_exec(choice));
	result = real(folder, path, argv, environment, flags);
	announce(EXEC_NONE);
	return result;
}

static int spawn_as(enum exec_name name, pid_t *pid, const char *path, const char *judged,
		    const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *attributes,
		    char *const *argv, char *const *envp)
{
	spawn_function *real = (spawn_function *)real_function(name);
	enum environment_choice choice = choose(judged, envp);

	if (real == NULL)
		return ENOSYS;
	ENVIRONMENT(environment, envp, choice);
	return real(pid, path, actions, attributes, argv, environment);
}

EXPORT int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
		       const posix_spawnattr_t *attributes, char *const argv[], char *const envp[])
{
	return spawn_as(POSIX_SPAWN, pid, path, path, actions, attributes, argv, envp);
}

EXPORT int posix_spawnp(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
			const posix_spawnattr_t *attributes, char *const argv[], char *const envp[])
{
	char *judged = alloca(path_bytes(file));

	search_path(file, judged);
	return spawn_as(POSIX_SPAWNP, pid, file, judged, actions, attributes, argv, envp);
}
