/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Stack capture: the verified memo.
 *
 * The state of a walk is (pc, interrupted, sp, rbp). What the next state is
 * follows from it, the rule for pc (rules.h), and the words that the rule
 * reads from the stack: for nearly all frames the return address and the saved rbp.
 * Each thread remembers the stack that it walked last, as the list of its
 * states with where those words lay.
 *
 * A capture walks by rules from the caller until it comes upon a remembered
 * state; then it compares, for each older remembered state, newest to oldest,
 * the words with what was read there then. Equal state and equal words give an
 * equal next state; so, by induction, if all agree the rest of the stack is
 * the remembered one, and so is its node in the stack tree. Where they differ, the states so
 * far hold, and the walk goes on from there by rules. Steps that read
 * other words (signal frames, realigned frames, guesses) are made again and
 * compared; the outermost state is asked again why the walk ended.
 *
 * Nothing is assumed of the program: no return hook, no cookie on its stack.
 * longjmp, exceptions, coroutines and tail calls change words or states, and
 * are seen so. A module's unloading voids what was remembered before.
 *
 * No wild reads: a function whose unwind information is missing or wrong sends
 * a walk anywhere. Every word is read through reach_read(); only stacks that
 * lay wholly in the thread's own, known stack are remembered, and only such
 * are compared.
 *
 * A stack that could not be walked to its end hangs below a node marked
 * NODE_INCOMPLETE instead of the root; one deeper than the limit keeps its innermost frames,
 * below one marked NODE_CUT, and is not remembered.
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

	/* No stack goes on below a page that can't be read. */
	if (sp >= low || low - sp > GROWTH_MAX || sp < thread->stack_floor)
		return 0;
	while (low > page_of(sp)) {
		if (!raw_readable(low - PAGE)) {
			thread->stack_floor = low;
			return 0;
		}
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
	thread->stack_floor = 0;
	thread->stack_high = page_of(control_block);
	thread->stack_low = thread->stack_high;
	if (sp < control_block && stack_grown(thread, sp)) {
		thread->stack_high = control_block;
		return;
	}
	thread->stack_low = thread->stack_high = thread->stack_floor = 0;
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
	int interrupted;    /* pc is where a signal came, not a return address */
	unsigned flags;     /* of the frame at pc: enum node_flag */
	uintptr_t rbp_slot; /* of the last step: where the saved rbp was read; 0: nowhere */
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
	walk->rbp_slot = 0;
	if (RULE_RBP_SAVED(rule)) {
		walk->rbp_slot = cfa + (uintptr_t)RULE_RBP_OFFSET(rule);
		if (!reach_read(&walk->reach, walk->rbp_slot, &rbp))
			return STEP_LOST;
	}
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

/* --- the memo ------------------------------------------------------------ */

/* What a capture has in hand: remembered states frame[0..old-1] that may still
 * be met, and those walked now at the end of the array, the innermost last:
 * frame[FRAMES_MAX - fresh ..]. */
struct hand {
	struct scratch *scratch;
	struct walk walk;
	uint32_t old, fresh;
};

static inline void hand_add(struct hand *hand, const struct walk *at, uint64_t rule)
{
	struct remembered *frame = &hand->scratch->frame[FRAMES_MAX - ++hand->fresh];

	frame->pc = at->pc;
	frame->sp = at->sp;
	frame->rbp = at->rbp;
	frame->rbp_slot = 0;
	frame->module_and_flags = RULE_MODULE(rule) | at->flags << 24;
	frame->kind = RULE_TYPE(rule) == RULE_STANDARD ? REMEMBERED_PLAIN
		      : RULE_TYPE(rule) == RULE_END    ? REMEMBERED_END
						       : REMEMBERED_ODD;
	frame->interrupted = (uint32_t)at->interrupted;
}

static inline void walk_at(struct walk *walk, const struct remembered *frame)
{
	walk->pc = frame->pc;
	walk->sp = frame->sp;
	walk->rbp = frame->rbp;
	walk->interrupted = (int)frame->interrupted;
	walk->flags = frame->module_and_flags >> 24;
}

static inline int same_state(const struct remembered *frame, const struct walk *walk)
{
	return frame->pc == walk->pc && frame->sp == walk->sp && frame->rbp == walk->rbp &&
	       frame->interrupted == (uint32_t)walk->interrupted;
}

/* Makes the step from frame[0] again, or from one of another kind than plain. */
static cold int step_agrees(const struct walk *now, const struct scratch *scratch, uint32_t i)
{
	const struct remembered *frame = &scratch->frame[i];
	struct walk walk = *now;
	enum step step;

	walk_at(&walk, frame);
	step = step_by(&walk, rules_find(walk.pc, walk.interrupted));
	if (i == 0)
		return step == (scratch->base == 0 ? STEP_END : STEP_LOST);
	return step == STEP_ON && same_state(&scratch->frame[i - 1], &walk) &&
	       walk.flags == scratch->frame[i - 1].module_and_flags >> 24;
}

/* The outermost remembered state that is still what it was, given that state i
 * is; 0 also says that the walk still ends there, otherwise 0 is never returned but
 * as *whole == 0. */
static inline uint32_t verify(const struct hand *hand, uint32_t i, int *whole)
{
	const struct remembered *frame = hand->scratch->frame;

	for (; i > 0; i--) {
		const struct remembered *older = &frame[i - 1];

		if (likely(frame[i].kind == REMEMBERED_PLAIN)) {
			if (*(const uintptr_t *)(older->sp - 8) != older->pc ||
			    (frame[i].rbp_slot != 0 &&
			     *(const uintptr_t *)frame[i].rbp_slot != older->rbp))
				break;
		} else if (!step_agrees(&hand->walk, hand->scratch, i)) {
			break;
		}
	}
	*whole = i == 0 && (likely(frame[0].kind == REMEMBERED_END) ||
			    step_agrees(&hand->walk, hand->scratch, 0));
	return i;
}

/* Whether the walk has come upon a remembered state. Returns 1 when all that is
 * above is as remembered; otherwise the walk stands where it differs first. */
static inline int meet(struct hand *hand)
{
	const struct remembered *frame = hand->scratch->frame;
	uint32_t last;
	int whole;

	while (hand->old > 0 && frame[hand->old - 1].sp < hand->walk.sp)
		hand->old--;
	if (hand->old == 0 || !same_state(&frame[hand->old - 1], &hand->walk))
		return 0;
	last = verify(hand, hand->old - 1, &whole);
	if (likely(whole))
		return 1;
	/* States old-1 .. last hold: as if they had been walked now. */
	for (uint32_t i = hand->old - 1; i > last; i--)
		hand->scratch->frame[FRAMES_MAX - ++hand->fresh] = frame[i];
	walk_at(&hand->walk, &frame[last]);
	hand->old = last;
	return 0;
}

enum end { END_REACHED, END_MET, END_CUT, END_LOST, END_OTHER };

static inline enum end walk_stack(struct hand *hand)
{
	struct walk *walk = &hand->walk;
	const uint32_t most = state->max_depth;

	for (;;) {
		uint64_t rule;
		enum step step;

		if (hand->old > 0 && meet(hand))
			return hand->old + hand->fresh <= most ? END_MET : END_CUT;
		if (unlikely(hand->fresh >= most))
			return END_CUT;
		if (unlikely(hand->old + hand->fresh >= FRAMES_MAX - 1))
			hand->old = 0;
		rule = rules_find(walk->pc, walk->interrupted);
		hand_add(hand, walk, rule);
		step = step_by(walk, rule);
		if (likely(step == STEP_ON)) {
			if (RULE_TYPE(rule) == RULE_STANDARD)
				hand->scratch->frame[FRAMES_MAX - hand->fresh].rbp_slot =
				    walk->rbp_slot;
			continue;
		}
		return step == STEP_END ? END_REACHED : step == STEP_LOST ? END_LOST : END_OTHER;
	}
}

/* Nodes for the frames walked now, from the outermost inwards, below node.
 * They take their place behind the remembered ones. Returns the innermost node; 0: no memory. */
static inline uint32_t settle(struct hand *hand, uint32_t node)
{
	struct scratch *scratch = hand->scratch;
	struct remembered *to = &scratch->frame[hand->old];
	const struct remembered *from = &scratch->frame[FRAMES_MAX - hand->fresh];

	for (uint32_t i = 0; i < hand->fresh; i++) {
		node = stacks_child(node, from[i].pc, from[i].module_and_flags);
		if (unlikely(node == 0)) {
			scratch->count = 0;
			count(COUNT_STACK_UNKNOWN);
			return 0;
		}
		to[i] = from[i];
		to[i].node = node;
	}
	scratch->count = hand->old + hand->fresh;
	return node;
}

static uint32_t mark(unsigned flag)
{
	return stacks_child(0, 0, (uint32_t)flag << 24);
}

/* The whole stack again, by libunwind. */
static cold uint32_t capture_fallback(struct thread *thread, const struct frame *caller,
				      struct hand *hand)
{
	struct scratch *scratch = hand->scratch;
	int complete = 0;
	uint32_t n = fallback_walk(thread, caller, scratch->frame, state->max_depth, &complete);
	uint32_t node;

	if (n == 0) {
		hand->old = 0;
		node = settle(hand, mark(NODE_INCOMPLETE));
	} else {
		node = complete                ? 0
		       : n == state->max_depth ? mark(NODE_CUT)
					       : mark(NODE_INCOMPLETE);
		while (n-- > 0)
			node = stacks_child(node, scratch->frame[n].pc,
					    scratch->frame[n].module_and_flags);
	}
	scratch->count = 0;
	return node;
}

/* Deeper than the limit: the innermost frames, none of them remembered. */
static cold uint32_t capture_cut(struct thread *thread, const struct frame *caller,
				 struct hand *hand)
{
	uint32_t node;

	hand->old = hand->fresh = 0;
	hand->walk = (struct walk){.pc = caller->pc, .sp = caller->sp, .rbp = caller->rbp};
	reach_begin(&hand->walk.reach, thread, caller->sp);
	walk_stack(hand);
	node = settle(hand, mark(NODE_CUT));
	hand->scratch->count = 0;
	return node;
}

uint32_t capture(struct thread *thread, const struct frame *caller)
{
	struct scratch *scratch = thread_scratch(thread);
	struct hand hand = {.scratch = scratch,
			    .walk = {.pc = caller->pc, .sp = caller->sp, .rbp = caller->rbp}};
	uint32_t forgotten = atomic_load_explicit(&state->forgotten, memory_order_acquire), node;
	int known;

	reach_begin(&hand.walk.reach, thread, caller->sp);
	known = hand.walk.reach.high == thread->stack_high;
	if (likely(known && scratch->forgotten == forgotten))
		hand.old = scratch->count;
	scratch->forgotten = forgotten;
	switch (walk_stack(&hand)) {
	case END_MET:
		return settle(&hand, scratch->frame[hand.old - 1].node);
	case END_REACHED:
		hand.old = 0;
		scratch->base = 0;
		break;
	case END_LOST:
		hand.old = 0;
		scratch->base = mark(NODE_INCOMPLETE);
		break;
	case END_CUT:
		return capture_cut(thread, caller, &hand);
	default:
		return capture_fallback(thread, caller, &hand);
	}
	node = settle(&hand, scratch->base);
	if (!known || hand.walk.reach.high != thread->stack_high || hand.walk.reach.page != 0)
		scratch->count = 0;
	return node;
}

void capture_prepare(void)
{
	fallback_prepare();
}
