/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A library for LD_PRELOAD=... mallograph record: makes calls of the recorder fail or hang, of
 * the recorder alone (it tells itself by its name; programs and the symbolizer don't
 * inherit this).
 *
 *   FAULT=memory:N      the N-th allocation from its start on fails (malloc and relatives, mmap,
 *                       mremap)
 *   FAULT=memory:N+     that one and all behind it
 *   FAULT=memory:N/S    that one and all behind it of S bytes and more
 *   FAULT=count:FILE    none; how many there were goes to FILE at the end, in decimal
 *   FAULT=write:N:MS    the N-th write to a file hangs for so long
 *   FAULT=write:N+:MS   that one and all behind it
 *   FAULT=quota:BYTES   no file gets larger (EDQUOT), which statvfs() does not know
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);

static enum { NOTHING, MEMORY, COUNT, WRITE, QUOTA } kind;
static unsigned long at, least, milliseconds, quota;
static int all;
static char count_path[512];
static atomic_ulong allocations, writes;
static int armed;

__attribute__((constructor)) static void read_fault(void)
{
	const char *text = getenv("FAULT");
	char *end = "";

	unsetenv("LD_PRELOAD");
	unsetenv("FAULT");
	if (text == NULL)
		return;
	if (strncmp(text, "memory:", 7) == 0) {
		kind = MEMORY;
		at = strtoul(text + 7, &end, 10);
		all = *end != '\0';
		if (*end == '/')
			least = strtoul(end + 1, &end, 10);
	} else if (strncmp(text, "count:", 6) == 0) {
		kind = COUNT;
		snprintf(count_path, sizeof(count_path), "%s", text + 6);
	} else if (strncmp(text, "quota:", 6) == 0) {
		kind = QUOTA;
		quota = strtoul(text + 6, NULL, 10);
	} else if (strncmp(text, "write:", 6) == 0) {
		kind = WRITE;
		at = strtoul(text + 6, &end, 10);
		all = *end == '+';
		end += all;
		if (*end == ':')
			milliseconds = strtoul(end + 1, NULL, 10);
	}
}

/* The recorder gives itself a name once it has come so far. */
int prctl(int option, ...)
{
	unsigned long argument[4];
	va_list arguments;

	va_start(arguments, option);
	for (int i = 0; i < 4; i++)
		argument[i] = va_arg(arguments, unsigned long);
	va_end(arguments);
	if (option == PR_SET_NAME && strcmp((const char *)argument[0], "mallograph-rec") == 0)
		armed = 1;
	return (int)syscall(SYS_prctl, option, argument[0], argument[1], argument[2], argument[3]);
}

static int fails(size_t bytes)
{
	unsigned long number;

	if (!armed)
		return 0;
	number = atomic_fetch_add(&allocations, 1) + 1;
	if (kind != MEMORY || bytes < least || (all ? number < at : number != at))
		return 0;
	errno = ENOMEM;
	return 1;
}

void *malloc(size_t size)
{
	return fails(size) ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	return fails(count * size) ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
	return fails(size) ? NULL : __libc_realloc(old, size);
}

void *mmap(void *address, size_t bytes, int protection, int flags, int fd, off_t offset)
{
	if (fails(bytes))
		return MAP_FAILED;
	return (void *)syscall(SYS_mmap, address, bytes, protection, flags, fd, offset);
}

void *mremap(void *old, size_t old_bytes, size_t bytes, int flags, ...)
{
	if (fails(bytes))
		return MAP_FAILED;
	return (void *)syscall(SYS_mremap, old, old_bytes, bytes, flags, NULL);
}

static int is_over_quota(off_t end)
{
	if (!armed || kind != QUOTA || end < 0 || (unsigned long)end <= quota)
		return 0;
	errno = EDQUOT;
	return 1;
}

int fallocate(int fd, int mode, off_t offset, off_t bytes)
{
	return is_over_quota(offset + bytes) ? -1
					     : (int)syscall(SYS_fallocate, fd, mode, offset, bytes);
}

ssize_t write(int fd, const void *bytes, size_t count)
{
	unsigned long number = armed ? atomic_fetch_add(&writes, 1) + 1 : 0;

	if (kind == WRITE && number != 0 && (all ? number >= at : number == at)) {
		const struct timespec time = {(time_t)(milliseconds / 1000),
					      (long)(milliseconds % 1000) * 1000000};

		nanosleep(&time, NULL);
	}
	if (lseek(fd, 0, SEEK_CUR) >= 0 && is_over_quota(lseek(fd, 0, SEEK_CUR) + (off_t)count))
		return -1;
	return syscall(SYS_write, fd, bytes, count);
}

/* The recorder ends by it. */
void _exit(int status)
{
	if (armed && kind == COUNT) {
		char text[32];
		int length = snprintf(text, sizeof(text), "%lu\n", atomic_load(&allocations));
		int fd = open(count_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

		syscall(SYS_write, fd, text, (size_t)length);
	}
	syscall(SYS_exit_group, status);
	__builtin_unreachable();
}
