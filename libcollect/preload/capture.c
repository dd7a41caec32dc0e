/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Stack capture: the verified memo.
 *
 * A walk goes from frame to frame by rules (rules.h). Its state at a frame is (pc, how
 * it came there, sp, rbp). What the next state is follows from it, the rule for
 * pc, and the words that the rule reads from the stack: for nearly all frames
 * the return address and perhaps the saved rbp; for others the word that holds the
 * CFA, three registers in a signal frame, two words at a guessed frame pointer.
 *
 * Each thread remembers some stacks that it has walked: of every frame the
 * state, and of every step the words that it read, with where they lay. Now suppose
 * that a new walk comes upon a remembered state, and that the words of the steps
 * from there outwards are what they were. Equal state and equal words give an
 * equal next state; so, by induction, the rest of the stack is the remembered one to
 * its end, and so is its node in the stack tree. To know this, nothing is walked
 * and nothing looked up: the words lie in one array in the order of the steps,
 * and are compared four at a time. Where they differ, the walk goes on by rules until
 * it comes upon a frame further out. So a capture costs a comparison for each
 * frame that stayed, and a rule and a share of a look-up for each that changed.
 *
 * Most functions use rbp for anything but frames, and save and restore it like
 * any register. If no step further out uses an rbp before it is restored, then its
 * value has no say in what the stack is: neither the state's rbp nor the word that it
 * was read from need be the same, and they are not compared. Which they are is known
 * from the rules, outermost first (REST_RBP). Without this, data that happens to be in rbp
 * would make every other stack of most programs a new one.
 *
 * Why the walk ended is part of what must be the same. A return address of 0 is a word
 * like others; that a rule says so follows from pc. Only where a walk was
 * lost, because a page could not be read, is the last step tried again.
 *
 * Nothing is assumed of the program: no return hook, no cookie on its stack.
 * longjmp, exceptions, coroutines and tail calls change words or states, and
 * are seen so. Two things besides the stack decide on a step: the unwind
 * information, and whether there is any. A module's unloading therefore voids what
 * was remembered before (state->forgotten). Code without unwind information is
 * taken to stay so as long as frames of it are on the stack.
 *
 * No wild reads: a function whose unwind information is missing or wrong sends
 * a walk anywhere. On the thread's own stack everything from sp of the walk's start to
 * the top is known to be mapped, so words there may be read ahead of their
 * turn. A memo is plain when each step's words lie there, not below
 * its own frame: then those of all frames further out lie above any frame that is
 * met. Words elsewhere (of coroutines, signal stacks, stacks that the program
 * made itself, or of a walk gone astray) are read one by one, each page first asked for
 * (reach.h): a stack that was unmapped meanwhile differs, and that is all.
 *
 * There are several memos because programs go to and fro: between two deep
 * paths, coroutines, a handler's stack and the one below it. A new stack is
 * written over the one that it shares its outer part with as long as that loses
 * little; else that part is copied to the memo not used for longest, and both are
 * kept. All of this is bounded by the number of frames that changed. Beside them
 * the innermost steps of many stacks are remembered each for itself, as leaves: if a
 * leaf's words agree, they lead to the frame that they led to, and if that is in a memo
 * that agrees from there on, nothing has to be walked, looked up or written. One is written when it
 * has been looked for in vain before: most are needed once.
 *
 * Nodes are looked up for up to STACKS_PATH_MAX new frames at once. Those in between are
 * not known until a later walk meets the stack there: then one of the frames that were further
 * in, gone by now but not yet overwritten, has a node from which it is a few parents up.
 *
 * A stack that could not be walked to its end hangs below a node marked
 * NODE_INCOMPLETE instead of the root. Of one deeper than the limit the innermost frames
 * are kept, below one marked NODE_CUT: its memo is verified as far as these go,
 * and its nodes are those of a window on it, which moves with its depth.
 *
 * So four ways lead through this: the innermost frame is that of the stack before and
 * all words agree (capture.h); a leaf agrees; a few frames are new (warm); all else
 * (rewalk.c, which could do everything).
 *
 * What is remembered is the thread's alone. A signal handler that allocates
 * finds the gate closed, but may leave by longjmp at any instruction: memo.h.
 */
#include "libcollect/preload/capture.h"

#include "libcollect/preload/fallback.h"
#include "libcollect/preload/rewalk.h"

