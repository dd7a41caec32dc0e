/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A handler that allocates after every single instruction: of functions with all kinds of
 * prologues and epilogues, so that stacks are walked from each point of them; and, some
 * instructions apart, of the collector's hooks, whose bookkeeping is so interrupted everywhere.
 * In libc and the loader it only watches: malloc is not made to be interrupted.
 *
 * single_step [ROUNDS]: how often it goes through the hooks; 509 times leave out no instruction
 * of them, which takes seconds on virtual machines.
 */
#include <alloca.h>
#include <signal.h>
#include <ucontext.h>

#include "expect.h"
#include "text.h"

#define STRIDE             509 /* in the hooks: events must not come faster than they are put off */
#define FEW                31  /* rounds */
#define DEPTH              4
#define HANDLER_BYTES      40
#define BLOCK_BYTES        100
#define TRAP_FLAG          0x100
#define SIGNAL_STACK_BYTES (64 << 10)

#define APART __attribute__((noinline, noclone))

static struct text program = {.name = ""}, collector = {.name = "libmallograph"};

static volatile uint64_t handled;
static volatile unsigned stepping; /* 0: no more; else allocate after each so many */
static volatile unsigned count, sink;

/* The flag is cleared for the handler, and is again what the context says behind it. */
static void handle(int number, siginfo_t *info, void *argument)
{
	greg_t *registers = ((ucontext_t *)argument)->uc_mcontext.gregs;
	uintptr_t pc = (uintptr_t)registers[REG_RIP];

	(void)number;
	(void)info;
	if (stepping)
		registers[REG_EFL] |= TRAP_FLAG;
	else
		registers[REG_EFL] &= ~(greg_t)TRAP_FLAG;
	if (!text_holds(&program, pc) && !text_holds(&collector, pc))
		return;
	if (stepping && ++count % stepping == 0) {
		free(malloc(HANDLER_BYTES));
		handled = handled + 1;
	}
}

APART static unsigned leaf(unsigned value)
{
	return value * 3;
}

APART static unsigned many(unsigned a, unsigned b, unsigned c, unsigned d, unsigned e, unsigned f,
			   unsigned g, unsigned h)
{
	return leaf(a) + leaf(b * c) + leaf(d ^ e) * leaf(f) + leaf(g) + h;
}

APART static unsigned early(unsigned value)
{
	unsigned other;

	if (value % 2)
		return value;
	other = leaf(value);
	return other + leaf(other) * value;
}

APART static unsigned aligned(unsigned value)
{
	volatile unsigned room[8] __attribute__((aligned(64)));

	room[value % 8] = value;
	return leaf(room[value % 8]) + room[value % 8];
}

APART static unsigned grown(unsigned value)
{
	volatile unsigned *room = alloca(value % 5 * 16 + 64);

	room[value % 16] = value;
	return leaf(value) + room[value % 16];
}

APART static unsigned jumps(unsigned value)
{
	return value % 2 ? early(value + 1) : grown(value);
}

__attribute__((noinline, noclone, optimize("no-omit-frame-pointer"))) static unsigned
descend(unsigned depth)
{
	if (depth == 0)
		return many(1, 2, 3, 4, 5, 6, 7, 8);
	return descend(depth - 1) + early(depth) + early(depth + 1) + aligned(depth) +
	       jumps(depth) + jumps(depth + 1);
}

APART static void allocate(unsigned depth)
{
	volatile char room[16];

	room[0] = 0;
	if (depth > 0)
		allocate(depth - 1 + (unsigned)room[0]);
	else
		free(malloc(BLOCK_BYTES));
}

int main(int argc, char **argv)
{
	const unsigned rounds = argc > 1 ? (unsigned)atoi(argv[1]) : FEW;
	struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO};
	char above[SIGNAL_STACK_BYTES]; /* a signal stack above what it interrupts */
	stack_t stack = {.ss_sp = above, .ss_size = sizeof(above)};

	text_find(&program);
	text_find(&collector);
	MUST(program.end && !sigaction(SIGTRAP, &action, NULL));
	free(malloc(BLOCK_BYTES)); /* whatever happens only once has happened */
	stepping = 1;
	raise(SIGTRAP);
	sink = descend(DEPTH);
	stepping = 0;
	MUST(!sigaltstack(&stack, NULL));
	for (unsigned i = 0; i < rounds; i++) {
		action.sa_flags ^= SA_ONSTACK;
		MUST(!sigaction(SIGTRAP, &action, NULL));
		count = i * STRIDE / rounds;
		stepping = STRIDE;
		raise(SIGTRAP);
		allocate(i % DEPTH);
		stepping = 0;
	}
	MUST(handled > 200);
	announce(&(struct figures){
	    .allocations = handled + 1 + rounds,
	    .deallocations = handled + 1 + rounds,
	    .bytes = handled * HANDLER_BYTES + (1 + rounds) * BLOCK_BYTES,
	    .temporary = UNKNOWN, /* a handler may have come between malloc and free */
	    .peak_bytes = UNKNOWN,
	    .peak_blocks = UNKNOWN,
	});
	return 0;
}
