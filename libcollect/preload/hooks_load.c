/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * dlopen and dlmopen, as the program calls them: watched for libraries that find an allocator
 * before ours. With RTLD_DEEPBIND a library's own dependencies come first, libc among them; in a
 * new namespace it gets a libc of its own. We change neither, since either is there to
 * keep names apart, and count them: what such a library allocates itself is not recorded.
 */
#include <dlfcn.h>

#include "libcollect/preload/next.h"
#include "libcollect/preload/prepare.h"
#include "libcollect/preload/state.h"

#include "libcollect/preload/banned.h"

static struct next next_dlopen = {.name = "dlopen"}, next_dlmopen = {.name = "dlmopen"};

void hooks_load_prepare(void)
{
	next_function(&next_dlopen);
	next_function(&next_dlmopen);
}

JUMP_FINDS void *find_dlopen(const char *path, int flags)
{
	if (path != NULL && (flags & RTLD_DEEPBIND))
		count(COUNT_LOADED_PAST);
	return next_function(&next_dlopen);
}
EXPORT_JUMP(dlopen, find_dlopen);

JUMP_FINDS void *find_dlmopen(Lmid_t space)
{
	if (space != LM_ID_BASE)
		count(COUNT_LOADED_PAST);
	return next_function(&next_dlmopen);
}
EXPORT_JUMP(dlmopen, find_dlmopen);
