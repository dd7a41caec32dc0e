/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A signal handler that allocates while the program allocates. malloc is not made for
 * that, so the handler does it only where it interrupted something else than libc: the
 * program itself, or the collector's bookkeeping between two real calls.
 */
#include <signal.h>
#include <sys/time.h>
#include <time.h>
#include <ucontext.h>

#include "expect.h"
#include "text.h"

#define ENOUGH          3000 /* handlers that allocated */
#define LONGEST_SECONDS 8    /* where signals are rare */
#define MAIN_BYTES      80
#define HANDLER_BYTES   30

static struct text libc = {.name = "libc.so"}, loader = {.name = "ld-linux"};
static volatile uint64_t handled;

static void handle(int number, siginfo_t *info, void *context)
{
	uintptr_t at = (uintptr_t)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];

	(void)number;
	(void)info;
	if (text_holds(&libc, at) || text_holds(&loader, at))
		return;
	free(malloc(HANDLER_BYTES));
	handled = handled + 1;
}

int main(void)
{
	struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_RESTART};
	struct itimerval often = {{0, 50}, {0, 50}}, never = {{0, 0}, {0, 0}};
	time_t last = time(NULL) + LONGEST_SECONDS;
	uint64_t rounds = 0;

	text_find(&libc);
	text_find(&loader);
	MUST(libc.end && loader.end);
	free(malloc(MAIN_BYTES)); /* whatever happens only once has happened */
	MUST(!sigaction(SIGALRM, &action, NULL));
	MUST(!setitimer(ITIMER_REAL, &often, NULL));
	while (handled < ENOUGH && time(NULL) < last) {
		for (int i = 0; i < 200; i++, rounds++)
			free(malloc(MAIN_BYTES));
	}
	MUST(!setitimer(ITIMER_REAL, &never, NULL));
	MUST(handled > 0);
	announce(&(struct figures){
	    .allocations = rounds + 1 + handled,
	    .deallocations = rounds + 1 + handled,
	    .bytes = (rounds + 1) * MAIN_BYTES + handled * HANDLER_BYTES,
	    .temporary = UNKNOWN, /* a handler may have come between malloc and free */
	    .reallocations = 0,
	    .peak_bytes = UNKNOWN,
	    .peak_blocks = UNKNOWN,
	});
	return 0;
}
