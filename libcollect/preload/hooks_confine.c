/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a program does to confine itself, where that would hit us: seccomp (filters.c), less address
 * space, locked memory (chunks.c). The calls themselves are made as they would be without us.
 */
#include <linux/seccomp.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "libcollect/preload/chunks.h"
#include "libcollect/preload/clock.h"
#include "libcollect/preload/filters.h"
#include "libcollect/preload/limits.h"
#include "libcollect/preload/next.h"
#include "libcollect/preload/prepare.h"
#include "libcollect/preload/rawio.h"
#include "libcollect/preload/reach.h"
#include "libcollect/preload/state.h"

#include "libcollect/preload/banned.h"

#define EXPORT __attribute__((visibility("default")))

/* How far a stack may grow behind a filter and still be walked to its end, where it forbids to ask
 * whether memory can be read. */
#define STACK_AHEAD (128u << 10)
/* How much of the region may be locked in memory: rings for 150 threads or so. */
#define LOCKED_MOST (UINT64_C(40) << 20)

static struct next next_prctl = {.name = "prctl"}, next_syscall = {.name = "syscall"},
		   next_setrlimit = {.name = "setrlimit"}, next_prlimit = {.name = "prlimit"},
		   next_mlockall = {.name = "mlockall"};

void hooks_confine_prepare(void)
{
	next_function(&next_prctl);
	next_function(&next_syscall);
	next_function(&next_setrlimit);
	next_function(&next_prlimit);
	next_function(&next_mlockall);
}

/* --- seccomp ------------------------------------------------------------------ */

static void strict_begins(struct thread *thread)
{
	thread->strict_since = shared_region != NULL ? stamp() : 0;
	thread->strict = 1;
	if (others_may_come(thread) && thread->epoch < EPOCH_OFF)
		thread->epoch =
		    EPOCH_NONE; /* to the cold path with each event, where it is counted */
	filters_strict(1);
}

/* Before a mode is entered; program is the filter's. */
static struct filter *confine(int mode, const void *program)
{
	struct thread *thread = gate((uintptr_t)__builtin_frame_address(0));

	if (thread != NULL)
		reach_ahead(thread, (uintptr_t)__builtin_frame_address(0) - STACK_AHEAD);
	if (mode == SECCOMP_MODE_STRICT)
		strict_begins(&self);
	return mode == SECCOMP_MODE_FILTER && program != NULL ? filters_add(program) : NULL;
}

/* It was not entered. */
static void confine_not(int mode, struct filter *filter)
{
	filters_remove(filter);
	if (mode == SECCOMP_MODE_STRICT) {
		filters_strict(0);
		self.strict = 0;
	}
}

static int mode_of_prctl(unsigned long option, unsigned long mode)
{
	return option == PR_SET_SECCOMP && mode <= SECCOMP_MODE_FILTER ? (int)mode
								       : SECCOMP_MODE_DISABLED;
}

static int mode_of_seccomp(unsigned long operation)
{
	return operation == SECCOMP_SET_MODE_STRICT   ? SECCOMP_MODE_STRICT
	       : operation == SECCOMP_SET_MODE_FILTER ? SECCOMP_MODE_FILTER
						      : SECCOMP_MODE_DISABLED;
}

EXPORT int prctl(int option, ...)
{
	int (*real)(int, ...) = (int (*)(int, ...))next_function(&next_prctl);
	struct filter *filter = NULL;
	unsigned long a[4];
	va_list list;
	int mode, result;

	va_start(list, option);
	for (unsigned i = 0; i < 4; i++)
		a[i] = va_arg(list, unsigned long);
	va_end(list);
	mode = mode_of_prctl((unsigned long)option, a[0]);
	if (mode != SECCOMP_MODE_DISABLED)
		filter = confine(mode, (const void *)a[1]);
	result = real(option, a[0], a[1], a[2], a[3]);
	if (result < 0 && mode != SECCOMP_MODE_DISABLED)
		confine_not(mode, filter);
	return result;
}

/* The two system calls that enter one. */
static long confining_syscall(long number, long a, long b, long c, long d, long e, long f)
{
	long (*real)(long, ...) = (long (*)(long, ...))next_function(&next_syscall);
	struct filter *filter = NULL;
	int mode = number == SYS_seccomp ? mode_of_seccomp((unsigned long)a)
					 : mode_of_prctl((unsigned long)a, (unsigned long)b);
	long result;

	if (mode != SECCOMP_MODE_DISABLED)
		filter = confine(mode, (const void *)c);
	result = real(number, a, b, c, d, e, f);
	if (result < 0 && mode != SECCOMP_MODE_DISABLED)
		confine_not(mode, filter);
	return result;
}

JUMP_FINDS void *find_syscall(long number)
{
	return number == SYS_seccomp || number == SYS_prctl ? (void *)confining_syscall
							    : next_function(&next_syscall);
}
EXPORT_JUMP(syscall, find_syscall);

/* --- memory -------------------------------------------------------------------- */

static void address_space_is(const struct rlimit *limit)
{
	if (limit->rlim_cur != RLIM_INFINITY)
		chunks_narrow(limits_share(limit->rlim_cur));
}

EXPORT int setrlimit(__rlimit_resource_t resource, const struct rlimit *limit)
{
	int (*real)(__rlimit_resource_t, const struct rlimit *) = next_function(&next_setrlimit);
	int result = real(resource, limit);

	if (result == 0 && resource == RLIMIT_AS)
		address_space_is(limit);
	return result;
}

EXPORT int prlimit(pid_t pid, enum __rlimit_resource resource, const struct rlimit *limit,
		   struct rlimit *before)
{
	int (*real)(pid_t, enum __rlimit_resource, const struct rlimit *, struct rlimit *) =
	    next_function(&next_prlimit);
	int result = real(pid, resource, limit, before);

	if (result == 0 && resource == RLIMIT_AS && limit != NULL &&
	    (pid == 0 || pid == raw_getpid()))
		address_space_is(limit);
	return result;
}

/* On this system the same, under names of their own. */
EXPORT int setrlimit64(__rlimit_resource_t resource, const struct rlimit64 *limit)
    __attribute__((alias("setrlimit")));
EXPORT int prlimit64(pid_t pid, enum __rlimit_resource resource, const struct rlimit64 *limit,
		     struct rlimit64 *before) __attribute__((alias("prlimit")));

EXPORT int mlockall(int flags)
{
	int (*real)(int) = next_function(&next_mlockall);

	chunks_narrow(LOCKED_MOST);
	return real(flags);
}
