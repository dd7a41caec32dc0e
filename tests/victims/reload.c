/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* reload PLUGIN [FORK]: loads and unloads a plugin while another thread allocates, and
 * forks in between: a child must not need the loader's lock. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>

#include "expect.h"

#define ROUNDS      60
#define BLOCKS      20
#define BLOCK_BYTES 1111

static atomic_int stop;

static void *allocate(void *unused)
{
	(void)unused;
	while (!stop)
		free(malloc(200));
	return NULL;
}

static void use(const char *path)
{
	void *plugin = dlopen(path, RTLD_NOW);
	void *(*plugin_allocate)(size_t);

	MUST(plugin);
	*(void **)&plugin_allocate = dlsym(plugin, "plugin_allocate");
	for (int i = 0; i < BLOCKS; i++)
		MUST(plugin_allocate(BLOCK_BYTES)); /* leaked */
	MUST(!dlclose(plugin));
}

static void *use_always(void *path)
{
	while (!stop)
		use(path);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t other, user;

	MUST(argc > 1);
	MUST(!pthread_create(&other, NULL, allocate, NULL));
	if (argc == 2) {
		for (int i = 0; i < ROUNDS; i++)
			use(argv[1]);
	} else {
		MUST(!pthread_create(&user, NULL, use_always, argv[1]));
		for (int i = 0; i < ROUNDS; i++) {
			pid_t child = fork();
			int status;

			MUST(child >= 0);
			if (child == 0) {
				for (int j = 0; j < 50; j++)
					free(malloc(300));
				_exit(5);
			}
			MUST(waitpid(child, &status, 0) == child);
			MUST(WIFEXITED(status) && WEXITSTATUS(status) == 5);
		}
	}
	stop = 1;
	pthread_join(other, NULL);
	if (argc > 2)
		pthread_join(user, NULL);
	say("fine\n");
	return 0;
}
