/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_MEMO_H
#define MALLOGRAPH_MEMO_H

/*
 * The stacks that a thread remembers, and the one that it is walking now.
 * capture.c says what for, and why it is exact.
 *
 *   | memos | small | small | large                | large, shared            | leaves |
 *                             frames →    ← words    frames →  ←|→  ← words
 *                                                        the walk's own
 *
 * A stack's frames lie outermost first; its words, in an array beside, newest
 * step first, below `end`. So what a walk finds is put behind the frames and
 * before the words that it has in common with a remembered stack. The last memo shares
 * its memory with the walk, whose frames and words grow from the middle to both
 * sides: when they meet the memo's, the memo gives way.
 *
 * A signal handler may leave a capture by longjmp at any instruction: while something
 * is being written it is empty (a memo's count, a leaf's or the entry's key is 0).
 */

#include "libcollect/preload/leaves.h"
#include "libcollect/preload/reach.h"
#include "libcollect/preload/state.h"

/*
 * A state of the walk: (pc, flags), sp, rbp. rest:
 *
 *   bits 0-23   pc id
 *   bits 24-35  in a memo: how many words the steps from the outermost frame to this one's
 *               read; in the walk: how many were read before
 *   bit  36     what the stack is from here on depends on rbp (in the walk: its own step does)
 *   bits 37-63  in a memo: node, 0: not looked up yet; in the walk: rest_flag
 */
struct remembered {
	uint64_t key;
	uintptr_t sp, rbp;
	uint64_t rest;
};

enum key_flag {
	KEY_INTERRUPTED = 1, /* pc is where a signal came, not a return address */
	KEY_GUESSED = 2      /* found by a guess: enum node_flag's NODE_GUESSED */
};
#define KEY(pc, flags)       ((uint64_t)(pc) << 2 | (flags))
#define KEY_PC(key)          ((uintptr_t)((key) >> 2))
#define KEY_FLAGS(key)       ((unsigned)(key)&3)
#define KEY_HOLDS(pc)        ((pc) >> 62 == 0)
#define REST(id, words)      ((uint64_t)(id) | (uint64_t)(words) << 24)
#define REST_PC_ID(rest)     ((uint32_t)(rest)&0xffffff)
#define REST_WORDS_MAX       0xfffu
#define REST_WORDS(rest)     ((uint32_t)((rest) >> 24) & REST_WORDS_MAX)
#define REST_RBP             (UINT64_C(1) << 36)
#define REST_NODE(rest)      ((uint32_t)((rest) >> 37))
#define REST_NODE_SHIFT      37
#define REST_NODE_NONE(rest) ((rest)&0x1fffffffff)
#define NODES_HELD           (1u << 27)          /* nodes from here on are not kept */
#define REST_RESTORES        (UINT64_C(1) << 37) /* the step's second word is a saved rbp */
#define REST_ALL             (UINT64_C(1) << 38) /* all its words matter */

/* A word that a step read, and what was there. */
struct word {
	uintptr_t address, value;
};

struct memo {
	struct remembered *frame; /* outermost first; frame[-1] lies higher than all */
	struct word *end;
	uint32_t frames, words; /* capacity */
	uint32_t count;         /* of frames; 0: empty */
	uint32_t used;          /* when: memos->clock */
	uint32_t window;        /* nodes, from this frame on, are those of stacks that begin here */
	uint8_t plain;          /* complete, and none of what follows */
	uint8_t strayed;        /* words are elsewhere than on the thread's stack above each sp */
	uint8_t jumps;          /* frames of signal handlers are among them */
	uint8_t cut;            /* frame[0] is below the depth limit: its step was not made */
	uint8_t lost;           /* the walk could not go on from frame[0] */
};

#define MEMOS        4u
#define MEMO_SHARED  3u
#define SMALL_FRAMES 64u
#define LARGE_FRAMES 632u
#define LARGE_WORDS  1224u
#define MOST_FRAMES  (FRAMES_MAX + 4u) /* of the last */
#define MOST_WORDS   (2u * MOST_FRAMES - 120u)
#define STEP_WORDS   3u  /* most that a step reads */
#define WARM_STEPS   16u /* for so many frames and their words there is always room */
#define PAD_WORDS    3u  /* behind `end`: a block of words may begin before it and end there */

struct memos {
	/* The innermost frame of the stack captured last, and its words, when they
	 * say all: compared at the entry of capture(). key 0: nothing. */
	uint64_t key;
	uintptr_t sp, rbp, rbp_matters; /* all bits or none */
	const struct word *from, *to;
	uint32_t node;
	uint32_t valid;   /* state->forgotten when all this was remembered, plus 1; 0: nothing */
	uint64_t changes; /* moves before any memo is written to */

	struct leaves *leaves;
	uint32_t leaves_written;
	uint32_t leaves_grown; /* it has been tried */

	uint32_t ready, clock;
	uint32_t current;        /* memo of the stack captured last */
	uint32_t several;        /* more than that one were ever used */
	uintptr_t top_sp[MEMOS]; /* where each one's innermost frame lay when it was written */
	struct memo memo[MEMOS];
	struct leaves own_leaves; /* the set and the leaves below */

