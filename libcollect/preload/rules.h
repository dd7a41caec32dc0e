/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_RULES_H
#define MALLOGRAPH_RULES_H

/*
 * How to get from a frame to its caller's, per program counter, packed into
 * 8 bytes and cached; with it the number of the pc, by which the stack tree
 * (stacks.h) knows it.
 *
 *   bits 0-2    enum rule_type
 *   bit  3      CFA is rbp + offset (else rsp + offset)
 *   bit  4      rbp is saved
 *   bits 5-24   CFA offset / 8, signed
 *   bits 25-39  where rbp is saved: offset / 8 from the CFA (RULE_REALIGNED:
 *               from rbp), signed
 *   bits 40-63  pc id; 0: none could be had, the stack can't be told
 */

#include <stdatomic.h>
#include <stdint.h>

#include "libcollect/preload/table.h"

enum rule_type {
	RULE_NONE = 0,      /* no unwind information here: its frame pointer is a guess */
	RULE_STANDARD = 1,  /* return address at CFA - 8 */
	RULE_REALIGNED = 2, /* the CFA is read from rbp + offset */
	RULE_SIGNAL = 3,    /* a signal frame: registers in the ucontext at rsp */
	RULE_END = 4,       /* the thread's first frame */
	RULE_OTHER = 5      /* says more than these rules can: libunwind's turn */
};

#define RULE_TYPE(rule)         ((enum rule_type)((rule)&7))
#define RULE_CFA_FROM_RBP(rule) (((rule) >> 3) & 1)
#define RULE_RBP_SAVED(rule)    (((rule) >> 4) & 1)
#define RULE_CFA_OFFSET(rule)   ((intptr_t)((int64_t)((rule) << 39) >> 44) * 8)
#define RULE_RBP_OFFSET(rule)   ((intptr_t)((int64_t)((rule) << 24) >> 49) * 8)
#define RULE_PC_ID(rule)        ((uint32_t)((rule) >> 40))
#define PC_IDS                  (1u << 24)

/* Not pcs: marks above the outermost frame (NODE_CUT, NODE_INCOMPLETE). */
#define PC_CUT        1u
#define PC_INCOMPLETE 2u

/* What a pc id stands for: written once. */
struct pc {
	_Atomic uint64_t key;              /* in the table that it is in */
	_Atomic uint32_t is_other;         /* that table is others */
	_Atomic uint32_t module_and_flags; /* last, release */
};
#define PCS_PER_PAGE 4096u

/* In struct state; see rules.c. */
struct rules {
	struct table table;  /* rules of pcs in modules; key: pc * 2 + interrupted */
	struct table others; /* ids of other frames */
	_Atomic uint32_t pcs;
	_Atomic(struct pc *) page[PC_IDS / PCS_PER_PAGE];
	_Alignas(64) struct slot first[1024];
	_Alignas(64) struct slot first_other[64];
};

/*
 * The rule at pc, a return address; or an interrupted pc, which is looked up as it is and
 * not one byte before. Lock-free for readers; not to be called in a signal
 * handler that interrupted it (the gate sees to that).
 *
 * A pc id stands for (pc, interrupted, module, flags) and never changes its
 * meaning; when the module at pc goes and another comes, pc gets a new one.
 */
#define rules_find(pc, interrupted) rules_find_in(&state->rules, pc, interrupted)
uint64_t rules_search(uintptr_t pc, int interrupted);
static inline uint64_t rules_find_in(const struct rules *rules, uintptr_t pc, int interrupted)
{
	uint64_t rule = table_peek(&rules->table, (uint64_t)pc << 1 | (unsigned)interrupted);

	return __builtin_expect(rule != 0, 1) ? rule : rules_search(pc, interrupted);
}

/* The id of a frame at pc that was found by a guess (NODE_GUESSED): rules_find()
 * gives that of one that was not. 0: none could be had. */
uint32_t rules_guessed(uintptr_t pc);

/* What the stack tree's nodes say of a pc id. Any id that was given out. */
uintptr_t rules_address(uint32_t pc_id);
uint32_t rules_module_and_flags(uint32_t pc_id); /* as in struct shared_node */

/* The module with this id is gone: forgets what lay there, nothing else. */
void rules_forget(uint32_t module);

#endif
