/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_FALLBACK_H
#define MALLOGRAPH_FALLBACK_H

#include <libunwind-x86_64.h>

#include "libcollect/preload/state.h"

/* Walks the whole stack of *caller again with libunwind. Gives its return
 * addresses, innermost first. Returns how many, 0 when it can't; *complete
 * tells whether the thread's start was reached. */
uint32_t fallback_walk(struct thread *thread, const struct frame *caller, uintptr_t *pcs,
		       uint32_t most, int *complete);

/* In our constructor: loads libunwind. */
void fallback_prepare(void);

/* libunwind's functions; NULL until it is loaded. */
struct unwinder {
	unw_addr_space_t (*create_addr_space)(unw_accessors_t *, int);
	int (*init_remote)(unw_cursor_t *, unw_addr_space_t, void *);
	int (*step)(unw_cursor_t *);
	int (*get_reg)(unw_cursor_t *, int, unw_word_t *);
	int (*set_caching_policy)(unw_addr_space_t, unw_caching_policy_t);
	int (*search_unwind_table)(unw_addr_space_t, unw_word_t, unw_dyn_info_t *,
				   unw_proc_info_t *, int, void *);
};
extern struct unwinder unwinder;

enum { UNWINDER_REGISTERS = 17 }; /* by DWARF number */

/* An address space without a cache, for the thread that calls; NULL: none can be had.
 * access_memory is given what init_remote() was; a context must begin with the registers. */
unw_addr_space_t fallback_space(int (*access_memory)(unw_addr_space_t, unw_word_t, unw_word_t *,
						     int, void *));

/* The registers here: our own frames are the first steps. */
static inline __attribute__((always_inline)) void fallback_registers(unw_word_t *registers)
{
	__asm__ volatile("movq %%rbx, 24(%0)\n\t"
			 "movq %%rbp, 48(%0)\n\t"
			 "movq %%rsp, 56(%0)\n\t"
			 "movq %%r12, 96(%0)\n\t"
			 "movq %%r13, 104(%0)\n\t"
			 "movq %%r14, 112(%0)\n\t"
			 "movq %%r15, 120(%0)\n\t"
			 "leaq (%%rip), %%rax\n\t"
			 "movq %%rax, 128(%0)"
			 :
			 : "r"(registers)
			 : "rax", "memory");
}

#endif