#include "libcollect/preload/banned.h"

/* The node of frame i of memo, a plain one. That of a frame further in leads to it, even if that
 * one is no longer on the stack; there are `count`. */
static inline uint32_t plain_node(struct memo *memo, uint32_t i, uint32_t count)
{
	uint32_t node = REST_NODE(memo->frame[i].rest), known = i + 1;

	if (likely(node != 0))
		return node;
	while (known < count && (node = REST_NODE(memo->frame[known].rest)) == 0)
		known++;
	for (; known > i && node != 0; known--)
		node = stacks_parent(node);
	if (likely(node != 0 && node < NODES_HELD)) {
		memo->frame[i].rest |= (uint64_t)node << REST_NODE_SHIFT;
		return node;
	}
	return memo_node(memo, i, 0);
}

/* A frame of a walk that has met standard frames only. What its step read is told by its
 * rule and the frame that it led to. */
struct standing {
	uintptr_t pc, sp, rbp;
	uint64_t rule;
};

/* Writes n frames behind *to, and their steps' words below those of *to. The innermost of them
 * is standing[-n], and standing[0] is *to. */
static inline void push(struct memo *memo, struct remembered *to, const struct standing *standing,
			uint32_t n)
{
	uint64_t rest = to->rest & (REST(0, REST_WORDS_MAX) | REST_RBP);
	struct word *out = memo->end - REST_WORDS(rest);

	while (n-- > 0) {
		const uintptr_t cfa = standing->sp;
		const uint64_t rule = standing[-1].rule;

		*--out = (struct word){cfa - 8, standing->pc};
		rest += REST(0, 1);
		if (RULE_RBP_SAVED(rule)) {
			if (rest & REST_RBP) {
				*--out = (struct word){cfa + (uintptr_t)RULE_RBP_OFFSET(rule),
						       standing->rbp};
				rest += REST(0, 1);
			}
			rest &= ~REST_RBP;
		}
		rest |= RULE_CFA_FROM_RBP(rule) * REST_RBP;
		standing--;
		to++;
		to->key = KEY(standing->pc, 0);
		to->sp = standing->sp;
		to->rbp = standing->rbp;
		to->rest = rest | RULE_PC_ID(rule);
	}
}

/* The same for any n. Gives the node of the innermost, that of *to being `node`; 0: no memory. */
static inline uint32_t push_nodes(struct memo *memo, struct remembered *to, uint32_t node,
				  const struct standing *standing, uint32_t n)
{
	do {
		const uint32_t part = n < STACKS_PATH_MAX ? n : STACKS_PATH_MAX;
		path_ids ids = 0;
		struct path *path;

		for (uint32_t i = 1; i <= part; i++)
			ids = ids << PATH_ID_BITS | RULE_PC_ID(standing[-(int)i].rule);
		path = stacks_path_at(node, ids, part);
		__builtin_prefetch(path);
		push(memo, to, standing, part);
		to += part;
		standing -= part;
		n -= part;
		node = stacks_packed_path(path, node, ids, part);
		if (unlikely(node == 0))
			return 0;
		if (likely(node < NODES_HELD))
			to->rest |= (uint64_t)node << REST_NODE_SHIFT;
	} while (unlikely(n > 0));
	return node;
}

/*
 * New frames that are few and standard, on the thread's own stack, and
 * replace few of the stack walked last. Gives the node; 0: rewalk() must see to
 * it, from the start.
 */
static uint32_t warm(const struct thread *thread, struct memos *memos, const struct frame *caller,
		     struct leaf *leaf)
{
	struct memo *memo = &memos->memo[memos->current];
	struct remembered *met = memo->frame + memo->count; /* the next is what may be met */
	struct standing standing[WARM_STEPS + 1], *now = standing;
	uintptr_t pc = caller->pc, sp = caller->sp, rbp = caller->rbp, odd = 0, pcs = 0;
	const uintptr_t slots = table_slots(&state->rules.table);
	/* Of addresses on the stack, from its top: large ones, being below. */
	const uintptr_t high = thread->stack_high;
	uintptr_t last = sp - 8 - high;
	uint32_t left, n, parent, node;

