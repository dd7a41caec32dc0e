/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* longjmp over frames that allocated; siglongjmp out of handlers that did, on the thread's
 * stack and on an alternate one. What is allocated next stands where they stood. */
#include <setjmp.h>
#include <signal.h>

#include "expect.h"

#define ROUNDS        40
#define DEPTH         30
#define FRAME_BYTES   100
#define HANDLER_BYTES 50
#define AFTER_BYTES   20

enum way { JUMP, HANDLER, HANDLER_ON_ALTERNATE_STACK, WAYS };

static void *kept[DEPTH + 1];
static sigjmp_buf landing;
static char alternate[64 << 10];

static void handle(int number)
{
	free(malloc(HANDLER_BYTES));
	siglongjmp(landing, number);
}

static void down(unsigned depth, enum way way)
{
	kept[depth] = malloc(FRAME_BYTES);
	if (depth > 0)
		down(depth - 1, way);
	else if (way == JUMP)
		siglongjmp(landing, 1);
	else
		raise(way == HANDLER ? SIGUSR1 : SIGUSR2);
}

static void round_trip(unsigned depth, enum way way)
{
	if (sigsetjmp(landing, 1) == 0)
		down(depth, way);
	free(malloc(AFTER_BYTES));
	for (unsigned i = 0; i <= depth; i++)
		free(kept[i]);
}

int main(void)
{
	stack_t stack = {.ss_sp = alternate, .ss_size = sizeof(alternate)};
	struct sigaction action = {.sa_handler = handle};
	const uint64_t trips = (uint64_t)ROUNDS * WAYS, handlers = (uint64_t)ROUNDS * (WAYS - 1);
	uint64_t frames = 0;

	MUST(!sigaltstack(&stack, NULL));
	MUST(!sigaction(SIGUSR1, &action, NULL));
	action.sa_flags = SA_ONSTACK;
	MUST(!sigaction(SIGUSR2, &action, NULL));
	for (unsigned i = 0; i < ROUNDS; i++) {
		for (unsigned way = JUMP; way < WAYS; way++) {
			unsigned depth = DEPTH - (i + way) % 7;

			round_trip(depth, (enum way)way);
			frames += depth + 1;
		}
	}
	announce(&(struct figures){
	    .allocations = frames + trips + handlers,
	    .deallocations = frames + trips + handlers,
	    .bytes = frames * FRAME_BYTES + trips * AFTER_BYTES + handlers * HANDLER_BYTES,
	    .temporary = trips + handlers,
	    .peak_bytes = (DEPTH + 1) * FRAME_BYTES + HANDLER_BYTES,
	    .peak_blocks = DEPTH + 2,
	});
	return 0;
}
