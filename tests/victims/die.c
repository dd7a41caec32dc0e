/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * die HOW N: makes exactly N allocations and ends at once, in the way that HOW says.
 * "exec" and "exec_thread" go on as `die _exit 7`, "exec_other" as another program,
 * "sleep" waits to be killed.
 */
#include <pthread.h>
#include <signal.h>

#include "expect.h"

#define BLOCK_BYTES 16
#define EXIT_STATUS 42
#define STACK_BYTES (256 << 10)

static char alternate_stack[64 << 10];

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

static void *exec_here(void *unused)
{
	(void)unused;
	execl("/proc/self/exe", "die", "_exit", "7", (char *)NULL);
	return NULL;
}

/* One of the N is libc's block for the thread. */
static void in_thread(void *(*run)(void *))
{
	pthread_attr_t attributes;
	pthread_t thread;

	MUST(!pthread_attr_init(&attributes));
	MUST(!pthread_attr_setstacksize(&attributes, STACK_BYTES));
	MUST(!pthread_create(&thread, &attributes, run, NULL));
	pthread_join(thread, NULL);
}

/* One of the N is made where the stack is full, and the last by the signal's handler. */
static void last_words(int number)
{
	(void)number;
	allocate(1);
	_exit(EXIT_STATUS);
}

static int __attribute__((noinline)) overflow(int depth)
{
	volatile char frame[1000];

	frame[0] = (char)depth;
	if (depth == 1000)
		allocate(1);
	return depth < 0 ? 0 : overflow(depth + 1) + frame[0];
}

static void overflow_here(void)
{
	stack_t stack = {.ss_sp = alternate_stack, .ss_size = sizeof(alternate_stack)};
	struct sigaction action = {.sa_handler = last_words, .sa_flags = SA_ONSTACK};

	MUST(!sigaltstack(&stack, NULL) && !sigaction(SIGSEGV, &action, NULL));
	overflow(0);
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";
	unsigned long count = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;

	if (!strcmp(how, "thread") || !strcmp(how, "exec_thread")) {
		allocate(count - 1);
		in_thread(!strcmp(how, "thread") ? exit_here : exec_here);
	}
	if (!strcmp(how, "overflow")) {
		allocate(count - 2);
		overflow_here();
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
	if (!strcmp(how, "exec_other"))
		execl("/bin/sh", "sh", "-c", "exit 42", (char *)NULL);
	if (!strcmp(how, "exec_false"))
		execl("/nowhere/nothing", "nothing", (char *)NULL), _exit(EXIT_STATUS);
	if (!strcmp(how, "sleep")) {
		say("ready\n");
		for (;;)
			pause();
	}
	return 99;
}
