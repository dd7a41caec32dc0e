/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tasks made by clone() itself, with a stack of their own and the thread-local data of the
 * thread that waits for them: a process that shares memory, and a thread. */
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "expect.h"

#define ROUNDS      50
#define DEPTH       10
#define STACK_BYTES (64u << 10)
#define BLOCK_BYTES 45

static int lives;

static void down(unsigned depth)
{
	free(malloc(BLOCK_BYTES));
	if (depth > 1)
		down(depth - 1);
}

static int run(void *depth)
{
	down(*(unsigned *)depth);
	return 0;
}

static void process(char *stack, unsigned depth)
{
	pid_t child = clone(run, stack + STACK_BYTES, CLONE_VM | CLONE_VFORK | SIGCHLD, &depth);
	int status;

	MUST(child > 0);
	MUST(waitpid(child, &status, 0) == child);
	MUST(status == 0);
}

/* The kernel clears `lives` and wakes us, when the task has ended. */
static void thread(char *stack, unsigned depth)
{
	const int flags =
	    CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_CHILD_CLEARTID;

	__atomic_store_n(&lives, 1, __ATOMIC_SEQ_CST);
	MUST(clone(run, stack + STACK_BYTES, flags, &depth, NULL, NULL, &lives) > 0);
	/* FUTEX_WAIT; no function of ours or libc's that allocates may be entered */
	while (__atomic_load_n(&lives, __ATOMIC_SEQ_CST))
		syscall(SYS_futex, &lives, 0, 1, NULL, NULL, 0);
}

int main(void)
{
	const uint64_t blocks = (uint64_t)ROUNDS * (2 * DEPTH + 1);
	char *stack =
	    mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	MUST(stack != MAP_FAILED);
	for (unsigned i = 0; i < ROUNDS; i++) {
		process(stack, DEPTH);
		free(malloc(BLOCK_BYTES));
		thread(stack, DEPTH);
	}
	announce(one_by_one(blocks, BLOCK_BYTES));
	return 0;
}
