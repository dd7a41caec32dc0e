/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libcollect/preload/rawio.h"

#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <time.h>

#include "libcollect/preload/filters.h"

#include "libcollect/preload/banned.h"

#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* since Linux 5.14 */
#endif

_Atomic int raw_asks;

long raw_syscall_asked(long number, long a, long b, long c, long d, long e, long f)
{
	const uint64_t arguments[] = {(uint64_t)a, (uint64_t)b, (uint64_t)c,
				      (uint64_t)d, (uint64_t)e, (uint64_t)f};

	return filters_allow(number, arguments) ? raw_syscall_now(number, a, b, c, d, e, f)
						: -EPERM;
}

void *raw_map(size_t bytes)
{
	long result = raw_syscall(SYS_mmap, 0, (long)bytes, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return raw_failed(result) ? NULL : (void *)result;
}

void *raw_map_wiped(size_t bytes)
{
	void *map = raw_map(bytes);
	long result =
	    map != NULL ? raw_syscall(SYS_madvise, (long)map, (long)bytes, MADV_WIPEONFORK, 0, 0, 0)
			: 0;

	/* All such memory hangs from struct state, which is older than any filter, and is wiped. */
	if (result == 0 || (raw_asks && result == -EPERM))
		return map;
	raw_unmap(map, bytes);
	return NULL;
}

void raw_unmap(void *address, size_t bytes)
{
	raw_syscall(SYS_munmap, (long)address, (long)bytes, 0, 0, 0, 0);
}

void raw_populate(void *address, size_t bytes)
{
	raw_syscall(SYS_madvise, (long)address, (long)bytes, MADV_POPULATE_WRITE, 0, 0, 0);
}

int raw_libc_tid(void)
{
	enum { CONTROL_BLOCK_TID = 0x2d0 };
	int number;

	__asm__("movl %%fs:%c1, %0" : "=r"(number) : "i"(CONTROL_BLOCK_TID));
	return number;
}

int raw_getpid(void)
{
	long result = raw_syscall(SYS_getpid, 0, 0, 0, 0, 0, 0);

	return raw_failed(result) ? raw_libc_tid() : (int)result;
}

int raw_gettid(void)
{
	long result = raw_syscall(SYS_gettid, 0, 0, 0, 0, 0, 0);

	return raw_failed(result) ? raw_libc_tid() : (int)result;
}

/* Without a clock: that may be forbidden, too. */
static void spin(const _Atomic uint32_t *word, uint32_t value, unsigned milliseconds)
{
	enum { PAUSES = 20000 }; /* a millisecond or some, by processor */

	for (uint64_t i = 0; i < (uint64_t)milliseconds * PAUSES; i++) {
		if (__atomic_load_n((const uint32_t *)word, __ATOMIC_ACQUIRE) != value)
			return;
		__builtin_ia32_pause();
	}
}

void raw_futex_wait(_Atomic uint32_t *word, uint32_t value, unsigned milliseconds)
{
	struct timespec timeout = {milliseconds / 1000, (long)(milliseconds % 1000) * 1000000};

	if (raw_syscall(SYS_futex, (long)word, FUTEX_WAIT, value, (long)&timeout, 0, 0) == -EPERM)
		spin(word, value, milliseconds);
}

void raw_futex_wake(_Atomic uint32_t *word)
{
	raw_syscall(SYS_futex, (long)word, FUTEX_WAKE, 0x7fffffff, 0, 0, 0);
}

int raw_readable(uintptr_t address)
{
	/* The kernel reads the set before it looks at `how`: EFAULT or EINVAL. */
	enum { NO_SUCH_HOW = 0x4d4c47, EFAULT_NUMBER = 14, EINVAL_NUMBER = 22 };
	long result = raw_syscall(SYS_rt_sigprocmask, NO_SUCH_HOW, (long)(address & ~(uintptr_t)7),
				  0, 8, 0, 0);

	return result == -EINVAL_NUMBER;
}

/* Without waiting, and to somebody: a full pipe is perhaps the program's own to empty. */
static int is_read(int fd)
{
	struct pollfd polled = {.fd = fd, .events = POLLOUT};
	struct timespec none = {0};
	long result = raw_syscall(SYS_ppoll, (long)&polled, 1, (long)&none, 0, 0, 0);

	return raw_failed(result) || polled.revents == POLLOUT;
}

/* A program that writes nothing there must not die of what we write: of a pipe or socket that has
 * just lost its reader, or a limit of file sizes; nor stop as a background job. */
static void write_unharmed(int fd, const struct iovec *vector, int count)
{
	const uint64_t harm = RAW_SIGNAL(SIGPIPE) | RAW_SIGNAL(SIGXFSZ) | RAW_SIGNAL(SIGTTOU);
	const uint64_t brought = RAW_SIGNAL(SIGPIPE) | RAW_SIGNAL(SIGXFSZ);
	uint64_t before, pending = 0, taken;
	struct timespec none = {0};
	long masked;

	if (!is_read(fd))
		return;
	masked = raw_syscall(SYS_rt_sigprocmask, SIG_BLOCK, (long)&harm, (long)&before,
			     sizeof(harm), 0, 0);
	raw_syscall(SYS_rt_sigpending, (long)&pending, sizeof(pending), 0, 0, 0, 0);
	taken = brought & ~pending;
	if (raw_failed(raw_syscall(SYS_writev, fd, (long)vector, count, 0, 0, 0)))
		raw_syscall(SYS_rt_sigtimedwait, (long)&taken, 0, (long)&none, sizeof(taken), 0, 0);
	if (masked == 0)
		raw_syscall(SYS_rt_sigprocmask, SIG_SETMASK, (long)&before, 0, sizeof(before), 0,
			    0);
}

void raw_message(const char *piece, ...)
{
	struct iovec vector[12] = {{(char *)"mallograph: ", 12}};
	int count = 1;
	va_list pieces;

	va_start(pieces, piece);
	for (; piece != NULL && count < 11; piece = va_arg(pieces, const char *)) {
		vector[count].iov_base = (char *)piece;
		vector[count++].iov_len = raw_length(piece);
	}
	va_end(pieces);
	vector[count].iov_base = (char *)"\n";
	vector[count++].iov_len = 1;
	write_unharmed(2, vector, count);
}

size_t raw_length(const char *text)
{
	size_t length = 0;

	while (text[length] != '\0')
		length++;
	return length;
}

int raw_equal(const char *a, const char *b)
{
	while (*a != '\0' && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

int raw_begins(const char *text, const char *prefix)
{
	while (*prefix != '\0' && *text == *prefix) {
		text++;
		prefix++;
	}
	return *prefix == '\0';
}

void raw_copy(void *to, const void *from, size_t bytes)
{
	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(bytes) : : "memory");
}

void raw_clear(void *start, size_t bytes)
{
	__asm__ volatile("rep stosb" : "+D"(start), "+c"(bytes) : "a"(0) : "memory");
}
