/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Captures that the warm path can't make an end of: other stacks than the thread's own, more than
 * a few new frames, several remembered stacks to choose from, stacks that are cut or incomplete,
 * and what is to be remembered where.
 */
#include "libcollect/preload/rewalk.h"

#include "libcollect/preload/fallback.h"

#include "libcollect/preload/banned.h"

enum { NOT_MET = MEMOS };
enum { FIRST_FRAME_MOST = 16384 }; /* from a thread's control block: no stack is smaller */

/* What a capture has in hand. */
struct hand {
	struct thread *thread;
	struct memos *memos;
	struct walk walk;
	struct remembered *fresh; /* the frames walked now: from here to memos_fresh_end() */
	struct remembered *floor; /* fresh must stay above, */
	struct word *ceiling;     /* and walk.word not above: the last memo's */
	uint32_t most;            /* frames of a stack */
	uint32_t left[MEMOS];     /* of each memo: the frames that may still be met */
	uint32_t met, at;         /* the rest of the stack is this memo's, from this frame */
	int strange;              /* can't be remembered */
};

static inline uint32_t hand_count(const struct hand *hand)
{
	return (uint32_t)(memos_fresh_end(hand->memos) - hand->fresh);
}

static inline uint32_t hand_words(const struct hand *hand)
{
	return (uint32_t)(hand->walk.word - hand->memos->shared_words);
}

/* --- the walk ------------------------------------------------------------ */

static void set_bounds(struct hand *hand)
{
	const struct memo *memo = &hand->memos->memo[MEMO_SHARED];
	uint32_t words = memo->count > 0 ? REST_WORDS(memo->frame[memo->count - 1].rest) : 0;

	hand->floor = memo->frame + memo->count;
	hand->ceiling = memo->end - words - STEP_WORDS;
}

/* The last memo gives way: first what can't be met any more. */
static cold void make_room(struct hand *hand)
{
	struct memos *memos = hand->memos;
	struct memo *memo = &memos->memo[MEMO_SHARED];

	memos_change(memos);
	if (memo->count > hand->left[MEMO_SHARED]) {
		memo->count = hand->left[MEMO_SHARED];
		set_bounds(hand);
	}
	if (hand->fresh > hand->floor && hand->walk.word <= hand->ceiling)
		return;
	memo->count = hand->left[MEMO_SHARED] = 0;
	set_bounds(hand);
	if (hand->walk.word > hand->ceiling) {
		hand->strange = 1;
		hand->walk.word = memos->shared_words;
	}
}

static inline void walk_at(struct walk *walk, const struct remembered *frame)
{
	walk->pc = KEY_PC(frame->key);
	walk->sp = walk->reach.low = frame->sp;
	walk->rbp = frame->rbp;
	walk->flags = KEY_FLAGS(frame->key);
}

/* Room for one more frame and what a step from it reads. */
static inline void room(struct hand *hand)
{
	if (unlikely(hand->fresh <= hand->floor || hand->walk.word > hand->ceiling))
		make_room(hand);
}

/* Notes the frame that the walk stands at, from which it will go on by this rule. */
static inline void note(struct hand *hand, uint64_t rule, uint32_t pc_id)
{
	struct remembered *frame;

	room(hand);
	frame = --hand->fresh;
	frame->key = KEY(hand->walk.pc, hand->walk.flags);
	frame->sp = hand->walk.sp;
	frame->rbp = hand->walk.rbp;
	frame->rest = walk_rest(rule, pc_id, hand_words(hand));
}

static inline enum step walk_on(struct hand *hand)
{
	struct walk *walk = &hand->walk;
	uint64_t rule = rules_find(walk->pc, walk->flags & KEY_INTERRUPTED);
	uintptr_t sp = walk->sp;
	enum step step;

	note(hand, rule,
	     unlikely(walk->flags & KEY_GUESSED) ? rules_guessed(walk->pc) : RULE_PC_ID(rule));
	step = walk_step(walk, rule);
	/* Off a signal stack, and to one that lies lower. */
	if (unlikely(step == STEP_ON && walk->sp <= sp))
		hand->strange = 1;
	return step;
}