	/* What every thread touches lies together: each page is a fault in a new ring. */
	struct leaf_site leaf_site[LEAF_SITES];
	struct leaf_set leaf_set[LEAVES / LEAF_WAYS];
	struct {
		struct word words[2 * SMALL_FRAMES + PAD_WORDS];
		struct remembered frame[1 + SMALL_FRAMES];
	} small[2];
	struct remembered large[1 + LARGE_FRAMES];
	struct word large_words[LARGE_WORDS + PAD_WORDS];
	struct remembered shared[1 + MOST_FRAMES + WARM_STEPS];
	struct word shared_words[WARM_STEPS * STEP_WORDS + MOST_WORDS + PAD_WORDS];
	struct leaf leaf[LEAVES];
};
_Static_assert(sizeof(struct memos) <= MEMO_BYTES, "the remembered stacks fit");
_Static_assert(MOST_WORDS < 1u << 12 && PC_IDS == 1u << 24, "and so do the rest's fields");

/* The walk's own frames end here; its words begin at shared_words. */
static inline struct remembered *memos_fresh_end(struct memos *memos)
{
	return memos->shared + 1 + MOST_FRAMES + WARM_STEPS;
}

static inline struct memos *thread_memos(struct thread *thread)
{
	return (struct memos *)thread_scratch(thread)->memo;
}

/* To be called before any of them is written to. */
static inline void memos_change(struct memos *memos)
{
	memos->key = 0;
	memos->changes++;
	atomic_signal_fence(memory_order_seq_cst);
}

/* Another thread's, whatever they were: as good as all zero. */
void memos_forget(struct memos *memos);

/* Empties them all. Makes new ones ready. */
void memos_clear(struct memos *memos);

/* Begins to write to a memo: it is empty until its count is set again. */
void memo_begin(struct memos *memos, struct memo *memo);

/* The first `count` frames of a memo are those of another, or of itself, behind the
 * outermost `drop`. */
void memo_copy(struct memo *to, const struct memo *from, uint32_t drop, uint32_t count);

/* Behind `count` frames of the memo come those of a walk. */
void memo_append(struct memo *memo, uint32_t count, const struct remembered *frame, uint32_t frames,
		 const struct word *word, uint32_t words);

/* Frame i of memo is the innermost of the stack captured last. */
void memos_top(struct memos *memos, struct memo *memo, uint32_t i, uint32_t node);

static inline int word_differs(const struct word *word)
{
	return *(const uintptr_t *)word->address != word->value;
}

static inline uintptr_t words_differ(const struct word *word)
{
	return (*(const uintptr_t *)word[0].address ^ word[0].value) |
	       (*(const uintptr_t *)word[1].address ^ word[1].value) |
	       (*(const uintptr_t *)word[2].address ^ word[2].value) |
	       (*(const uintptr_t *)word[3].address ^ word[3].value);
}

/* The first word from `from` on, before `to`, that is not what it was; `to`: none. Up to
 * three behind `to` are read. */
static inline const struct word *words_agree(const struct word *from, const struct word *to)
{
	for (; from < to; from += 4) {
		if (likely(words_differ(from) == 0))
			continue;
		while (from < to && !word_differs(from))
			from++;
		return from;
	}
	return to;
}

/* Whether none is, given that those behind `to` agree as well if all others do. */
static inline int words_all_agree(const struct word *from, const struct word *to)
{
	for (; from < to; from += 4)
		if (unlikely(words_differ(from) != 0))
			return 0;
	return 1;
}

static inline int same_place(const struct remembered *frame, uint64_t key, uintptr_t sp,
			     uintptr_t rbp)
{
	return frame->sp == sp && frame->key == key &&
	       (frame->rbp == rbp || (frame->rest & REST_RBP) == 0);
}

/* The words of the steps from frame i outwards begin here. */
static inline const struct word *memo_words(const struct memo *memo, uint32_t i)
{
	return memo->end - REST_WORDS(memo->frame[i].rest);
}

/* As memos_top() for the memo that it was in already, a plain one; the key is 0. */
static inline void memos_top_plain(struct memos *memos, const struct memo *memo, uint32_t i,
				   uint32_t node)
{
	memos->top_sp[memos->current] = memos->sp = memo->frame[i].sp;
	memos->rbp = memo->frame[i].rbp;
	memos->rbp_matters = memo->frame[i].rest & REST_RBP ? UINTPTR_MAX : 0;
	memos->from = memo_words(memo, i);
	memos->to = memo->end;
	memos->node = node;
	atomic_signal_fence(memory_order_seq_cst);
	memos->key = memo->frame[i].key;
}

/* The outermost frame that is still where it was, if frame i is and `word` is the first
 * from its words on that differs. */
static inline uint32_t memo_holds(const struct memo *memo, uint32_t i, const struct word *word)
{
	while (i > 0 && memo_words(memo, i - 1) <= word)
		i--;
	return i;
}

/* How many frames, of the `left` outermost, do not lie further in than sp. They
 * are in the order of their sp. */
static inline uint32_t memo_find(const struct memo *memo, uint32_t left, uintptr_t sp)
{
	const struct remembered *frame = memo->frame;
	uint32_t step = 1;

	while (left >= step && frame[left - step].sp < sp) {
		left -= step;
		step *= 2;
	}
	for (; step > 0; step /= 2)
		if (left >= step && frame[left - step].sp < sp)
			left -= step;
	return left;
}

#endif
