/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Stack capture: from the caller of a hook to the thread's start, by the rules
 * of rules.h, into the thread's scratch memory; then from the outermost frame
 * inwards into the stack tree. Frames that the thread's last stack had at the
 * same place keep their nodes; only what changed is looked up.
 *
 * No wild reads: a function whose unwind information is missing or wrong sends
 * a walk anywhere. Every word is read through reach_read().
 *
 * A stack that could not be walked to its end hangs below a node marked
 * NODE_INCOMPLETE instead of the root; one deeper than the limit keeps its innermost frames,
 * below one marked NODE_CUT.
 */
#include "libcollect/preload/capture.h"

#include "libcollect/preload/modules.h"
#include "libcollect/preload/rawio.h"
#include "libcollect/preload/rules.h"
#include "libcollect/preload/stacks.h"

#include "libcollect/preload/banned.h"

#define PAGE 4096u
/* How far below the known part a stack may have grown at once. */
#define GROWTH_MAX (64u << 20)

/* The address of the kernel's argument block: above it there are no frames. */
extern void *__libc_stack_end;

/* --- what may be read ---------------------------------------------------- */

static uintptr_t page_of(uintptr_t address)
{
	return address & ~(uintptr_t)(PAGE - 1);
}

/* Extends the known stack down to sp, page by page. */
static cold int stack_grown(struct thread *thread, uintptr_t sp)
{
	uintptr_t low = thread->stack_low;

	if (sp >= low || low - sp > GROWTH_MAX)
		return 0;
	while (low > page_of(sp)) {
		if (!raw_readable(low - PAGE))
			return 0;
		low -= PAGE;
	}
	thread->stack_low = low;
	return 1;
}

void capture_thread(struct thread *thread, int is_main)
{
	uintptr_t sp = (uintptr_t)__builtin_frame_address(0);
	uintptr_t control_block;

	/* glibc puts the thread control block at the top of a thread's stack, a
	 * caller's own stack included; the first thread's is elsewhere. */
	__asm__("mov %%fs:0, %0" : "=r"(control_block));
	thread->stack_high = page_of(control_block);
	thread->stack_low = thread->stack_high;
	if (sp < control_block && stack_grown(thread, sp)) {
		thread->stack_high = control_block;
		return;
	}
	thread->stack_low = thread->stack_high = 0;
	if (is_main && sp < (uintptr_t)__libc_stack_end) {
		thread->stack_high = thread->stack_low = page_of((uintptr_t)__libc_stack_end);
		if (page_of(sp) == thread->stack_low || stack_grown(thread, sp))
			thread->stack_high = (uintptr_t)__libc_stack_end;
		else
			thread->stack_low = thread->stack_high = 0;
	}
}

void reach_begin(struct reach *reach, struct thread *thread, uintptr_t sp)
{
	reach->page = 0;
	reach->low = sp;
	reach->high = thread->stack_high;
	if (likely(sp >= thread->stack_low && sp < thread->stack_high))
		return;
	if (sp < thread->stack_low && stack_grown(thread, sp))
		return;
	/* Another stack: of a coroutine, or a signal handler's. The return address
	 * below sp has just been read by us. */
	reach->low = sp - 8;
	reach->high = page_of(sp - 8) + PAGE;
}

cold int reach_probe(struct reach *reach, uintptr_t address)
{
	if ((address & 7) != 0 || address < PAGE)
		return 0;
	if (address - reach->low <= reach->high - reach->low - 8 || page_of(address) == reach->page)
		return 1;
	if (!raw_readable(address))
		return 0;
	if (page_of(address) == reach->high)
		reach->high += PAGE;
	else
		reach->page = page_of(address);
	return 1;
}

/* --- the walk ------------------------------------------------------------ */

struct walk {
	uintptr_t pc, sp, rbp;
	int interrupted; /* pc is where a signal came, not a return address */
	unsigned flags;  /* of the frame at pc: enum node_flag */
	struct reach reach;
};

enum step { STEP_ON, STEP_END, STEP_LOST, STEP_OTHER };

static inline enum step arrive(struct walk *walk, uintptr_t cfa, uintptr_t pc, uintptr_t rbp)
{
	if (pc == 0)
		return STEP_END;
	if (cfa <= walk->sp)
		return STEP_LOST;
	walk->pc = pc;
	walk->sp = cfa;
	walk->rbp = rbp;
	walk->interrupted = 0;
	walk->flags = 0;
	return STEP_ON;
}

static inline enum step step_standard(struct walk *walk, uint64_t rule)
{
	uintptr_t cfa =
	    (RULE_CFA_FROM_RBP(rule) ? walk->rbp : walk->sp) + (uintptr_t)RULE_CFA_OFFSET(rule);
	uintptr_t pc, rbp = walk->rbp;

	if (!reach_read(&walk->reach, cfa - 8, &pc))
		return STEP_LOST;
	if (RULE_RBP_SAVED(rule) &&
	    !reach_read(&walk->reach, cfa + (uintptr_t)RULE_RBP_OFFSET(rule), &rbp))
		return STEP_LOST;
	return arrive(walk, cfa, pc, rbp);
}

