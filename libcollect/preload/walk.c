/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libcollect/preload/walk.h"

#include "libcollect/preload/modules.h"
#include "libcollect/preload/rules.h"

#include "libcollect/preload/banned.h"

#define GUESS_MAX 0x4000u /* as far as libunwind would go */

static enum step step_realigned(struct walk *walk, uint64_t rule)
{
	uintptr_t cfa, pc, rbp;

	if (!walk_read(walk, walk->rbp + (uintptr_t)RULE_CFA_OFFSET(rule), &cfa) ||
	    !walk_read(walk, walk->rbp + (uintptr_t)RULE_RBP_OFFSET(rule), &rbp) ||
	    !walk_read(walk, cfa - 8, &pc))
		return STEP_LOST;
	return walk_arrive(walk, cfa, pc, rbp);
}

/* x86-64's ucontext lies at rsp of a signal frame; the stack may change. */
static cold enum step step_signal(struct walk *walk)
{
	enum { UC_RBP = 120, UC_RSP = 160, UC_RIP = 168 };
	uintptr_t pc, sp, rbp;

	if (!walk_read(walk, walk->sp + UC_RBP, &rbp) || !walk_read(walk, walk->sp + UC_RSP, &sp) ||
	    !walk_read(walk, walk->sp + UC_RIP, &pc))
		return STEP_LOST;
	walk->pc = pc;
	walk->sp = sp;
	walk->rbp = rbp;
	walk->flags = KEY_INTERRUPTED;
	reach_jump(&walk->reach, &self, sp);
	return STEP_ON;
}

/* Without unwind information: if rbp is a frame pointer, this is the caller. If it
 * points far away it is not, but what somebody left there: in a new coroutine,
 * the frame pointer of who made it. */
static cold enum step step_guess(struct walk *walk)
{
	uintptr_t pc, rbp;
	enum step step;

	/* The kernel starts a program with rbp 0, and the loader's first frame,
	 * without unwind information, leaves it so. */
	if (walk->rbp == 0 && modules_is_loader(walk->pc))
		return STEP_END;
	if (walk->rbp < walk->sp || walk->rbp - walk->sp > GUESS_MAX ||
	    !walk_read(walk, walk->rbp, &rbp) || !walk_read(walk, walk->rbp + 8, &pc) || pc < 4096)
		return STEP_LOST;
	step = walk_arrive(walk, walk->rbp + 16, pc, rbp);
	if (step == STEP_ON)
		walk->flags = KEY_GUESSED;
	return step;
}

enum step walk_step_odd(struct walk *walk, uint64_t rule)
{
	switch (RULE_TYPE(rule)) {
	case RULE_REALIGNED:
		return step_realigned(walk, rule);
	case RULE_SIGNAL:
		return step_signal(walk);
	case RULE_END:
		return STEP_END;
	case RULE_OTHER:
		return STEP_OTHER;
	default:
		return step_guess(walk);
	}
}
