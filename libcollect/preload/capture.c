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
 * that agrees from there on, nothing has to be walked, looked up or written.
 *
 * Nodes are looked up for up to STACKS_PATH_MAX new frames at once. Those in between are
 * not known until a later walk meets the stack there.
 *
 * A stack that could not be walked to its end hangs below a node marked
 * NODE_INCOMPLETE instead of the root. Of one deeper than the limit the innermost frames
 * are kept, below one marked NODE_CUT: its memo is verified as far as these go,
 * and its nodes are those of a window on it, which moves with its depth.
 *
 * So four ways lead through this: the innermost frame is that of the stack before and
 * all words agree (capture_node); a leaf agrees; a few frames are new (warm); all else
 * (rewalk.c, which could do everything).
 *
 * What is remembered is the thread's alone. A signal handler that allocates
 * finds the gate closed, but may leave by longjmp at any instruction: memo.h.
 */
#include "libcollect/preload/capture.h"

#include "libcollect/preload/fallback.h"
#include "libcollect/preload/rewalk.h"
#if defined(CAPTURE_CHECK)
#include "libcollect/preload/check.h"
#endif

#include "libcollect/preload/banned.h"

/* Whether a leaf's steps lead from the caller to where they led. */
static inline int leaf_agrees(const struct leaf *leaf, const struct frame *caller)
{
	const struct word *end = leaf->word + leaf->words;

	return leaf->key == KEY(caller->pc, 0) && leaf->sp == caller->sp &&
	       ((leaf->rbp ^ caller->rbp) & leaf->rbp_matters) == 0 &&
	       words_agree(leaf->word, end) == end;
}

/* The node of a stack whose innermost steps are this leaf's; 0: the rest is not remembered. */
static inline uint32_t leaf_node(const struct leaf *leaf, const struct memos *memos)
{
	for (uint32_t i = 0; i < MEMOS; i++) {
		const struct memo *memo = &memos->memo[(memos->current + i) % MEMOS];

		if (leaf->at < memo->count && memo->plain &&
		    same_place(&memo->frame[leaf->at], leaf->to_key, leaf->to_sp, leaf->to_rbp) &&
		    REST_NODE(memo->frame[leaf->at].rest) == leaf->parent &&
		    words_agree(memo_words(memo, leaf->at), memo->end) == memo->end)
			return leaf->node;
	}
	return 0;
}

/* Remembers the steps from the caller, frame i of memo, to frame `at`. */
static inline void remember_leaf(struct leaf *leaf, const struct memo *memo, uint32_t i,
				 uint32_t at, uint32_t node)
{
	const struct remembered *caller = &memo->frame[i], *to = &memo->frame[at];
	const struct word *word = memo_words(memo, i);
	const uint32_t words = (uint32_t)(memo_words(memo, at) - word);

	if (words > LEAF_WORDS || REST_NODE(to->rest) == 0)
		return;
	leaf->key = 0;
	atomic_signal_fence(memory_order_seq_cst);
	leaf->sp = caller->sp;
	leaf->rbp = caller->rbp;
	leaf->rbp_matters = caller->rest & REST_RBP ? UINTPTR_MAX : 0;
	leaf->at = at;
	leaf->words = (uint16_t)words;
	leaf->to_key = to->key;
	leaf->to_sp = to->sp;
	leaf->to_rbp = to->rbp;
	leaf->parent = REST_NODE(to->rest);
	leaf->node = node;
	for (uint32_t n = 0; n < words; n++)
		leaf->word[n] = word[n];
	for (uint32_t n = words; n % 4 != 0; n++)
		leaf->word[n] = word[words - 1];
	atomic_signal_fence(memory_order_seq_cst);
	leaf->key = caller->key;
}

/*
 * New frames that are few and standard, on the thread's own stack, and
 * replace few of the stack walked last. Gives the node; 0: rewalk() must see to
 * it, from the start.
 */
static inline uint32_t warm(const struct thread *thread, struct memos *memos,
			    const struct frame *caller, struct leaf *leaf)
{
	struct memo *memo = &memos->memo[memos->current];
	struct remembered *frame = memo->frame, *fresh = memos_fresh_end(memos);
	struct word *word = memos->shared_words;
	uintptr_t pc = caller->pc, sp = caller->sp, rbp = caller->rbp;
	const uintptr_t last = thread->stack_high - 8;
	uint32_t left = memo->count, n = 0, words, before, node;

	for (;; n++) {
		uintptr_t cfa;
		uint64_t rule;

		while (left > 0 && frame[left - 1].sp < sp)
			left--;
		if (left > 0 && same_place(&frame[left - 1], KEY(pc, 0), sp, rbp)) {
			const struct word *differs =
			    words_agree(memo_words(memo, left - 1), memo->end);

			if (likely(differs == memo->end))
				break;
			left = memo_holds(memo, left - 1, differs);
		}
		rule = rules_find(pc, 0);
		if (n == WARM_STEPS || unlikely(RULE_TYPE(rule) != RULE_STANDARD))
			return 0;
		*--fresh = (struct remembered){
		    KEY(pc, 0), sp, rbp,
		    walk_rest(rule, RULE_PC_ID(rule), (uint32_t)(word - memos->shared_words))};
		cfa = (RULE_CFA_FROM_RBP(rule) ? rbp : sp) + (uintptr_t)RULE_CFA_OFFSET(rule);
		if (unlikely(cfa - 8 < sp || cfa - 8 > last || (cfa & 7) != 0))
			return 0;
		pc = *(const uintptr_t *)(cfa - 8);
		*word++ = (struct word){cfa - 8, pc};
		if (RULE_RBP_SAVED(rule)) {
			uintptr_t slot = cfa + (uintptr_t)RULE_RBP_OFFSET(rule);

			if (unlikely(slot < sp || slot > last || (slot & 7) != 0))
				return 0;
			rbp = *(const uintptr_t *)slot;
			*word++ = (struct word){slot, rbp};
		}
		if (unlikely(pc == 0 || !KEY_HOLDS(pc)))
			return 0;
		sp = cfa;
	}
	words = (uint32_t)(word - memos->shared_words);
	before = REST_WORDS(frame[left - 1].rest);
	if (unlikely(n == 0 || left + n > state->max_depth || left + n > memo->frames ||
		     before + words > memo->words) ||
	    worth_keeping(memo->count - left, left))
		return 0;
	node = memo_node(memo, left - 1, 0);
	if (unlikely(node == 0))
		return 0;
	memos->key = 0;
	memo->count = 0;
	atomic_signal_fence(memory_order_seq_cst);
	memo_append(memo, left, fresh, n, memos->shared_words, words);
	node = nodes_below(node, &frame[left], n, 1);
	if (unlikely(node == 0))
		return 0;
	atomic_signal_fence(memory_order_seq_cst);
	memo->count = left + n;
	memos_top(memos, memo, left + n - 1, node);
	remember_leaf(leaf, memo, left + n - 1, left - 1, node);
	return node;
}

