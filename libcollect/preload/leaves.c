/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Leaves: looking for the rest of a stack, writing, and where more of them lie.
 *
 * The memory for more is the process', as nobody tells us of a thread's end: it is for the thread
 * whose ring's chunk is named as its owner, as long as that chunk is a ring of this session. Who
 * finds that it isn't takes the memory over, as does a new thread that finds its own
 * chunk there. Each taking changes the owner by compare-and-swap, with a count, so that of
 * two only one succeeds. A thread asks once.
 *
 * A fork copies it: the child of one in a signal handler goes on in the middle of a capture.
 * None of the owners is a ring of the child's session, which so takes it over as it needs it.
 */
#include "libcollect/preload/leaves.h"

#include "libcollect/preload/memo.h"
#include "libcollect/preload/rawio.h"
#include "libcollect/preload/session.h"
#include "libcollect/preload/state.h"

#include "libcollect/preload/banned.h"

enum { WRITTEN_ENOUGH = 2 * LEAVES };

struct more {
	struct leaves leaves;
	struct leaf_set set[LEAVES_MORE / LEAF_WAYS];
	_Alignas(64) struct leaf leaf[LEAVES_MORE];
};

enum { MEMORIES = 8 };
static struct leaf_memory {
	_Atomic uint64_t owner;      /* ring's chunk, and bits 32-63 how often that has changed */
	struct more *_Atomic memory; /* mapped when it is first asked for */
} memories[MEMORIES];

/* The steps of a leaf lead to this frame. */
static void meets(struct leaf *leaf, const struct memos *memos, const struct memo *memo)
{
	leaf->changes = 0; /* never: a handler may leave by longjmp between the two */
	atomic_signal_fence(memory_order_seq_cst);
	leaf->from = memo_words(memo, leaf->at);
	leaf->to = memo->end;
	atomic_signal_fence(memory_order_seq_cst);
	leaf->changes = memos->changes;
}

static inline int leads_to(const struct leaf *leaf, const struct memo *memo)
{
	return leaf->at < memo->count && memo->plain &&
	       same_place(&memo->frame[leaf->at], leaf->to_key, leaf->to_sp, leaf->to_rbp) &&
	       REST_NODE(memo->frame[leaf->at].rest) == leaf->parent &&
	       words_all_agree(memo_words(memo, leaf->at), memo->end);
}

uint32_t leaf_node(struct leaf *leaf, const struct memos *memos)
{
	const struct memo *memo = &memos->memo[memos->current];

	if (unlikely(!leads_to(leaf, memo))) {
		for (memo = memos->memo; !leads_to(leaf, memo);)
			if (++memo == memos->memo + MEMOS)
				return 0;
	}
	meets(leaf, memos, memo);
	return leaf->node;
}

void leaf_write(struct leaf *leaf, struct memos *memos, const struct memo *memo, uint32_t i,
		uint32_t at, uint32_t node)
{
	const struct remembered *caller = &memo->frame[i], *to = &memo->frame[at];
	const struct word *word = memo_words(memo, i);
	const uint32_t words = (uint32_t)(memo_words(memo, at) - word);

	/* A parent that is not kept (NODES_HELD) would agree with any other such. */
	if (REST_NODE(to->rest) == 0 || words > LEAF_WORDS || to->sp - caller->sp > UINT32_MAX / 2)
		return;
	memos->leaves_written++;
	leaf->key = 0;
	atomic_signal_fence(memory_order_seq_cst);
	leaf->sp = caller->sp;
	leaf->rbp = caller->rbp;
	leaf->rbp_matters = caller->rest & REST_RBP ? UINTPTR_MAX : 0;
	leaf->at = at;
	leaf->words = words;
	leaf->parent = REST_NODE(to->rest);
	leaf->node = node;
	leaf->to_key = to->key;
	leaf->to_sp = to->sp;
	leaf->to_rbp = to->rbp;
	for (uint32_t n = 0; n < words || n % 4 != 0; n++) {
		const struct word *from = &word[n < words ? n : words - 1];

		leaf->offset[n] = (uint32_t)(from->address - caller->sp);
		leaf->value[n] = from->value;
	}
	meets(leaf, memos, memo);
	leaf->key = caller->key;
}

/* Memory for more leaves, empty; NULL: there is none. */
static struct more *take_memory(const struct thread *thread)
{
	const uint32_t chunk = region_chunk_number(shared_region, thread->ring);
	const struct session *session = state->session;

	/* Of a session that was given back no ring says whether its thread lives. */
	if (session == NULL || session->epoch != thread->epoch)
		return NULL;
	for (unsigned i = 0; i < MEMORIES; i++) {
		struct leaf_memory *it = &memories[i];
		uint64_t owner = atomic_load(&it->owner);
		const uint32_t last = (uint32_t)owner;
		struct more *more;

		if (owner != 0 && last != chunk &&
		    session_owns(region_chunk(shared_region, last), thread->epoch))
			continue;
		if (!atomic_compare_exchange_strong(&it->owner, &owner,
						    ((owner >> 32) + 1) << 32 | chunk))
			continue;
		more = atomic_load(&it->memory);
		if (more == NULL) {
			more = raw_map(sizeof(*more));
			atomic_store(&it->memory, more);
			return more;
		}
		for (unsigned n = 0; n < LEAVES_MORE; n++)
			more->leaf[n].key = 0;
		return more;
	}
	return NULL;
}

static cold void leaves_grow(const struct thread *thread, struct memos *memos)
{
	struct more *more;

	memos->leaves_grown = 1;
	more = take_memory(thread);
	if (more == NULL)
		return;
	more->leaves.count = LEAVES_MORE;
	more->leaves.shift = LEAF_SHIFT(LEAVES_MORE);
	more->leaves.set = more->set;
	more->leaves.leaf = more->leaf;
	atomic_signal_fence(memory_order_seq_cst);
	memos->leaves = &more->leaves;
}

struct leaf *leaf_missed(struct thread *thread, struct memos *memos, uint64_t hash)
{
	struct leaf_set *set;

	if (unlikely(memos->leaves_written > WRITTEN_ENOUGH) && !memos->leaves_grown)
		leaves_grow(thread, memos);
	set = &memos->leaves->set[hash >> memos->leaves->shift];
	if (set->missed != LEAF_TAG(hash)) {
		set->missed = LEAF_TAG(hash);
		return NULL;
	}
	set->turn ^= 1;
	set->tag[set->turn] = LEAF_TAG(hash);
	return &memos->leaves->leaf[(hash >> memos->leaves->shift) * LEAF_WAYS + set->turn];
}
