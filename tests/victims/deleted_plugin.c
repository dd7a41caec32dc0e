/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* deleted_plugin PLUGIN: loads plugin_allocates.so, removes the file, and only then calls it; waits
 * for a line of input, in which whoever looks from outside can look. */
#include <dlfcn.h>

#include "expect.h"

#define BLOCKS      100
#define BLOCK_BYTES 1111

int main(int argc, char **argv)
{
	void *(*plugin_allocate)(size_t);
	void *plugin;
	char answer;

	MUST(argc == 2 && (plugin = dlopen(argv[1], RTLD_NOW)));
	MUST(!unlink(argv[1]));
	*(void **)&plugin_allocate = dlsym(plugin, "plugin_allocate");
	for (unsigned i = 0; i < BLOCKS; i++)
		MUST(plugin_allocate(BLOCK_BYTES)); /* leaked */
	say("ready\n");
	MUST(read(STDIN_FILENO, &answer, 1) == 1);
	say("fine\n");
	return 0;
}
