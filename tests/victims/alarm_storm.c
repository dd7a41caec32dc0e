/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A timer's handler allocates while the program, which doesn't, goes up and down; on an
 * alternate stack half of the time. The timer is set again by the program, so that handlers
 * which take long don't keep it from going on. */
#include <signal.h>
#include <sys/time.h>

#include "expect.h"

#define ENOUGH        1500 /* handlers */
#define DEPTH         30
#define HANDLER_BYTES 30

static volatile uint64_t handled, sum;
static char alternate[64 << 10];

static void handle(int number)
{
	(void)number;
	free(malloc(HANDLER_BYTES));
	handled = handled + 1;
}

static uint64_t even(unsigned depth);

static uint64_t odd(unsigned depth)
{
	volatile uint64_t room[7];

	room[depth % 7] = depth;
	return depth > 0 ? even(depth - 1) + room[depth % 7] : 0;
}

static uint64_t even(unsigned depth)
{
	return depth > 0 ? odd(depth - 1) * 3 + depth : 1;
}

/* One alarm soon after each other one. */
static void storm(uint64_t until, uint64_t (*work)(unsigned))
{
	const struct itimerval soon = {{0, 0}, {0, 40}};

	while (handled < until) {
		uint64_t before = handled;

		MUST(!setitimer(ITIMER_REAL, &soon, NULL));
		while (handled == before)
			sum += work(DEPTH);
	}
}

int main(void)
{
	stack_t stack = {.ss_sp = alternate, .ss_size = sizeof(alternate)};
	struct sigaction action = {.sa_handler = handle};

	MUST(!sigaltstack(&stack, NULL));
	MUST(!sigaction(SIGALRM, &action, NULL));
	storm(ENOUGH / 2, even);
	action.sa_flags = SA_ONSTACK;
	MUST(!sigaction(SIGALRM, &action, NULL));
	storm(ENOUGH, odd);
	announce(&(struct figures){
	    .allocations = ENOUGH,
	    .deallocations = ENOUGH,
	    .bytes = ENOUGH * HANDLER_BYTES,
	    .temporary = ENOUGH,
	    .peak_bytes = HANDLER_BYTES,
	    .peak_blocks = 1,
	});
	return 0;
}
