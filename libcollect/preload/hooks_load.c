/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * dlopen and dlmopen, as the program calls them: watched for libraries that find an allocator
 * before ours. With RTLD_DEEPBIND a library's own dependencies come first, libc among them; in a
 * new namespace it gets a libc of its own. We change neither, since either is there to
 * keep names apart, and count them: what such a library allocates itself is not recorded.
 *
 * The real function must be entered by a jump, not called: it looks for the library as its caller's
 * RUNPATH and $ORIGIN say, and finds the caller by the return address.
 */
#include <dlfcn.h>

#include "libcollect/preload/prepare.h"
#include "libcollect/preload/state.h"

#include "libcollect/preload/banned.h"

#define EXPORT __attribute__((visibility("default")))
#define JUMPS  __attribute__((optimize("optimize-sibling-calls")))

static void *(*_Atomic real_dlopen)(const char *, int);
static void *(*_Atomic real_dlmopen)(Lmid_t, const char *, int);

void hooks_load_prepare(void)
{
	if (atomic_load(&real_dlopen) == NULL)
		atomic_store(&real_dlopen,
			     (void *(*)(const char *, int))dlsym(RTLD_NEXT, "dlopen"));
	if (atomic_load(&real_dlmopen) == NULL)
		atomic_store(&real_dlmopen,
			     (void *(*)(Lmid_t, const char *, int))dlsym(RTLD_NEXT, "dlmopen"));
}

EXPORT JUMPS void *dlopen(const char *path, int flags)
{
	if (unlikely(atomic_load(&real_dlopen) == NULL))
		hooks_load_prepare();
	if (path != NULL && (flags & RTLD_DEEPBIND))
		count(COUNT_LOADED_PAST);
	return atomic_load(&real_dlopen)(path, flags);
}

EXPORT JUMPS void *dlmopen(Lmid_t space, const char *path, int flags)
{
	if (unlikely(atomic_load(&real_dlmopen) == NULL))
		hooks_load_prepare();
	if (space != LM_ID_BASE)
		count(COUNT_LOADED_PAST);
	return atomic_load(&real_dlmopen)(space, path, flags);
}
