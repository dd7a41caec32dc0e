/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Handlers that allocate, on an alternate stack and not, one inside of the other, at many
 * depths; the alternate stack is another one now and then, in memory that was one before. */
#include <signal.h>

#include "expect.h"

#define ROUNDS        40
#define DEPTH         25
#define STACK_BYTES   (32u << 10)
#define FRAME_BYTES   24
#define HANDLER_BYTES 48

static uint64_t handled;

/* SIGUSR1 on the alternate stack raises SIGUSR2, which is handled on the current one. */
static void handle(int number)
{
	void *block = malloc(HANDLER_BYTES);

	handled++;
	if (number == SIGUSR1)
		raise(SIGUSR2);
	free(block);
}

static void down(unsigned depth)
{
	void *block = malloc(FRAME_BYTES);

	if (depth % 5 == 0)
		raise(depth % 2 ? SIGUSR1 : SIGUSR2);
	if (depth > 1)
		down(depth - 1);
	free(block);
}

int main(void)
{
	struct sigaction action = {.sa_handler = handle};
	stack_t none = {.ss_flags = SS_DISABLE};
	uint64_t stacks = 0, bytes = 0;

	MUST(!sigaction(SIGUSR2, &action, NULL));
	action.sa_flags = SA_ONSTACK;
	MUST(!sigaction(SIGUSR1, &action, NULL));
	for (unsigned round = 0; round < ROUNDS; round++) {
		stack_t stack = {.ss_size = STACK_BYTES << round % 2};

		MUST((stack.ss_sp = malloc(stack.ss_size)));
		bytes += stack.ss_size;
		stacks++;
		MUST(!sigaltstack(&stack, NULL));
		down(DEPTH - round % 2);
		MUST(!sigaltstack(&none, NULL));
		free(stack.ss_sp);
	}
	/* 5, 15 and 25 raise both, 10 and 20 one; a round of two has no 25 */
	MUST(handled == ROUNDS / 2 * (3 * 2 + 2 + 2 * 2 + 2));
	announce(&(struct figures){
	    .allocations = ROUNDS / 2 * (2 * DEPTH - 1) + handled + stacks,
	    .deallocations = ROUNDS / 2 * (2 * DEPTH - 1) + handled + stacks,
	    .bytes = ROUNDS / 2 * (2 * DEPTH - 1) * FRAME_BYTES + handled * HANDLER_BYTES + bytes,
	    /* the innermost frame, and the innermost handler of each raise */
	    .temporary = ROUNDS + ROUNDS / 2 * (5 + 4),
	    .peak_bytes = UNKNOWN,
	    .peak_blocks = UNKNOWN,
	});
	return 0;
}
