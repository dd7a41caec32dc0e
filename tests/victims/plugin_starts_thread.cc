/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A plugin whose constructor waits for a thread that uses operator new[]: nothing in there
 * may want the loader's lock, which dlopen holds. */
#include <pthread.h>

static void *run(void *)
{
	delete[] new int[100];
	return nullptr;
}

__attribute__((constructor)) static void start()
{
	pthread_t thread;

	if (!pthread_create(&thread, nullptr, run, nullptr))
		pthread_join(thread, nullptr);
}
