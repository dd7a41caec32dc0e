/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Our constructor: what needs the loader. The session itself may have been
 * opened long before, by the first allocation.
 */
#include <dlfcn.h>

#include "libcollect/preload/capture.h"
#include "libcollect/preload/environment.h"
#include "libcollect/preload/modules.h"
#include "libcollect/preload/prepare.h"
#include "libcollect/preload/real.h"
#include "libcollect/preload/state.h"

__attribute__((constructor)) static void prepare(void)
{
	real_find();
	/* A program that never allocates has a trace, too. */
	(void)gate((uintptr_t)__builtin_frame_address(0));
	environment_prepare();
	if (shared_region == NULL)
		return;
	self.ours++;
	capture_prepare();
	hooks_cxx_prepare();
	hooks_exec_prepare();
	hooks_fork_prepare();
	dlerror(); /* what we did not find is no business of the program's */
	self.ours--;
}
