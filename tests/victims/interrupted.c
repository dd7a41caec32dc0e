/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* interrupted N: N blocks, and ends with 40 and the number of SIGINTs that came until half a second
 * after the first: exactly one was sent. */
#include <signal.h>
#include <time.h>

#include "expect.h"

static volatile sig_atomic_t interrupts;

static void count(int number)
{
	(void)number;
	interrupts++;
}

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = count};
	struct timespec rest = {.tv_nsec = 500000000};

	for (int i = argc > 1 ? atoi(argv[1]) : 0; i > 0; i--)
		MUST(malloc(16));
	MUST(!sigaction(SIGINT, &action, NULL));
	say("ready\n");
	while (interrupts == 0)
		usleep(1000);
	say("interrupted\n");
	while (nanosleep(&rest, &rest) != 0)
		;
	return 40 + interrupts;
}
