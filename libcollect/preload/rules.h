/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_RULES_H
#define MALLOGRAPH_RULES_H

/*
 * How to get from a frame to its caller's, per program counter, packed into
 * 8 bytes and cached.
 *
 *   bits 0-2    enum rule_type
 *   bit  3      CFA is rbp + offset (else rsp + offset)
 *   bit  4      rbp is saved
 *   bits 5-24   CFA offset / 8, signed
 *   bits 25-44  where rbp is saved: offset / 8 from the CFA (RULE_REALIGNED:
 *               from rbp), signed
 *   bits 45-63  module id
 */

#include <stdint.h>

enum rule_type {
	RULE_NONE = 0,      /* no unwind information here */
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
#define RULE_RBP_OFFSET(rule)   ((intptr_t)((int64_t)((rule) << 19) >> 44) * 8)
#define RULE_MODULE(rule)       ((uint32_t)((rule) >> 45))
#define RULE_MODULES_MAX        ((1u << 19) - 1)

/*
 * The rule at pc, a return address; or an interrupted pc, which is looked up as it is and
 * not one byte before. Lock-free for readers; not to be called in a signal
 * handler that interrupted it (the gate sees to that).
 */
uint64_t rules_find(uintptr_t pc, int interrupted);

/* Empties the cache: a module is gone. */
void rules_forget(void);

#endif
