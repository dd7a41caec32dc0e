/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VICTIM_EXPECT_H
#define VICTIM_EXPECT_H

/*
 * How a victim says what its trace must hold: the figures of the whole program,
 * as arithmetic on the constants of its own source. Nothing here allocates.
 */

#include <link.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A figure that does not follow from the source: not checked. */
#define UNKNOWN UINT64_MAX

/* In the order of initialisers: C++ insists on it. */
struct figures {
	uint64_t allocations;
	uint64_t deallocations;
	uint64_t bytes;
	uint64_t temporary;
	uint64_t reallocations;
	uint64_t leaked_blocks;
	uint64_t leaked_bytes;
	uint64_t peak_bytes;
	uint64_t peak_blocks;
};

static inline void say(const char *text)
{
	size_t length = strlen(text);

	while (length) {
		ssize_t written = write(STDOUT_FILENO, text, length);

		if (written <= 0)
			_exit(99);
		text += written;
		length -= (size_t)written;
	}
}

static inline void expect(const char *name, uint64_t value)
{
	char line[128] = "expect ";
	char digits[24];
	size_t end = strlen(line), count = 0;

	if (value == UNKNOWN)
		return;
	while (*name)
		line[end++] = *name++;
	line[end++] = '=';
	do {
		digits[count++] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	while (count)
		line[end++] = digits[--count];
	line[end++] = '\n';
	line[end] = '\0';
	say(line);
}

/* Whatever is not named is expected to be 0. */
static inline void announce(const struct figures *figures)
{
	expect("allocations", figures->allocations);
	expect("deallocations", figures->deallocations);
	expect("bytes", figures->bytes);
	expect("temporary", figures->temporary);
	expect("reallocations", figures->reallocations);
	expect("leaked_blocks", figures->leaked_blocks);
	expect("leaked_bytes", figures->leaked_bytes);
	expect("peak_bytes", figures->peak_bytes);
	expect("peak_blocks", figures->peak_blocks);
	expect("unknown_frees", 0);
	expect("lost", 0);
}

/* Of blocks of so many bytes, each freed before the next is made. */
static inline const struct figures *one_by_one(uint64_t blocks, uint64_t bytes)
{
	static struct figures figures;

	figures.allocations = blocks;
	figures.deallocations = blocks;
	figures.bytes = blocks * bytes;
	figures.temporary = blocks;
	figures.peak_bytes = bytes;
	figures.peak_blocks = 1;
	return &figures;
}

/* A victim's own assertion: ends the program when it does not hold. */
static inline void must(int condition, const char *what)
{
	if (condition)
		return;
	say("victim: not so: ");
	say(what);
	say("\n");
	_exit(98);
}

#define MUST(condition) must(!!(condition), #condition)

static inline int find_last_tls_module(struct dl_phdr_info *info, size_t size, void *last)
{
	(void)size;
	if (info->dlpi_tls_modid > *(size_t *)last)
		*(size_t *)last = info->dlpi_tls_modid;
	return 0;
}

/* The one block of glibc for a thread with a new stack: calloc of 14 spare and 2
 * leading entries of 16 bytes and one for each module with thread-local data. It
 * stays allocated with the cached stack when the thread ends. */
static inline uint64_t thread_block_bytes(void)
{
	size_t last = 0;

	dl_iterate_phdr(find_last_tls_module, &last);
	return (last + 14 + 2) * 16;
}

#endif
