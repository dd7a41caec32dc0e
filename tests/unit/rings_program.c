/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/rings_program.h"

#include <sys/mman.h>

#include "libcollect/preload/events.h"
#include "libcollect/preload/prepare.h"
#include "libcollect/preload/session.h"

void *__wrap_raw_map(size_t bytes);
void *__wrap_raw_map_wiped(size_t bytes);
void __wrap_raw_unmap(void *map, size_t bytes);

enum { BLOCKS = 20000, MAILBOXES = 64, DEPTH_MOST = 30 };

static _Atomic uint64_t mailbox[MAILBOXES];
static _Thread_local uint64_t random_state, next_address;

static uint64_t dice(uint64_t below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (random_state >> 11) % below;
}

static __attribute__((noinline)) uint64_t tell_allocation(struct told *sum, uint64_t size)
{
	struct frame caller = CALLER();

	next_address += 16;
	event_allocation_by(FUNCTION_MALLOC, (void *)(uintptr_t)next_address, size, caller.pc,
			    caller.sp, caller.rbp);
	sum->allocations++;
	sum->bytes += size;
	return next_address;
}

static __attribute__((noinline)) void tell_deallocation(struct told *sum, uint64_t address)
{
	struct frame caller = CALLER();

	event_deallocation(FUNCTION_FREE, (void *)(uintptr_t)address, &caller);
	sum->deallocations++;
}

static void *move(void *old, size_t size)
{
	(void)old;
	(void)size;
	next_address += 16;
	return (void *)(uintptr_t)next_address;
}

static __attribute__((noinline)) uint64_t tell_reallocation(struct told *sum, uint64_t address,
							    uint64_t size)
{
	struct frame caller = CALLER();

	event_reallocation(FUNCTION_REALLOC, (void *)(uintptr_t)address, size, &caller, move);
	sum->allocations++;
	sum->deallocations++;
	sum->reallocations++;
	sum->bytes += size;
	return next_address;
}

#define STAYS __attribute__((noinline, optimize("no-optimize-sibling-calls")))

static STAYS unsigned descend(struct told *sum, unsigned depth);

/* So that there are many stacks. */
static STAYS unsigned detour(struct told *sum, unsigned depth)
{
	return descend(sum, depth);
}

/* Allocates at any depth; what was in a mailbox goes, what is new comes there. */
static STAYS unsigned descend(struct told *sum, unsigned depth)
{
	uint64_t block;
	unsigned done;

	if (depth > 0) {
		done = dice(8) == 0 ? detour(sum, depth - 1) : descend(sum, depth - 1);
		return done + (dice(4) == 0 ? descend(sum, 0) : 0);
	}
	block = tell_allocation(sum, dice(500));
	if (dice(3) == 0)
		block = tell_reallocation(sum, block, dice(500));
	block = atomic_exchange(&mailbox[dice(MAILBOXES)], block);
	if (block != 0)
		tell_deallocation(sum, block);
	return 1;
}

/* --- in the place of the library's own ------------------------------------------------------ */

void hooks_cxx_forget(const void *map)
{
	(void)map;
}

/* What is mapped by bare system calls is not known to the sanitizer: it would take the memory for
 * what lay there before. (The linker's --wrap.) */
void *__wrap_raw_map(size_t bytes)
{
	void *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return map != MAP_FAILED ? map : NULL;
}

void *__wrap_raw_map_wiped(size_t bytes)
{
	return __wrap_raw_map(bytes);
}

void __wrap_raw_unmap(void *map, size_t bytes)
{
	munmap(map, bytes);
}

/* --- the program ---------------------------------------------------------------------------- */

int program_start(struct region *region)
{
	shared_region = region;
	return session_open();
}

void program_thread(unsigned number, struct told *sum)
{
	random_state = (number + 1) * UINT64_C(88172645463325252);
	next_address = (number + UINT64_C(1)) << 32;
	for (unsigned done = 0; done < BLOCKS;)
		done += descend(sum, (unsigned)dice(DEPTH_MOST));
}
