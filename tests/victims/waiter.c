/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A program that waits for any child sees its own ones and no other, and gets no signal
 * for others. */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "expect.h"

#define CHILDREN 20

static volatile sig_atomic_t signals;

static void count(int signal)
{
	(void)signal;
	signals++;
}

int main(void)
{
	struct sigaction action = {.sa_handler = count, .sa_flags = SA_RESTART};
	pid_t child[CHILDREN];

	MUST(!sigaction(SIGCHLD, &action, NULL));
	free(malloc(10));
	MUST(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
	MUST(waitpid(-1, NULL, __WALL) == -1 && errno == ECHILD);
	for (int i = 0; i < CHILDREN; i++) {
		MUST((child[i] = fork()) >= 0);
		if (child[i] == 0) {
			free(malloc(20));
			/* A child does not see anybody either. */
			MUST(waitpid(-1, NULL, __WALL) == -1 && errno == ECHILD);
			_exit(i);
		}
		int status;
		pid_t ended = wait(&status);

		MUST(ended == child[i]);
		MUST(WIFEXITED(status) && WEXITSTATUS(status) == i);
	}
	MUST(wait(NULL) == -1 && errno == ECHILD);
	MUST(signals == CHILDREN);
	say("fine\n");
	return 0;
}
