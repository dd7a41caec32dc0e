/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* stages GO [PLUGIN]: allocates here; when the file GO exists, there, and in a plugin. So long
 * its stacks do not change, and it is not idle. */
#include <dlfcn.h>
#include <time.h>

#include "expect.h"

#define APART  __attribute__((noinline, noclone))
#define BLOCKS 50
#define SIZE   64

static void *volatile kept;

APART static void allocate_early(void)
{
	kept = malloc(SIZE);
	MUST(kept);
}

APART static void allocate_late(void)
{
	kept = malloc(SIZE);
	MUST(kept);
}

APART static void wait_for(const char *path)
{
	while (access(path, F_OK) != 0) {
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
		free(malloc(SIZE));
	}
}

int main(int argc, char **argv)
{
	MUST(argc > 1);
	for (unsigned i = 0; i < BLOCKS; i++)
		allocate_early();
	wait_for(argv[1]);
	for (unsigned i = 0; i < BLOCKS; i++)
		allocate_late();
	if (argc > 2) {
		void *plugin = dlopen(argv[2], RTLD_NOW);
		void *(*allocate)(size_t) = NULL;

		MUST(plugin);
		*(void **)&allocate = dlsym(plugin, "plugin_allocate");
		for (unsigned i = 0; i < BLOCKS; i++)
			MUST(allocate(SIZE));
	}
	return 0;
}
