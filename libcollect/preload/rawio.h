/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_RAWIO_H
#define MALLOGRAPH_RAWIO_H

/*
 * The system calls that we make inside the program, and the little of libc's
 * string handling that we need: no errno, no locks, no malloc, no
 * cancellation point. Safe everywhere, signal handlers included.
 */

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

/* Not 0 from the program's first seccomp filter on: ask before each system call. */
extern _Atomic int raw_asks;
/* The same when the filters let it pass, else -EPERM. */
long raw_syscall_asked(long number, long a, long b, long c, long d, long e, long f);

static inline long raw_syscall_now(long number, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}

/* Returns what the kernel does: -errno on failure. */
static inline long raw_syscall(long number, long a, long b, long c, long d, long e, long f)
{
	return __builtin_expect(atomic_load_explicit(&raw_asks, memory_order_relaxed), 0)
		   ? raw_syscall_asked(number, a, b, c, d, e, f)
		   : raw_syscall_now(number, a, b, c, d, e, f);
}

static inline int raw_failed(long result)
{
	return (unsigned long)result > (unsigned long)-4096;
}

/* Private zeroed memory, NULL when there is none. */
void *raw_map(size_t bytes);
/* Likewise, and a forked child reads zeroes there; under a filter that forbids it, it may not. */
void *raw_map_wiped(size_t bytes);
void raw_unmap(void *address, size_t bytes);
/* Every page of it will be written: has them made at once, where the kernel can. */
void raw_populate(void *address, size_t bytes);

/* Where they must not be asked: what libc knows of this thread, which is right for the
 * first thread of a process. */
int raw_getpid(void);
int raw_gettid(void);
/* Where glibc keeps a thread's number in its control block. */
int raw_libc_tid(void);

/* Sleeps while *word is value, at most milliseconds; spins, where sleeping is forbidden. */
void raw_futex_wait(_Atomic uint32_t *word, uint32_t value, unsigned milliseconds);
void raw_futex_wake(_Atomic uint32_t *word);

/* A set of all signals but those that an instruction brings about: these can't be put off. */
#define RAW_SIGNAL(number) (UINT64_C(1) << ((number)-1))
#define RAW_ASYNCHRONOUS                                                                           \
	(~(RAW_SIGNAL(SIGTRAP) | RAW_SIGNAL(SIGSEGV) | RAW_SIGNAL(SIGBUS) | RAW_SIGNAL(SIGFPE) |   \
	   RAW_SIGNAL(SIGILL) | RAW_SIGNAL(SIGSYS)))

/* 1 when the page that holds address can be read. */
int raw_readable(uintptr_t address);

/* One line on stderr, "mallograph: " before it: pieces up to a NULL. Nobody waits or dies for it:
 * where it can't be written at once it is left out. */
void raw_message(const char *piece, ...) __attribute__((sentinel));

size_t raw_length(const char *text);
int raw_equal(const char *a, const char *b);
/* 1 when text begins with prefix */
int raw_begins(const char *text, const char *prefix);
void raw_copy(void *to, const void *from, size_t bytes);
void raw_clear(void *start, size_t bytes);

#endif