/* A remembered stack that is this one to its innermost frame, or NULL. */
static inline struct memo *same_stack(struct thread *thread, struct memos *memos,
				      const struct frame *caller)
{
	for (unsigned i = 0; i < MEMOS; i++) {
		struct memo *memo = &memos->memo[i];
		uint32_t last = memo->count - 1;

		if (memo->count == 0 ||
		    likely(!same_place(&memo->frame[last], KEY(caller->pc, 0), caller->sp,
				       caller->rbp)) ||
		    memo->window != 0 || REST_NODE(memo->frame[last].rest) == 0)
			continue;
		if (memo->plain ? words_agree(memo_words(memo, last), memo->end) == memo->end
				: memo_agrees_afar(thread, memo, caller->sp))
			return memo;
	}
	return NULL;
}

/* The leaves where the caller's may be; NULL: it is of no kind that is kept. */
static inline struct leaf *leaves(const struct thread *thread, struct memos *memos,
				  const struct frame *caller)
{
	uint64_t rule = rules_find(caller->pc, 0);
	uintptr_t slot = (RULE_CFA_FROM_RBP(rule) ? caller->rbp : caller->sp) +
			 (uintptr_t)RULE_CFA_OFFSET(rule) - 8;

	if (unlikely(RULE_TYPE(rule) != RULE_STANDARD || slot < caller->sp ||
		     slot > thread->stack_high - 8 || (slot & 7) != 0))
		return NULL;
	return leaf_of(memos, KEY(caller->pc, 0), caller->sp, *(const uintptr_t *)slot);
}

static __attribute__((noinline)) uint32_t
capture_walk(struct thread *thread, const struct frame *caller, struct memos *memos)
{
	uint32_t forgotten = atomic_load_explicit(&state->forgotten, memory_order_acquire), node;
	int own = likely(caller->sp >= thread->stack_low && caller->sp < thread->stack_high);
	struct leaf *leaf = NULL;
	struct memo *memo;

	if (unlikely(!memos->ready || memos->forgotten != forgotten)) {
		memos_clear(memos);
		memos->forgotten = forgotten;
	}
	if (likely(own && (leaf = leaves(thread, memos, caller)) != NULL)) {
		if (leaf_agrees(&leaf[0], caller) || leaf_agrees(++leaf, caller)) {
			node = leaf_node(leaf, memos);
			if (likely(node != 0))
				return node;
		} else {
			leaf--;
			leaf->turn ^= 1;
			leaf += leaf->turn;
		}
	}
	if (memos->several || !memos->memo[memos->current].plain) {
		memo = same_stack(thread, memos, caller);
		if (memo != NULL) {
			node = REST_NODE(memo->frame[memo->count - 1].rest);
			memos_top(memos, memo, memo->count - 1, node);
			return node;
		}
	}
	if (likely(leaf != NULL && memos->memo[memos->current].plain)) {
		node = warm(thread, memos, caller, leaf);
		if (likely(node != 0))
			return node;
	}
	return rewalk(thread, memos, caller);
}

static inline uint32_t capture_node(struct thread *thread, const struct frame *caller)
{
	const struct memos *memos = thread_memos(thread);

	if (likely(memos->key == KEY(caller->pc, 0) && memos->sp == caller->sp &&
		   ((memos->rbp ^ caller->rbp) & memos->rbp_matters) == 0) &&
	    likely(memos->forgotten ==
		   atomic_load_explicit(&state->forgotten, memory_order_acquire)) &&
	    likely(words_agree(memos->from, memos->to) == memos->to))
		return memos->node;
	return capture_walk(thread, caller, thread_memos(thread));
}

#if defined(CAPTURE_CHECK)
uint32_t capture_afresh(struct thread *thread, const struct frame *caller)
{
	static struct memos memos;

	memos_clear(&memos);
	return capture_walk(thread, caller, &memos);
}
#endif

uint32_t capture(struct thread *thread, const struct frame *caller)
{
	uint32_t node = capture_node(thread, caller);

#if defined(CAPTURE_CHECK)
	check_stack(thread, caller, node);
#endif
	return node;
}

void capture_prepare(void)
{
	fallback_prepare();
#if defined(CAPTURE_CHECK)
	check_prepare();
#endif
}
