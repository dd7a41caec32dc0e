/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libcollect/preload/real.h"

#include <dlfcn.h>
#include <stdatomic.h>

#include "libcollect/preload/modules.h"
#include "libcollect/preload/rawio.h"
#include "libcollect/preload/state.h"

struct real real;

_Alignas(16) char real_arena[REAL_ARENA_BYTES];
static _Atomic size_t arena_used;
static __thread int finding __attribute__((tls_model("initial-exec")));

void *real_early(size_t bytes)
{
	size_t need = (bytes + 16 + 15) & ~(size_t)15, at;

	if (bytes > sizeof(real_arena))
		return NULL;
	at = atomic_fetch_add(&arena_used, need);
	if (at + need > sizeof(real_arena))
		return NULL;
	*(size_t *)(real_arena + at) = bytes;
	return real_arena + at + 16;
}

size_t real_early_size(const void *p)
{
	return ((const size_t *)p)[-2];
}

static void *next(const char *name)
{
	return dlsym(RTLD_NEXT, name);
}

int real_find(void)
{
	if (finding)
		return 0;
	finding = 1;
	self.ours++;
	modules_init();
	/* malloc last: whoever sees it set sees the others too. */
	*(void **)&real.calloc = next("calloc");
	*(void **)&real.realloc = next("realloc");
	*(void **)&real.free = next("free");
	*(void **)&real.posix_memalign = next("posix_memalign");
	*(void **)&real.aligned_alloc = next("aligned_alloc");
	*(void **)&real.memalign = next("memalign");
	*(void **)&real.valloc = next("valloc");
	*(void **)&real.pvalloc = next("pvalloc");
	*(void **)&real.free_sized = next("free_sized");
	*(void **)&real.free_aligned_sized = next("free_aligned_sized");
	__atomic_store_n((void **)&real.malloc, next("malloc"), __ATOMIC_RELEASE);
	self.ours--;
	finding = 0;
	return real.malloc != NULL;
}
