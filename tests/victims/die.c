/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * die HOW N: makes exactly N allocations and ends at once, in the way that HOW says.
 * "exec" goes on as `die _exit 7`, "sleep" waits to be killed.
 */
#include <pthread.h>
#include <signal.h>

#include "expect.h"

#define BLOCK_BYTES 16
#define EXIT_STATUS 42
#define STACK_BYTES (256 << 10)

static void allocate(unsigned long count)
{
	while (count--)
		MUST(malloc(BLOCK_BYTES));
}

static void *exit_here(void *unused)
{
	(void)unused;
	exit(EXIT_STATUS);
}

/* One of the N is libc's block for the thread. */
static void exit_in_thread(void)
{
	pthread_attr_t attributes;
	pthread_t thread;

	MUST(!pthread_attr_init(&attributes));
	MUST(!pthread_attr_setstacksize(&attributes, STACK_BYTES));
	MUST(!pthread_create(&thread, &attributes, exit_here, NULL));
	pthread_join(thread, NULL);
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";
	unsigned long count = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;

	if (!strcmp(how, "thread")) {
		allocate(count - 1);
		exit_in_thread();
	}
	allocate(count);
	if (!strcmp(how, "return"))
		return EXIT_STATUS;
	if (!strcmp(how, "exit"))
		exit(EXIT_STATUS);
	if (!strcmp(how, "_exit"))
		_exit(EXIT_STATUS);
	if (!strcmp(how, "quick_exit"))
		quick_exit(EXIT_STATUS);
	if (!strcmp(how, "abort"))
		abort();
	if (!strcmp(how, "kill"))
		kill(getpid(), SIGKILL);
	if (!strcmp(how, "term"))
		kill(getpid(), SIGTERM);
	if (!strcmp(how, "segv"))
		*(volatile int *)8 = 0;
	if (!strcmp(how, "trap"))
		__builtin_trap();
	if (!strcmp(how, "exec"))
		execl("/proc/self/exe", "die", "_exit", "7", (char *)NULL);
	if (!strcmp(how, "exec_false"))
		execl("/nowhere/nothing", "nothing", (char *)NULL), _exit(EXIT_STATUS);
	if (!strcmp(how, "sleep")) {
		say("ready\n");
		for (;;)
			pause();
	}
	return 99;
}
