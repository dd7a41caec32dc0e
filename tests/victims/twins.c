/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* twins FIRST OTHER: two plugins by turns at the same address. Each allocates, and calls a
 * function of ours that does. Says how often the other was loaded where the one had been. */
#include <dlfcn.h>
#include <stdio.h>

#include "expect.h"

#define ROUNDS      30
#define BLOCKS      10
#define FIRST_BYTES 1001
#define OTHER_BYTES 2002

typedef void *asker(size_t size);

static void *ask(size_t size)
{
	return malloc(size);
}

static void *down(unsigned depth, void *(*call)(asker *, size_t), asker *own, size_t size)
{
	if (depth > 0)
		return down(depth - 1, call, own, size);
	free(call(ask, size));
	free(call(malloc, size));
	return call(own, size);
}

/* Returns where it was. */
static uintptr_t use(const char *path, const char *name, size_t size)
{
	void *plugin = dlopen(path, RTLD_NOW);
	void *(*call)(asker *, size_t);
	asker *own;

	MUST(plugin);
	*(void **)&call = dlsym(plugin, "twin_call");
	*(void **)&own = dlsym(plugin, name);
	MUST(call && own);
	for (unsigned i = 0; i < BLOCKS; i++)
		MUST(down(i, call, own, size)); /* leaked */
	MUST(!dlclose(plugin));
	return (uintptr_t)call;
}

int main(int argc, char **argv)
{
	unsigned same = 0;

	MUST(argc == 3);
	for (unsigned i = 0; i < ROUNDS; i++)
		same += use(argv[1], "first_twin", FIRST_BYTES) ==
			use(argv[2], "other_twin", OTHER_BYTES);
	printf("same address: %u of %u\n", same, ROUNDS);
	return 0;
}
