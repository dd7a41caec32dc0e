/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fork_storm [CHILDREN]: forks while other threads allocate. Each child frees blocks that
 * it inherited, allocates a few of its own and calls exit(). The parent frees its blocks
 * at the end: they were its own all the time.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/wait.h>

#include "expect.h"

#define AT_ONCE   10
#define INHERITED 100
#define OWN       30
#define OTHERS    2

static void *block[INHERITED];
static atomic_int stop;

static void *allocate(void *unused)
{
	(void)unused;
	while (!stop) {
		char *text = malloc(100);

		MUST(text);
		text = realloc(text, 1000);
		free(text);
	}
	return NULL;
}

static void live_as_child(void)
{
	for (int i = 0; i < INHERITED; i++)
		free(block[i]);
	for (int i = 0; i < OWN; i++)
		MUST(malloc(64));
	exit(7);
}

int main(int argc, char **argv)
{
	int children = argc > 1 ? atoi(argv[1]) : 200;
	pthread_t other[OTHERS];

	for (int i = 0; i < INHERITED; i++)
		MUST(block[i] = malloc(50));
	for (int i = 0; i < OTHERS; i++)
		MUST(!pthread_create(&other[i], NULL, allocate, NULL));
	for (int started = 0, running = 0; started < children || running;) {
		if (started < children && running < AT_ONCE) {
			pid_t child = fork();

			MUST(child >= 0);
			if (child == 0)
				live_as_child();
			started++;
			running++;
			continue;
		}
		int status;

		MUST(wait(&status) > 0);
		MUST(WIFEXITED(status) && WEXITSTATUS(status) == 7);
		running--;
	}
	stop = 1;
	for (int i = 0; i < OTHERS; i++)
		pthread_join(other[i], NULL);
	for (int i = 0; i < INHERITED; i++)
		free(block[i]);
	say("fine\n");
	return 0;
}
