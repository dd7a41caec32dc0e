/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A thread whose first allocation is made by its vfork child, on the thread's memory:
 * the thread's later ones are not lost, and nobody waits for a ring that is gone. */
#include <pthread.h>
#include <sys/wait.h>

#include "expect.h"

#define THREADS 4
#define PAIRS   50000
#define SIZE    10

static void *run(void *argument)
{
	pid_t child = vfork();

	if (child == 0) {
		free(malloc(SIZE));
		_exit(0);
	}
	if (child < 0 || waitpid(child, NULL, 0) != child)
		_exit(98);
	for (int i = 0; i < PAIRS; i++)
		free(malloc(SIZE));
	return argument;
}

int main(void)
{
	for (int i = 0; i < THREADS; i++) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, run, NULL) || pthread_join(thread, NULL))
			_exit(98);
	}
	/* pthread_create's own: one block that the first thread's stack keeps for the next. */
	announce(&(struct figures){.allocations = THREADS * (PAIRS + 1) + 1,
				   .deallocations = THREADS * (PAIRS + 1),
				   .bytes = UNKNOWN,
				   .temporary = THREADS * (PAIRS + 1),
				   .leaked_blocks = 1,
				   .leaked_bytes = UNKNOWN,
				   .peak_bytes = UNKNOWN,
				   .peak_blocks = 2});
	return 0;
}
