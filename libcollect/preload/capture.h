/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_CAPTURE_H
#define MALLOGRAPH_CAPTURE_H

#include "libcollect/preload/state.h"

/* The stack tree's node for the stack that begins with *caller; 0 when it
 * can't be told. Called with thread->busy set. Counts what it had to leave
 * out. */
uint32_t capture(struct thread *thread, const struct frame *caller);

/* Finds the bounds of a new thread's stack. main: it is the process' first. */
void capture_thread(struct thread *thread, int is_main);

/* In our constructor, where the loader may be called: makes libunwind ready. */
void capture_prepare(void);

/*
 * Memory that a walk may read without harm: the part of the thread's own stack
 * above the walk's start; any other page after a system call has found it
 * readable.
 */
struct reach {
	uintptr_t low, high; /* readable */
	uintptr_t page;      /* the last other page found readable, or 0 */
};
void reach_begin(struct reach *reach, struct thread *thread, uintptr_t sp);
int reach_probe(struct reach *reach, uintptr_t address);

/* Reads the word at address. Returns 0 when it can't be read. */
static inline int reach_read(struct reach *reach, uintptr_t address, uintptr_t *value)
{
	if (unlikely(address - reach->low > reach->high - reach->low - sizeof(*value) ||
		     (address & 7) != 0) &&
	    !reach_probe(reach, address))
		return 0;
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): 0 is never within reach */
	*value = *(const uintptr_t *)address;
	return 1;
}

/* Walks the whole stack of *caller again with libunwind. Fills pc and
 * module_and_flags, innermost first. Returns how many, 0 when it can't; *complete tells whether the
 * thread's start was reached. */
uint32_t fallback_walk(struct thread *thread, const struct frame *caller, struct remembered *frames,
		       uint32_t most, int *complete);
void fallback_prepare(void);

#endif
