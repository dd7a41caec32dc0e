/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A handler forks at one instruction of the collector after the other, while the program allocates
 * from one of the many stacks that it comes by again and again; the child goes on from there, and
 * ends well. The parent's figures are its own.
 */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <ucontext.h>

#include "expect.h"
#include "text.h"

#define APART     __attribute__((noinline, noclone))
#define DEPTH     9
#define STACKS    (1u << DEPTH)
#define SIZE      32
#define TRAP_FLAG 0x100
#define WARM      (8 * STACKS)
#define STRIDE    2 /* instructions of a malloc */
#define MOST      200

static struct text collector = {.name = "libmallograph"};
static volatile unsigned stepping, count, when, forked, in_child;

/* The flag is cleared for the handler, and is again what the context says behind it. */
static void handle(int number, siginfo_t *info, void *argument)
{
	greg_t *registers = ((ucontext_t *)argument)->uc_mcontext.gregs;
	uintptr_t pc = (uintptr_t)registers[REG_RIP];

	(void)number;
	(void)info;
	registers[REG_EFL] &= ~(greg_t)TRAP_FLAG;
	if (!stepping)
		return;
	if (text_holds(&collector, pc) && count++ == when) {
		forked = forked + 1;
		in_child = _Fork() == 0;
	} else {
		registers[REG_EFL] |= TRAP_FLAG;
	}
}

APART static void descend(unsigned depth, unsigned way);

APART static void left(unsigned depth, unsigned way)
{
	descend(depth, way);
}

APART static void right(unsigned depth, unsigned way)
{
	descend(depth, way);
}

static void descend(unsigned depth, unsigned way)
{
	if (depth == 0)
		free(malloc(SIZE));
	else if (way >> (depth - 1) & 1)
		left(depth - 1, way);
	else
		right(depth - 1, way);
}

/* Two by turns, then the next two. */
static unsigned stack_of(uint64_t number)
{
	return (unsigned)((number / 4 * 2 + number % 2) % STACKS);
}

int main(void)
{
	struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO};
	uint64_t pairs = 0;
	int status;

	text_find(&collector);
	MUST(!sigaction(SIGTRAP, &action, NULL));
	/* Alone there is no collector to step through. */
	for (uint64_t i = 0; i < MOST && forked == i; i += pairs > WARM) {
		count = 0;
		when = (unsigned)i * STRIDE;
		stepping = pairs >= WARM;
		if (stepping)
			raise(SIGTRAP);
		descend(DEPTH, stack_of(pairs++));
		stepping = 0;
		if (in_child)
			_exit(0);
		MUST(forked == 0 || (wait(&status) > 0 && status == 0));
	}
	announce(one_by_one(pairs, SIZE));
	return 0;
}