/* --- remembered stacks ----------------------------------------------------- */

/* As words_agree(), for words that must be asked for page by page. */
static const struct word *words_agree_afar(const struct word *word, const struct word *to,
					   struct reach *reach)
{
	uintptr_t value;

	for (; word < to; word++) {
		/* Four at a time where all are known to be readable. */
		while (to - word >= 4 && reach_has(reach, word[0].address) &&
		       reach_has(reach, word[1].address) && reach_has(reach, word[2].address) &&
		       reach_has(reach, word[3].address)) {
			if (words_differ(word) != 0)
				break;
			word += 4;
		}
		if (word < to &&
		    (!reach_read(reach, word->address, &value) || value != word->value))
			break;
	}
	return word < to ? word : to;
}

/* The same for the steps from frame i of memo to frame `last`. Sets *reach to what the
 * walk has where they end or differ first. */
static const struct word *steps_agree_afar(struct thread *thread, const struct memo *memo,
					   uint32_t i, uint32_t last, struct reach *reach)
{
	const struct word *word = memo_words(memo, i),
			  *to = last > 0 ? memo_words(memo, last - 1) : memo->end;

	for (; memo->jumps && i > last; i--) {
		const struct word *end = memo_words(memo, i - 1);

		word = words_agree_afar(word, end, reach);
		if (word < end)
			return word;
		if (KEY_FLAGS(memo->frame[i - 1].key) & KEY_INTERRUPTED)
			reach_jump(reach, thread, memo->frame[i - 1].sp);
	}
	return words_agree_afar(word, to, reach);
}

/* The outermost frame of an incomplete stack: is there still no way on? */
static cold int still_lost(const struct memo *memo, const struct reach *reach)
{
	struct word words[STEP_WORDS];
	struct walk walk = {.word = words, .reach = *reach};

	walk_at(&walk, &memo->frame[0]);
	return walk_step(&walk, rules_find(walk.pc, walk.flags & KEY_INTERRUPTED)) == STEP_LOST;
}

int memo_agrees_afar(struct thread *thread, const struct memo *memo, uintptr_t sp)
{
	struct reach reach;

	reach_begin(&reach, thread, sp);
	return steps_agree_afar(thread, memo, memo->count - 1, 0, &reach) == memo->end &&
	       (!memo->lost || still_lost(memo, &reach));
}

/* Given that the walk stands at frame i of memo: whether the stack goes on as it did, as far as
 * it will be told. If not, *left are the frames that the walk may still come upon. */
static inline int verify(const struct hand *hand, const struct memo *memo, uint32_t i,
			 uint32_t *left)
{
	const uint32_t need = hand->most - hand_count(hand);
	const uint32_t last = i >= need ? i + 1 - need : memo->cut ? 1 : 0;
	const struct word *to = last > 0 ? memo_words(memo, last - 1) : memo->end, *word;
	struct reach reach = hand->walk.reach;

	*left = last;
	if (unlikely(last > i))
		return 0;
	if (likely(!memo->strayed && reach.own))
		word = words_agree(memo_words(memo, i), to);
	else
		word = steps_agree_afar(hand->thread, memo, i, last, &reach);
	if (unlikely(word < to)) {
		*left = memo_holds(memo, i, word);
		return 0;
	}
	return i >= need || (!memo->cut && (likely(!memo->lost) || still_lost(memo, &reach)));
}

