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

enum { HANDLER_BYTES = 40, BLOCK_BYTES = 1000, FEW = 150, TRAP_FLAG = 0x100 };

static uintptr_t start, end; /* the collector's text */
static volatile unsigned stepping, count, when, handled;

static int find_text(struct dl_phdr_info *info, size_t size, void *unused)
{
	(void)size;
	(void)unused;
	if (!strstr(info->dlpi_name, "libmallograph"))
		return 0;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &info->dlpi_phdr[i];

		if (segment->p_type != PT_LOAD || !(segment->p_flags & PF_X))
			continue;
		start = info->dlpi_addr + segment->p_vaddr;
		end = start + segment->p_memsz;
	}
	return 1;
}

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
	if (pc < start || pc >= end || count++ != when)
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

	dl_iterate_phdr(find_text, nullptr);
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