	if (unlikely(slots == 0))
		return 0;
	while (met - memo->frame >= 8 && met[-8].sp < sp)
		met -= 8;
	for (;;) {
		uintptr_t cfa, below = last;
		uint64_t rule;

		now->pc = pc;
		now->sp = sp;
		now->rbp = rbp;
		while (met[-1].sp < sp)
			met--;
		if (met[-1].sp == sp && same_place(&met[-1], KEY(pc, 0), sp, rbp)) {
			const uint32_t at = (uint32_t)(met - 1 - memo->frame);
			const struct word *differs = words_agree(memo_words(memo, at), memo->end);

			if (likely(differs == memo->end))
				break;
			met = memo->frame + memo_holds(memo, at, differs);
		}
		if (unlikely(now == standing + WARM_STEPS))
			return 0;
		rule = table_peek_in(slots, (uint64_t)pc << 1);
		if (unlikely(rule == 0))
			rule = rules_search(pc, 0);
		now->rule = rule;
		if (unlikely(RULE_TYPE(rule) != RULE_STANDARD))
			return 0;
		cfa = (RULE_CFA_FROM_RBP(rule) ? rbp : sp) + (uintptr_t)RULE_CFA_OFFSET(rule);
		/* The return address, and rbp, must lie between sp and the top. */
		last = cfa - 8 - high;
		if (unlikely(last <= below))
			return 0;
		odd |= cfa;
		pc = *(const uintptr_t *)(cfa - 8);
		if (RULE_RBP_SAVED(rule)) {
			uintptr_t slot = cfa + (uintptr_t)RULE_RBP_OFFSET(rule);

			if (unlikely(slot - high <= below))
				return 0;
			rbp = *(const uintptr_t *)slot;
		}
		pcs |= pc - 1;
		sp = cfa;
		now++;
	}
	left = (uint32_t)(met - memo->frame);
	n = (uint32_t)(now - standing);
	/* A pc of 0, or one that is no KEY_HOLDS(), has no rule. */
	if (unlikely(n == 0 || (odd & 7) != 0 || pcs >> 62 != 0 || left + n > state->max_depth ||
		     left + n > memo->frames || REST_WORDS(met[-1].rest) + 2 * n > memo->words) ||
	    worth_keeping(memo->count - left, left))
		return 0;
	parent = plain_node(memo, left - 1, memo->count);
	if (unlikely(parent == 0))
		return 0;
	memos_change(memos);
	memo->count = 0;
	atomic_signal_fence(memory_order_seq_cst);
	node = push_nodes(memo, met - 1, parent, now, n);
	if (unlikely(node == 0))
		return 0;
	atomic_signal_fence(memory_order_seq_cst);
	memo->count = left + n;
	memos_top_plain(memos, memo, left + n - 1, node);
	if (leaf != NULL)
		leaf_write(leaf, memos, memo, left + n - 1, left - 1, node);
	return node;
}

/* A remembered stack that is this one to its innermost frame, or NULL. */
static inline struct memo *same_stack(struct thread *thread, struct memos *memos,
				      const struct frame *caller)
{
	for (unsigned i = 0; i < MEMOS; i++) {
		struct memo *memo = &memos->memo[i];
		uint32_t last;

		if (likely(memos->top_sp[i] != caller->sp) || memo->count == 0)
			continue;
		last = memo->count - 1;
		if (!same_place(&memo->frame[last], KEY(caller->pc, 0), caller->sp, caller->rbp) ||
		    memo->window != 0 || REST_NODE(memo->frame[last].rest) == 0)
			continue;
		if (memo->plain ? words_all_agree(memo_words(memo, last), memo->end)
				: memo_agrees_afar(thread, memo, caller->sp))
			return memo;
	}
	return NULL;
}

/* No leaf says what the stack is. One that was sought, or is to be, is written. */
static __attribute__((noinline)) uint32_t capture_changed(struct thread *thread,
							  struct memos *memos, uintptr_t pc,
							  uintptr_t sp, uintptr_t rbp,
							  struct leaf *written)
{
	const struct frame caller = {pc, sp, rbp};
	uint32_t node;

	if (memos->several || !memos->memo[memos->current].plain) {
		struct memo *memo = same_stack(thread, memos, &caller);

		if (memo != NULL) {
			node = REST_NODE(memo->frame[memo->count - 1].rest);
			memos_top(memos, memo, memo->count - 1, node);
			return node;
		}
	}
	if (likely(sp >= thread->stack_low && sp < thread->stack_high &&
		   memos->memo[memos->current].plain)) {
		node = warm(thread, memos, &caller, written);
		if (likely(node != 0))
			return node;
	}
	return rewalk(thread, memos, &caller);
}