/* Whether the walk has come upon a remembered frame from where on all is as it was. */
static inline int meet(struct hand *hand)
{
	const struct walk *walk = &hand->walk;

	if (unlikely(!KEY_HOLDS(walk->pc)))
		return 0;
	for (uint32_t n = 0; n < MEMOS; n++) {
		uint32_t number = (hand->memos->current + n) % MEMOS, left = hand->left[number];
		const struct memo *memo = &hand->memos->memo[number];

		if (left == 0)
			continue;
		left = memo_find(memo, left, walk->sp);
		hand->left[number] = left;
		if (left == 0 || !same_place(&memo->frame[left - 1], KEY(walk->pc, walk->flags),
					     walk->sp, walk->rbp))
			continue;
		if (likely(verify(hand, memo, left - 1, &hand->left[number]))) {
			hand->met = number;
			hand->at = left - 1;
			hand->walk.reach.strayed |= memo->strayed;
			return 1;
		}
	}
	return 0;
}

enum end { END_REACHED, END_MET, END_CUT, END_LOST, END_OTHER };

/* A stack that is cut is walked a little further than to the limit, as far as it can be
 * remembered: the next one may be shorter. */
enum { WALK_MAX = MOST_FRAMES - 1 };

static inline enum end walk_stack(struct hand *hand)
{
	for (;;) {
		enum step step;

		if (likely(hand_count(hand) < hand->most)) {
			if (meet(hand))
				return END_MET;
		} else if (hand_count(hand) >= WALK_MAX) {
			break;
		}
		step = walk_on(hand);
		if (likely(step == STEP_ON))
			continue;
		if (step == STEP_OTHER)
			return hand_count(hand) > hand->most ? END_CUT : END_OTHER;
		if (step == STEP_END)
			return END_REACHED;
		hand->fresh->rest |= REST_RBP | REST_ALL; /* to be tried again */
		return END_LOST;
	}
	/* A frame to tell that there is one: its step is not made. */
	note(hand, RULE_END, 0);
	hand->strange |= !KEY_HOLDS(hand->walk.pc);
	return END_CUT;
}

/* --- remembering ------------------------------------------------------------ */

/* Where the stack in hand shall be remembered, frames and words as given: over the one
 * that it shares its outer part with, or in another's place. NULL: nowhere. */
static struct memo *choose(struct hand *hand, uint32_t frames, uint32_t words)
{
	struct memos *memos = hand->memos;
	struct memo *oldest = NULL;

	if (hand->met != NOT_MET) {
		struct memo *met = &memos->memo[hand->met];
		uint32_t lost = met->count - 1 - hand->at, common = hand->at + 1;
		int alike = met->strayed == hand->walk.reach.strayed;
		int fits = frames <= met->frames && words <= met->words;

		if (alike && fits && !worth_keeping(lost, common))
			return met;
		if (!alike && common > COPY_RATIO * (hand_count(hand) + FEW_FRAMES))
			return NULL;
	}
	for (unsigned i = 0; i < MEMOS; i++) {
		struct memo *memo = &memos->memo[i];

		if (i == hand->met || frames > memo->frames || words > memo->words)
			continue;
		if (oldest == NULL ||
		    (oldest->count > 0 && (memo->count == 0 || memo->used < oldest->used)))
			oldest = memo;
	}
	return oldest;
}

static cold uint32_t unknown(struct hand *hand, struct memo *memo)
{
	memos_change(hand->memos);
	if (memo != NULL)
		memo->count = 0;
	count(COUNT_STACK_UNKNOWN);
	return 0;
}

/* What the stack in hand is, all told. */
struct whole {
	struct memo *met; /* NULL: nothing was */
	uint32_t kept;    /* frames that it has in common with that */
	uint32_t drop;    /* the outermost of them, for which there is no room */
	uint32_t window;  /* frames from here on (of those that are left) make the stack */
	uint32_t mark;    /* that it hangs below; 0: the root */
	int same_window;  /* nodes of frames that are kept are still right */
	int cut, lost;    /* as in struct memo */
};

static struct whole whole_of(const struct hand *hand, enum end end)
{
	struct whole whole = {.cut = end == END_CUT, .lost = end == END_LOST};
	uint32_t frames = hand_count(hand);

