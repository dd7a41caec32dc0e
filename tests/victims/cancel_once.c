/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One thread that allocates nothing is cancelled: what is in its trace is libgcc_s being loaded,
 * and the thread's own block. */
#include <pthread.h>

#include "expect.h"

static void *run(void *unused)
{
	(void)unused;
	for (;;)
		pthread_testcancel();
	return NULL;
}

int main(void)
{
	pthread_t thread;

	MUST(!pthread_create(&thread, NULL, run, NULL));
	MUST(!pthread_cancel(thread));
	MUST(!pthread_join(thread, NULL));
	return 0;
}