/* The leaf agrees, but what lies further out has changed. */
static __attribute__((noinline)) uint32_t capture_leaf_elsewhere(struct thread *thread,
								 struct memos *memos, uintptr_t pc,
								 uintptr_t sp, uintptr_t rbp,
								 struct leaf *leaf)
{
	uint32_t node = leaf_node(leaf, memos);

	return node != 0 ? node : capture_changed(thread, memos, pc, sp, rbp, leaf);
}

static __attribute__((noinline)) uint32_t capture_missed(struct thread *thread, struct memos *memos,
							 uintptr_t pc, uintptr_t sp, uintptr_t rbp,
							 uint64_t hash)
{
	return capture_changed(thread, memos, pc, sp, rbp, leaf_missed(thread, memos, hash));
}

/* Something has been unloaded, or nothing is there yet. */
static cold uint32_t capture_first(struct thread *thread, struct memos *memos, uintptr_t pc,
				   uintptr_t sp, uintptr_t rbp)
{
	uint32_t forgotten = atomic_load(&state->forgotten);

	memos_clear(memos);
	memos->valid = forgotten + 1;
	return capture_walk(thread, memos, pc, sp, rbp);
}

static cold uint32_t capture_at_new_site(struct thread *thread, struct memos *memos, uintptr_t pc,
					 uintptr_t sp, uintptr_t rbp)
{
	struct leaf_site *site = &memos->leaf_site[LEAF_SITE(pc)];
	uint64_t rule = rules_find(pc, 0);

	site->slot = RULE_TYPE(rule) != RULE_STANDARD
			 ? 0
			 : RULE_CFA_OFFSET(rule) - 8 + (intptr_t)RULE_CFA_FROM_RBP(rule);
	site->pc = pc;
	return capture_walk(thread, memos, pc, sp, rbp);
}

/* Ends in calls, so that the way of a leaf that agrees has nothing to save. */
uint32_t capture_walk(struct thread *thread, struct memos *memos, uintptr_t pc, uintptr_t sp,
		      uintptr_t rbp)
{
	const struct leaf_site *site = &memos->leaf_site[LEAF_SITE(pc)];
	const uintptr_t slot =
	    site->slot & 1 ? rbp + (uintptr_t)site->slot - 1 : sp + (uintptr_t)site->slot;
	const struct leaves *leaves = memos->leaves;
	const struct leaf_set *set;
	struct leaf *leaf;
	uint64_t hash;

	if (unlikely(memos->valid !=
		     atomic_load_explicit(&state->forgotten, memory_order_acquire) + 1))
		return capture_first(thread, memos, pc, sp, rbp);
	if (unlikely(site->pc != pc))
		return capture_at_new_site(thread, memos, pc, sp, rbp);
	hash = leaf_hash(pc, sp,
			 likely(slot - thread->stack_low < thread->stack_high - thread->stack_low)
			     ? *(const uintptr_t *)slot
			     : 0);
	set = &leaves->set[hash >> leaves->shift];
	leaf = &leaves->leaf[(hash >> leaves->shift) * LEAF_WAYS];
	for (unsigned way = 0;
	     set->tag[way] != LEAF_TAG(hash) || !leaf_agrees(leaf, KEY(pc, 0), sp, rbp); leaf++)
		if (++way == LEAF_WAYS)
			return capture_missed(thread, memos, pc, sp, rbp, hash);
	if (likely(leaf->changes == memos->changes) &&
	    likely(words_all_agree(leaf->from, leaf->to)))
		return leaf->node;
	return capture_leaf_elsewhere(thread, memos, pc, sp, rbp, leaf);
}

#if defined(CAPTURE_CHECK)
uint32_t capture_afresh(struct thread *thread, const struct frame *caller)
{
	static struct memos memos;

	memos_clear(&memos);
	memos.leaves_grown = 1; /* they are the thread's */
	return capture_walk(thread, &memos, caller->pc, caller->sp, caller->rbp);
}
#endif

void capture_prepare(void)
{
	fallback_prepare();
#if defined(CAPTURE_CHECK)
	check_prepare();
#endif
}
