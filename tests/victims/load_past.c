/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * load_past HOW PLUGIN: loads plugin_allocates.so in ways that keep its own calls of malloc away
 * from whoever was preloaded ("deep": RTLD_DEEPBIND; "namespace": a libc of its own), or not
 * ("plain": found by this program's own RUNPATH). The plugin allocates what we free, or in a
 * namespace nobody; we allocate as well.
 */
#include <dlfcn.h>

#include "expect.h"

#define PLUGIN_BLOCKS 100
#define PLUGIN_BYTES  1111
#define OWN_BLOCKS    50
#define OWN_BYTES     77

int main(int argc, char **argv)
{
	void *(*plugin_allocate)(size_t);
	void *plugin = NULL;

	MUST(argc == 3);
	if (!strcmp(argv[1], "deep"))
		plugin = dlopen(argv[2], RTLD_NOW | RTLD_DEEPBIND);
	else if (!strcmp(argv[1], "namespace"))
		plugin = dlmopen(LM_ID_NEWLM, argv[2], RTLD_NOW);
	else if (!strcmp(argv[1], "plain"))
		plugin = dlopen(argv[2], RTLD_NOW);
	MUST(plugin);
	*(void **)&plugin_allocate = dlsym(plugin, "plugin_allocate");
	for (unsigned i = 0; i < PLUGIN_BLOCKS; i++) {
		void *block = plugin_allocate(PLUGIN_BYTES);

		MUST(block);
		if (strcmp(argv[1], "namespace"))
			free(block);
	}
	for (unsigned i = 0; i < OWN_BLOCKS; i++)
		free(malloc(OWN_BYTES));
	MUST(!dlclose(plugin));
	say("fine\n");
	return 0;
}
