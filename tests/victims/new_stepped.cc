/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A handler that uses operator new at each single instruction of the collector in turn, where the
 * program is in operator new or delete itself: neither's sizes are taken for the other's.
 *
 * new_stepped [INSTRUCTIONS]: how many it goes through, from the first on. There are some 900.
 */
#include <signal.h>
#include <ucontext.h>

#include "expect.h"
#include "text.h"

enum { HANDLER_BYTES = 40, BLOCK_BYTES = 1000, FEW = 150, TRAP_FLAG = 0x100 };

static struct text collector = {"libmallograph", 0, 0};
static volatile unsigned stepping, count, when, handled;

/* The flag is cleared for the handler, and is again what the context says behind it. */
static void handle(int number, siginfo_t *info, void *argument)
{
	greg_t *registers = static_cast<ucontext_t *>(argument)->uc_mcontext.gregs;
	uintptr_t pc = static_cast<uintptr_t>(registers[REG_RIP]);

	(void)number;
	(void)info;
	registers[REG_EFL] &= ~static_cast<greg_t>(TRAP_FLAG);
	if (!stepping)
		return;
	registers[REG_EFL] |= TRAP_FLAG;
	if (!text_holds(&collector, pc) || count++ != when)
		return;
	delete[] new char[HANDLER_BYTES];
	handled = handled + 1;
	registers[REG_EFL] &= ~static_cast<greg_t>(TRAP_FLAG);
}

__attribute__((noinline)) static void step(unsigned at)
{
	char *block;

	count = 0;
	when = at;
	stepping = 1;
	raise(SIGTRAP);
	block = new char[BLOCK_BYTES];
	delete[] block;
	stepping = 0;
}

int main(int argc, char **argv)
{
	const unsigned most = argc > 1 ? static_cast<unsigned>(atoi(argv[1])) : unsigned{FEW};
	struct sigaction action = {};
	uint64_t rounds = 0;

	text_find(&collector);
	action.sa_sigaction = handle;
	action.sa_flags = SA_SIGINFO;
	sigaction(SIGTRAP, &action, nullptr);
	for (unsigned i = 0; i < 3; i++)
		delete[] new char[BLOCK_BYTES]; /* whatever happens only once has happened */
	/* Alone there is no collector to step through. */
	for (; rounds < most && handled == rounds; rounds++)
		step(static_cast<unsigned>(rounds));
	figures wanted = {};

	wanted.allocations = wanted.deallocations = 3 + rounds + handled;
	wanted.bytes = (3 + rounds) * BLOCK_BYTES + handled * HANDLER_BYTES;
	wanted.temporary = wanted.peak_bytes = wanted.peak_blocks = UNKNOWN;
	say("expect base=empty_cc\n");
	announce(&wanted);
	return 0;
}
