/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cancel PLUGIN: a C program (no libgcc_s, no libstdc++ of its own) that loads a C++
 * plugin and cancels a thread inside: the plugin's destructors must run. */
#include <dlfcn.h>
#include <pthread.h>

#include "expect.h"

int main(int argc, char **argv)
{
	void *plugin = argc > 1 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
	void *(*wait_for_cancel)(void *);
	int (*count_destroyed)(void);
	static volatile int ready;
	pthread_t thread;
	void *result;

	MUST(plugin);
	*(void **)&wait_for_cancel = dlsym(plugin, "wait_for_cancel");
	*(void **)&count_destroyed = dlsym(plugin, "count_destroyed");
	MUST(wait_for_cancel && count_destroyed);
	MUST(!pthread_create(&thread, NULL, wait_for_cancel, (void *)&ready));
	while (!ready)
		usleep(1000);
	MUST(!pthread_cancel(thread));
	MUST(!pthread_join(thread, &result));
	MUST(result == PTHREAD_CANCELED);
	MUST(count_destroyed() == 2);
	say("fine\n");
	return 0;
}