	if (end == END_MET) {
		whole.met = &hand->memos->memo[hand->met];
		whole.kept = hand->at + 1;
		whole.cut = whole.met->cut;
		whole.lost = whole.met->lost;
		frames += whole.kept;
	}
	whole.mark = whole.lost ? PC_INCOMPLETE : 0;
	if (unlikely(frames > hand->most)) {
		whole.window = frames - hand->most;
		whole.mark = PC_CUT;
	}
	whole.same_window = whole.met != NULL && whole.met->window == whole.window;
	if (unlikely(frames > MOST_FRAMES)) {
		/* Half of those below the limit stay for when the stack gets shorter. */
		whole.drop = whole.window / 2;
		if (whole.drop < frames - MOST_FRAMES)
			whole.drop = frames - MOST_FRAMES;
		whole.window -= whole.drop;
		whole.cut = 1;
		whole.lost = 0;
	}
	return whole;
}

/* The nodes of all frames of memo that make the stack: of those that are kept, outermost first,
 * they may be known. Gives the innermost's. */
static inline uint32_t remember_nodes(const struct whole *whole, struct memo *memo, uint32_t kept,
				      uint32_t count)
{
	uint32_t node, from = kept > memo->window ? kept : memo->window;

	if (likely(whole->same_window && kept > memo->window)) {
		node = memo_node(memo, kept - 1, whole->mark);
		if (node == 0)
			return 0;
	} else {
		node = whole->mark != 0 ? stacks_child(0, whole->mark) : 0;
		if (whole->mark != 0 && node == 0)
			return 0;
		if (kept > memo->window)
			node =
			    nodes_below(node, memo->frame + memo->window, kept - memo->window, 1);
		if (node == 0 && kept > memo->window)
			return 0;
	}
	return nodes_below(node, memo->frame + from, count - from, 1);
}

/* Writes the stack in hand to memo. Gives its node. */
static uint32_t remember(struct hand *hand, const struct whole *whole, struct memo *memo)
{
	uint32_t kept = whole->kept - whole->drop, fresh = hand_count(hand), node;

	memo_begin(hand->memos, memo);
	if (whole->met != NULL)
		memo_copy(memo, whole->met, whole->drop, kept);
	memo_append(memo, kept, hand->fresh, fresh, hand->memos->shared_words, hand_words(hand));
	memo->window = whole->window;
	memo->cut = whole->cut != 0;
	memo->lost = whole->lost != 0;
	memo->strayed = hand->walk.reach.strayed != 0;
	memo->plain = !memo->strayed && !memo->cut && !memo->lost && memo->window == 0;
	node = remember_nodes(whole, memo, kept, kept + fresh);
	if (unlikely(node == 0))
		return unknown(hand, memo);
	atomic_signal_fence(memory_order_seq_cst);
	memo->count = kept + fresh;
	memos_top(hand->memos, memo, kept + fresh - 1, node);
	return node;
}

/* The node of a stack that is not to be remembered. */
static cold uint32_t node_of(struct hand *hand, const struct whole *whole)
{
	uint32_t window = whole->window + whole->drop, skip = window, node = 0;

	if (whole->mark != 0)
		node = stacks_child(0, whole->mark);
	if (whole->kept > window) {
		node = whole->same_window
			   ? memo_node(whole->met, hand->at, whole->mark)
			   : nodes_below(node, whole->met->frame + window, whole->kept - window, 0);
		skip = whole->kept;
	}
	if (node == 0 && (whole->mark != 0 || whole->kept > window))
		return unknown(hand, NULL);
	skip -= whole->kept;
	node = nodes_below(node, hand->fresh + skip, hand_count(hand) - skip, 0);
	return node != 0 ? node : unknown(hand, NULL);
}

