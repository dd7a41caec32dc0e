/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * handler_storm MICROSECONDS PAIRS ROUNDS: a timer's handler makes more allocations at once than
 * the collector can keep while it is interrupted itself. Says how many allocations there were in
 * all, and in how many handlers. As in signals.c, a handler that interrupted libc does nothing.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/time.h>
#include <ucontext.h>

#include "expect.h"
#include "text.h"

static struct text libc = {.name = "libc.so"}, loader = {.name = "ld-linux"};
static volatile uint64_t handled, pairs;

static void handle(int number, siginfo_t *info, void *context)
{
	uintptr_t at = (uintptr_t)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];

	(void)number;
	(void)info;
	if (text_holds(&libc, at) || text_holds(&loader, at))
		return;
	for (uint64_t i = 0; i < pairs; i++)
		free(malloc(30));
	handled = handled + 1;
}

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_RESTART};
	struct itimerval often = {{0, 0}, {0, 0}}, never = {{0, 0}, {0, 0}};
	uint64_t own = 0, most;
	char line[100];

	MUST(argc == 4);
	often.it_value.tv_usec = often.it_interval.tv_usec = atoi(argv[1]);
	pairs = strtoul(argv[2], NULL, 10);
	most = strtoul(argv[3], NULL, 10);
	text_find(&libc);
	text_find(&loader);
	MUST(libc.end && loader.end);
	free(malloc(80)); /* whatever happens only once has happened */
	MUST(!sigaction(SIGALRM, &action, NULL));
	MUST(!setitimer(ITIMER_REAL, &often, NULL));
	for (; own < most; own++)
		free(malloc(80));
	MUST(!setitimer(ITIMER_REAL, &never, NULL));
	snprintf(line, sizeof(line), "allocations=%llu\nhandlers=%llu\n",
		 (unsigned long long)(1 + own + handled * pairs), (unsigned long long)handled);
	say(line);
	return 0;
}