static enum step step_realigned(struct walk *walk, uint64_t rule)
{
	uintptr_t cfa, pc, rbp;

	if (!reach_read(&walk->reach, walk->rbp + (uintptr_t)RULE_CFA_OFFSET(rule), &cfa) ||
	    !reach_read(&walk->reach, walk->rbp + (uintptr_t)RULE_RBP_OFFSET(rule), &rbp) ||
	    !reach_read(&walk->reach, cfa - 8, &pc))
		return STEP_LOST;
	return arrive(walk, cfa, pc, rbp);
}

/* x86-64's ucontext lies at rsp of a signal frame; the stack may change. */
static cold enum step step_signal(struct walk *walk)
{
	enum { UC_RBP = 120, UC_RSP = 160, UC_RIP = 168 };
	uintptr_t pc, sp, rbp;

	if (!reach_read(&walk->reach, walk->sp + UC_RBP, &rbp) ||
	    !reach_read(&walk->reach, walk->sp + UC_RSP, &sp) ||
	    !reach_read(&walk->reach, walk->sp + UC_RIP, &pc))
		return STEP_LOST;
	walk->pc = pc;
	walk->sp = sp;
	walk->rbp = rbp;
	walk->interrupted = 1;
	walk->flags = 0;
	reach_begin(&walk->reach, &self, sp);
	if (walk->reach.low != sp)                     /* nothing is known of that stack */
		walk->reach = (struct reach){1, 9, 0}; /* no aligned word */
	return STEP_ON;
}

/* Without unwind information: if rbp is a frame pointer, this is the caller. */
static cold enum step step_guess(struct walk *walk)
{
	uintptr_t pc, rbp;
	enum step step;

	/* The kernel starts a program with rbp 0, and the loader's first frame,
	 * without unwind information, leaves it so. */
	if (walk->rbp == 0 && modules_is_loader(walk->pc))
		return STEP_END;
	if (walk->rbp < walk->sp || !reach_read(&walk->reach, walk->rbp, &rbp) ||
	    !reach_read(&walk->reach, walk->rbp + 8, &pc) || pc < PAGE)
		return STEP_LOST;
	step = arrive(walk, walk->rbp + 16, pc, rbp);
	walk->flags = NODE_GUESSED;
	return step;
}

static inline enum step step_by(struct walk *walk, uint64_t rule)
{
	switch (RULE_TYPE(rule)) {
	case RULE_STANDARD:
		return step_standard(walk, rule);
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

static inline void mark(struct walked *frame, unsigned flag)
{
	*frame = (struct walked){0, (uint32_t)flag << 24, 0};
}

/* Fills frames, innermost first, with a mark behind the last where the end
 * was not reached. Returns how many. */
static uint32_t walk_stack(struct thread *thread, const struct frame *caller, struct walked *frames)
{
	struct walk walk = {.pc = caller->pc, .sp = caller->sp, .rbp = caller->rbp};
	uint32_t n = 0, most = state->max_depth;

	reach_begin(&walk.reach, thread, caller->sp);
	for (;;) {
		uint64_t rule = rules_find(walk.pc, walk.interrupted);
		enum step step;
		int complete;

		if (unlikely(n == most)) {
			mark(&frames[n++], NODE_CUT);
			return n;
		}
		frames[n].address = walk.pc;
		frames[n++].module_and_flags = RULE_MODULE(rule) | walk.flags << 24;
		step = step_by(&walk, rule);
		if (likely(step == STEP_ON))
			continue;
		if (step == STEP_END)
			return n;
		if (step == STEP_OTHER) {
			uint32_t all = fallback_walk(thread, caller, frames, most, &complete);

			if (all > 0)
				n = all;
			if (all > 0 && complete)
				return n;
			if (n == most) {
				mark(&frames[n++], NODE_CUT);
				return n;
			}
		}
		mark(&frames[n++], NODE_INCOMPLETE);
		return n;
	}
}

uint32_t capture(struct thread *thread, const struct frame *caller)
{
	struct scratch *scratch = thread_scratch(thread);
	struct walked *frames = scratch->frames[!scratch->last_buffer];
	const struct walked *last = scratch->frames[scratch->last_buffer];
	uint32_t total = walk_stack(thread, caller, frames);
	uint32_t n = total, m = scratch->last_count, node = 0;

	while (n > 0 && m > 0 && frames[n - 1].address == last[m - 1].address &&
	       frames[n - 1].module_and_flags == last[m - 1].module_and_flags) {
		n--;
		m--;
		node = frames[n].node = last[m].node;
	}
	scratch->last_count = total;
	while (n > 0) {
		n--;
		node = stacks_child(node, frames[n].address, frames[n].module_and_flags);
		if (unlikely(node == 0)) {
			scratch->last_count = 0;
			count(COUNT_STACK_UNKNOWN);
			return 0;
		}
		frames[n].node = node;
	}
	scratch->last_buffer = !scratch->last_buffer;
	return node;
}

void capture_prepare(void)
{
	fallback_prepare();
}
