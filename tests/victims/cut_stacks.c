/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Coroutines by turns on a long stack and on its lower part, while the upper one can't be read:
 * the same frames at the same addresses as far as the short one goes. Whoever compares more of
 * the remembered stack than the frames lead to reads what is not there.
 */
#include <sys/mman.h>
#include <ucontext.h>

#include "expect.h"

#define ROUNDS      20
#define PAGE        4096u
#define LOWER_BYTES (64u << 10)
#define DEPTH       40 /* of the short stacks */
#define BLOCK_BYTES 70

static ucontext_t coroutine, scheduler;
static unsigned depth;
static uintptr_t last, frame_bytes;

static void descend(unsigned left)
{
	volatile char here;

	free(malloc(BLOCK_BYTES));
	frame_bytes = last - (uintptr_t)&here;
	last = (uintptr_t)&here;
	if (left > 1)
		descend(left - 1);
}

static void start(void)
{
	descend(depth);
}

static void run(char *stack, size_t bytes, unsigned levels)
{
	MUST(!getcontext(&coroutine));
	coroutine.uc_stack = (stack_t){.ss_sp = stack, .ss_size = bytes};
	coroutine.uc_link = &scheduler;
	makecontext(&coroutine, start, 0);
	depth = levels;
	MUST(!swapcontext(&scheduler, &coroutine));
}

int main(void)
{
	uint64_t blocks = 2;
	size_t upper_bytes = PAGE;
	unsigned more;
	char *stack;

	descend(2);
	while (upper_bytes % frame_bytes)
		upper_bytes += PAGE;
	more = (unsigned)(upper_bytes / frame_bytes);
	stack = mmap(NULL, LOWER_BYTES + upper_bytes, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	MUST(stack != MAP_FAILED);
	for (unsigned i = 0; i < ROUNDS; i++) {
		char *upper = stack + LOWER_BYTES;

		run(stack, LOWER_BYTES + upper_bytes, DEPTH + more);
		MUST(!mprotect(upper, upper_bytes, PROT_NONE));
		run(stack, LOWER_BYTES, DEPTH);
		MUST(!mprotect(upper, upper_bytes, PROT_READ | PROT_WRITE));
		blocks += 2 * DEPTH + more;
	}
	announce(one_by_one(blocks, BLOCK_BYTES));
	return 0;
}