/* Gives the node of the stack in hand, which ended so, and remembers it. */
static uint32_t settle(struct hand *hand, enum end end)
{
	const struct whole whole = whole_of(hand, end);
	uint32_t frames = whole.kept - whole.drop + hand_count(hand), words = hand_words(hand),
		 node;
	struct memo *memo;

	if (unlikely(hand_count(hand) == 0 && whole.same_window && whole.drop == 0)) {
		node = memo_node(whole.met, hand->at, whole.mark);
		if (unlikely(node == 0))
			return unknown(hand, whole.met);
		memos_top(hand->memos, whole.met, hand->at, node);
		return node;
	}
	if (whole.kept > whole.drop) {
		words += REST_WORDS(whole.met->frame[hand->at].rest);
		if (whole.drop > 0)
			words -= REST_WORDS(whole.met->frame[whole.drop].rest);
	}
	memo = unlikely(hand->strange || (whole.drop > 0 && whole.kept <= whole.drop))
		   ? NULL
		   : choose(hand, frames, words);
	return likely(memo != NULL) ? remember(hand, &whole, memo) : node_of(hand, &whole);
}

/* The whole stack again, by libunwind. Nothing of it is remembered. */
static cold uint32_t settle_other(struct hand *hand, const struct frame *caller)
{
	struct memos *memos = hand->memos;
	uintptr_t *pcs = (uintptr_t *)(memos->shared + 1);
	uint32_t n, node = 0, mark, id[STACKS_PATH_MAX];
	int complete = 0;

	hand->strange = 1;
	_Static_assert(sizeof(memos->shared) / 4 >= FRAMES_MAX * sizeof(*pcs), "room for pcs");
	memos_change(memos);
	memos->memo[MEMO_SHARED].count = 0;
	n = fallback_walk(hand->thread, caller, pcs, hand->most, &complete);
	if (n == 0)
		return settle(hand, END_LOST);
	mark = complete ? 0 : n == hand->most ? PC_CUT : PC_INCOMPLETE;
	if (mark != 0) {
		node = stacks_child(0, mark);
		if (node == 0)
			return unknown(hand, NULL);
	}
	while (n > 0) {
		uint32_t path = 0;

		while (n > 0 && path < STACKS_PATH_MAX)
			id[path++] = RULE_PC_ID(rules_find(pcs[--n], 0));
		node = stacks_path(node, id, path);
		if (node == 0)
			return unknown(hand, NULL);
	}
	return node;
}

/*
 * The thread's stack seems to reach further down than was known. But what adjoins it there may
 * be another, say of a coroutine, that can be unmapped at any time: then the walk does not come
 * to where the stack was known to be. Of a thread that is new, only its top is known; above its
 * outermost frame are its thread-local variables.
 */
static cold void stack_lowered(struct hand *hand, enum end end, uintptr_t low)
{
	const uintptr_t last =
	    end == END_MET ? hand->memos->memo[hand->met].frame[0].sp : hand->walk.sp;

	if (last >= low || (hand->thread->stack_high - low < 4096 && low - last < FIRST_FRAME_MOST))
		return;
	hand->thread->stack_low = hand->thread->stack_floor = low;
	hand->walk.reach.strayed = 1;
}

uint32_t rewalk(struct thread *thread, struct memos *memos, const struct frame *caller)
{
	struct hand hand = {.thread = thread,
			    .memos = memos,
			    .fresh = memos_fresh_end(memos),
			    .most = state->max_depth,
			    .met = NOT_MET};
	const uintptr_t low = thread->stack_low;
	enum end end;

	hand.walk.pc = caller->pc;
	hand.walk.sp = caller->sp;
	hand.walk.rbp = caller->rbp;
	hand.walk.word = memos->shared_words;
	reach_begin(&hand.walk.reach, thread, caller->sp);
	for (unsigned i = 0; i < MEMOS; i++)
		hand.left[i] = memos->memo[i].count;
	set_bounds(&hand);
	end = walk_stack(&hand);
	if (unlikely(thread->stack_low < low))
		stack_lowered(&hand, end, low);
	return unlikely(end == END_OTHER) ? settle_other(&hand, caller) : settle(&hand, end);
}
