/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Wraps whatever malloc comes next: 32 bytes more each, and addresses of its own. A block
 * that is not its own ends the program. */
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MARK 0x776d616c6c6f6331ull

struct header {
	uint64_t mark, bytes, unused[2];
};

static void *(*next_malloc)(size_t);
static void (*next_free)(void *);
/* for dlsym, which may allocate */
static _Alignas(32) char early[65536];
static size_t early_used;

static struct header *take(size_t bytes)
{
	static int finding;

	if (next_malloc == NULL && !finding) {
		finding = 1;
		next_free = (void (*)(void *))dlsym(RTLD_NEXT, "free");
		next_malloc = (void *(*)(size_t))dlsym(RTLD_NEXT, "malloc");
		finding = 0;
	}
	if (next_malloc != NULL)
		return next_malloc(bytes);
	early_used += (bytes + 31) / 32 * 32;
	return (struct header *)(early + early_used - (bytes + 31) / 32 * 32);
}

static void *make(size_t bytes)
{
	struct header *header =
	    bytes < SIZE_MAX - sizeof(*header) ? take(bytes + sizeof(*header)) : NULL;

	if (header == NULL)
		return NULL;
	header->mark = MARK;
	header->bytes = bytes;
	return header + 1;
}

void *malloc(size_t bytes)
{
	return make(bytes);
}

void free(void *p)
{
	struct header *header = (struct header *)p - 1;

	if (p == NULL)
		return;
	if (header->mark != MARK)
		abort();
	header->mark = 0;
	if ((char *)header < early || (char *)header >= early + sizeof(early))
		next_free(header);
}

void *calloc(size_t count, size_t size)
{
	/* the first malloc in the search order, perhaps not the one above */
	void *p = size == 0 || count <= SIZE_MAX / size ? malloc(count * size) : NULL;

	return p != NULL ? memset(p, 0, count * size) : NULL;
}

void *realloc(void *old, size_t bytes)
{
	void *p = bytes != 0 || old == NULL ? make(bytes) : NULL;

	if (old != NULL && p != NULL) {
		size_t had = ((struct header *)old)[-1].bytes;

		memcpy(p, old, had < bytes ? had : bytes);
	}
	if (p != NULL || bytes == 0)
		free(old); /* the first one, too */
	return p;
}
