/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A signal handler forks, often in the middle of an allocation's bookkeeping; the child
 * returns from it and goes on. Neither parent nor child comes to harm, and the parent's
 * figures are its own. (_Fork: what a handler may call.) */
#include <errno.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "expect.h"

#define FORKS 25
#define SIZE  32

static volatile sig_atomic_t forks, in_child;

static void fork_here(int signal)
{
	int saved = errno;

	(void)signal;
	if (!in_child && _Fork() == 0)
		in_child = 1;
	else
		forks++;
	errno = saved;
}

int main(void)
{
	struct sigaction action = {.sa_handler = fork_here, .sa_flags = SA_RESTART};
	struct itimerval often = {{0, 1500}, {0, 1500}}, never = {{0, 0}, {0, 0}};
	uint64_t pairs = 0;
	int status, bad = 0;

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	for (; forks < FORKS && !in_child; pairs++)
		free(malloc(SIZE));
	if (in_child) {
		for (int i = 0; i < 1000; i++)
			free(malloc(SIZE));
		_exit(0);
	}
	setitimer(ITIMER_REAL, &never, NULL);
	while (wait(&status) > 0 || errno == EINTR)
		bad += status != 0;
	if (bad)
		_exit(98);
	announce(&(struct figures){.allocations = pairs,
				   .deallocations = pairs,
				   .bytes = pairs * SIZE,
				   .temporary = pairs,
				   .peak_bytes = SIZE,
				   .peak_blocks = 1});
	return 0;
}
