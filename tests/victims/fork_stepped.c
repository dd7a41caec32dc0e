/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A handler forks at one instruction of the collector after the other, while the program allocates
 * from one of the many stacks that it comes by again and again; the child goes on from there, and
 * ends well. The parent's figures are its own.
 *
 * fork_stepped INSTRUCTION RECORDER: at this one alone, and the child goes on when the parent has
 * done all that it does and the recorder, that process, has seen none of it. Ends with 3 where
 * there is no such instruction.
 */
#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
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
#define PAIRS     301

static struct text collector = {.name = "libmallograph"};
static volatile unsigned stepping, count, when, forked, in_child;
static volatile unsigned *parent_done; /* NULL: the child doesn't wait */

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
		while (in_child && parent_done && !*parent_done)
			;
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

/* Ends as it is announced: nothing that would publish what the child has hidden comes behind. */
APART static void child_comes_late(unsigned instruction, pid_t recorder)
{
	int status;

	parent_done = mmap(NULL, sizeof(*parent_done), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	MUST(parent_done != MAP_FAILED);
	announce(one_by_one(PAIRS, SIZE));
	when = instruction;
	for (unsigned i = 0; i < PAIRS; i++) {
		stepping = i == PAIRS / 2;
		if (stepping)
			raise(SIGTRAP);
		descend(DEPTH, 0);
		if (!stepping)
			continue;
		if (in_child)
			_exit(0);
		kill(recorder, SIGSTOP);
		usleep(2000);
	}
	*parent_done = 1;
	if (forked == 0)
		status = 3;
	else if (wait(&status) < 0 || status != 0)
		status = 4;
	kill(recorder, SIGCONT);
	_exit(status);
}

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO};
	uint64_t pairs = 0;
	int status;

	text_find(&collector);
	MUST(!sigaction(SIGTRAP, &action, NULL));
	if (argc > 2)
		child_comes_late((unsigned)atoi(argv[1]), (pid_t)atoi(argv[2]));
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
