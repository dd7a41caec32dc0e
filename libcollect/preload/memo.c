/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libcollect/preload/memo.h"

#include "libcollect/preload/rawio.h"

#include "libcollect/preload/banned.h"

static void memo_ready(struct memo *memo, struct remembered *frame, uint32_t frames,
		       struct word *words, uint32_t capacity)
{
	memo->frame = frame + 1;
	memo->frames = frames;
	memo->end = words + capacity;
	memo->words = capacity;
}

void memos_forget(struct memos *memos)
{
	for (unsigned i = 0; memos->leaves_written != 0 && i < LEAVES; i++)
		memos->leaf[i].key = 0;
	raw_clear(memos, offsetof(struct memos, small));
}

void memos_clear(struct memos *memos)
{
	memos_change(memos);
	for (unsigned i = 0; i < MEMOS; i++)
		memos->memo[i].count = 0;
	if (memos->ready) {
		for (unsigned i = 0; i < memos->leaves->count; i++)
			memos->leaves->leaf[i].key = 0;
		return;
	}
	memos->own_leaves =
	    (struct leaves){LEAVES, LEAF_SHIFT(LEAVES), memos->leaf_set, memos->leaf};
	memos->leaves = &memos->own_leaves;
	for (unsigned i = 0; i < 2; i++)
		memo_ready(&memos->memo[i], memos->small[i].frame, SMALL_FRAMES,
			   memos->small[i].words, 2 * SMALL_FRAMES);
	memo_ready(&memos->memo[2], memos->large, LARGE_FRAMES, memos->large_words, LARGE_WORDS);
	memo_ready(&memos->memo[MEMO_SHARED], memos->shared, MOST_FRAMES,
		   memos->shared_words + WARM_STEPS * STEP_WORDS, MOST_WORDS);
	memos->ready = 1;
}

void memo_begin(struct memos *memos, struct memo *memo)
{
	memos_change(memos);
	memo->count = 0;
	atomic_signal_fence(memory_order_seq_cst);
	memo->frame[-1].sp = UINTPTR_MAX;
	/* The padding always agrees: each word lies where it says, in itself. */
	for (unsigned i = 0; i < PAD_WORDS; i++)
		memo->end[i].address = memo->end[i].value = (uintptr_t)&memo->end[i].value;
}

void memos_top(struct memos *memos, struct memo *memo, uint32_t i, uint32_t node)
{
	memos->key = 0;
	if (memos->current != memo - memos->memo)
		memos->several = 1;
	memos->current = (uint32_t)(memo - memos->memo);
	memos->top_sp[memos->current] = memo->frame[i].sp;
	memo->used = ++memos->clock;
	if (memo->strayed || (memo->lost && memo->window == 0))
		return;
	atomic_signal_fence(memory_order_seq_cst);
	memos->sp = memo->frame[i].sp;
	memos->rbp = memo->frame[i].rbp;
	memos->rbp_matters = memo->frame[i].rest & REST_RBP ? UINTPTR_MAX : 0;
	memos->from = memo_words(memo, i);
	memos->to = memo->window > 0 ? memo_words(memo, memo->window - 1) : memo->end;
	memos->node = node;
	atomic_signal_fence(memory_order_seq_cst);
	memos->key = memo->frame[i].key;
}

/* From the end, because they may overlap and go up only. */
static void words_move(struct word *to, const struct word *from, uint32_t count)
{
	while (count-- > 0)
		to[count] = from[count];
}

void memo_copy(struct memo *to, const struct memo *from, uint32_t drop, uint32_t count)
{
	uint32_t dropped = drop > 0 ? REST_WORDS(from->frame[drop].rest) : 0;
	uint32_t words = REST_WORDS(from->frame[drop + count - 1].rest) - dropped;

	if (to == from && drop == 0)
		return;
	words_move(to->end - words, from->end - dropped - words, words);
	to->jumps = from->jumps;
	for (uint32_t i = 0; i < count; i++) {
		to->frame[i] = from->frame[drop + i];
		to->frame[i].rest -= REST(0, dropped);
	}
}

void memo_append(struct memo *memo, uint32_t count, const struct remembered *frame, uint32_t frames,
		 const struct word *word, uint32_t words)
{
	struct remembered *to = &memo->frame[count];
	uint64_t rbp = count > 0 ? to[-1].rest & REST_RBP : 0;
	struct word *out = count > 0 ? memo->end - REST_WORDS(to[-1].rest) : memo->end;
	const struct word *end = word + words;
	uint64_t keys = 0;

	for (uint32_t i = 0; i < frames; i++) {
		const uint64_t rest = frame[i].rest;
		const struct word *first = word + REST_WORDS(rest);

		to[i].key = frame[i].key;
		to[i].sp = frame[i].sp;
		to[i].rbp = frame[i].rbp;
		keys |= frame[i].key;
		if (unlikely(rest & REST_ALL)) {
			while (end > first)
				*--out = *--end;
		} else if (end > first) {
			*--out = first[0];
			if (rest & REST_RESTORES && rbp != 0)
				*--out = first[1];
			end = first;
		}
		rbp = rest & REST_RBP ? REST_RBP : rest & REST_RESTORES ? 0 : rbp;
		to[i].rest = REST(REST_PC_ID(rest), memo->end - out) | rbp;
	}
	memo->jumps = (count > 0 && memo->jumps) || (keys & KEY_INTERRUPTED);
}
