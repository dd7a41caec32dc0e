/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Our constructor: what needs the loader. The session itself may have been
 * opened long before, by the first allocation.
 */
#include <dlfcn.h>
#include <link.h>

#include "libcollect/preload/capture.h"
#include "libcollect/preload/environment.h"
#include "libcollect/preload/glibc.h"
#include "libcollect/preload/modules.h"
#include "libcollect/preload/prepare.h"
#include "libcollect/preload/rawio.h"
#include "libcollect/preload/real.h"
#include "libcollect/preload/session.h"
#include "libcollect/preload/state.h"

/* Whether malloc comes to us: an allocator in the program itself, or preloaded before us, may
 * keep it, or hand it on. Returns the file that keeps it, or NULL. */
static const struct link_map *keeps_malloc(void)
{
	void *(*first_malloc)(size_t) = (void *(*)(size_t))dlsym(RTLD_DEFAULT, "malloc");
	void (*first_free)(void *) = (void (*)(void *))dlsym(RTLD_DEFAULT, "free");
	struct dl_find_object first, ours;
	uint64_t before = self.allocations;

	if (first_malloc == NULL || first_free == NULL ||
	    _dl_find_object((void *)first_malloc, &first) != 0 ||
	    _dl_find_object((void *)keeps_malloc, &ours) != 0 ||
	    first.dlfo_link_map == ours.dlfo_link_map)
		return NULL;
	self.ours++;
	first_free(first_malloc(1));
	self.ours--;
	return self.allocations == before ? first.dlfo_link_map : NULL;
}

static void complain(const struct link_map *keeper)
{
	if (*keeper->l_name == '\0')
		raw_message("this program defines malloc itself, so that its allocations cannot be "
			    "seen: it runs unprofiled",
			    NULL);
	else
		raw_message(keeper->l_name,
			    " keeps malloc to itself, so that allocations cannot be seen: name it "
			    "behind libmallograph.so in LD_PRELOAD; this process runs unprofiled",
			    NULL);
}

static void prepare_recording(void)
{
	const struct link_map *keeper;

	if (!libc_is_glibc()) {
		(void)gate((uintptr_t)__builtin_frame_address(0));
		return;
	}
	keeper = keeps_malloc();
	if (keeper != NULL) {
		complain(keeper);
		session_off();
		return;
	}
	/* A program that never allocates has a trace, too. */
	(void)gate((uintptr_t)__builtin_frame_address(0));
	environment_prepare();
	if (shared_region == NULL)
		return;
	self.ours++;
	capture_prepare();
	hooks_cxx_prepare();
	self.ours--;
}

__attribute__((constructor)) static void prepare(void)
{
	real_find();
	prepare_recording();
	/* The program has these hooks, recorded or not. */
	self.ours++;
	hooks_exec_prepare();
	hooks_fork_prepare();
	hooks_confine_prepare();
	hooks_load_prepare();
	dlerror(); /* what we did not find is no business of the program's */
	self.ours--;
}
