/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Threads with the smallest stack there is, and a handler on a small alternate stack. */
#include <limits.h>
#include <pthread.h>
#include <signal.h>

#include "expect.h"

#define THREADS     20
#define ROUNDS      50
#define BLOCK_BYTES 40

static char alternate[8192];

static void *run(void *unused)
{
	(void)unused;
	for (int i = 0; i < ROUNDS; i++)
		free(malloc(BLOCK_BYTES));
	return NULL;
}

static void handle(int signal)
{
	(void)signal;
	run(NULL);
}

int main(void)
{
	stack_t stack = {.ss_sp = alternate, .ss_size = sizeof(alternate)};
	struct sigaction action = {.sa_handler = handle, .sa_flags = SA_ONSTACK};
	pthread_attr_t attributes;

	MUST(!pthread_attr_init(&attributes));
	MUST(!pthread_attr_setstacksize(&attributes, PTHREAD_STACK_MIN));
	for (int i = 0; i < THREADS; i++) {
		pthread_t thread;

		MUST(!pthread_create(&thread, &attributes, run, NULL));
		pthread_join(thread, NULL);
	}
	MUST(!sigaltstack(&stack, NULL));
	MUST(!sigaction(SIGUSR1, &action, NULL));
	raise(SIGUSR1); /* between two allocations: safe */
	announce(&(struct figures){
	    .allocations = (THREADS + 1) * ROUNDS + 1,
	    .deallocations = (THREADS + 1) * ROUNDS,
	    .bytes = (THREADS + 1) * ROUNDS * BLOCK_BYTES + thread_block_bytes(),
	    .temporary = (THREADS + 1) * ROUNDS,
	    .leaked_blocks = 1,
	    .leaked_bytes = thread_block_bytes(),
	    .peak_bytes = BLOCK_BYTES + thread_block_bytes(),
	    .peak_blocks = 2,
	});
	return 0;
}
