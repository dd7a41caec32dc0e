/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_REAL_H
#define MALLOGRAPH_REAL_H

/*
 * The allocator behind us: whatever malloc, free and friends the program would
 * have got without us (glibc's, or jemalloc's, tcmalloc's, mimalloc's).
 */

#include <stddef.h>
#include <stdint.h>

struct real {
	void *(*malloc)(size_t);
	void *(*calloc)(size_t, size_t);
	void *(*realloc)(void *, size_t);
	void (*free)(void *);
	int (*posix_memalign)(void **, size_t, size_t);
	void *(*aligned_alloc)(size_t, size_t);
	void *(*memalign)(size_t, size_t);
	void *(*valloc)(size_t);
	void *(*pvalloc)(size_t);
	void (*free_sized)(void *, size_t);                 /* NULL before C23 */
	void (*free_aligned_sized)(void *, size_t, size_t); /* NULL before C23 */
};
extern struct real real;

/* Finds them, unless that is under way in this thread: dlsym may allocate.
 * Returns 1 when they are known. */
int real_find(void);

/* Serves what dlsym allocates meanwhile from a small static arena; NULL when
 * it is exhausted. Zeroed. */
void *real_early(size_t bytes);
/* 1 when p is of the arena, whose blocks are never given back. */
enum { REAL_ARENA_BYTES = 16384 };
extern char real_arena[REAL_ARENA_BYTES];
static inline int real_is_early(const void *p)
{
	return (uintptr_t)p - (uintptr_t)real_arena < sizeof(real_arena);
}
size_t real_early_size(const void *p);

#endif
