/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_LEAVES_H
#define MALLOGRAPH_LEAVES_H

/*
 * The innermost steps of many stacks, each remembered for itself (capture.c says why that is
 * exact): a leaf leads from a caller to a frame of a memo.
 *
 * They lie in sets of two. A set is chosen by a hash of the caller's pc and sp and of its own
 * return address (the innermost frame may be that of a function that all call for memory); what
 * is left of the hash tells the leaves of others without looking at them. Where the return
 * address lies is told by a small table, not by the rule: a wrong one would be no harm.
 *
 * A thread begins with LEAVES of them in its ring's chunk. Compilers come by the same few hundred
 * stacks again and again, so one that has written many gets more, of memory that some threads of
 * the process have in turn (leaves.c).
 */

#include <stdint.h>

#define LEAVES      128u
#define LEAVES_MORE 2048u
#define LEAF_WORDS  12u
#define LEAF_WAYS   2u
#define LEAF_SITES  64u

struct memo;
struct memos;
struct state;
struct thread;
struct word;

/*
 * If the caller's state is this, and the words that its steps read are what they were, they lead
 * to the at-th frame of a stack, and if that is remembered and its node is `parent`,
 * then `node` is this one's. A word lies `offset` bytes above sp; the last one is repeated to a
 * multiple of four.
 */
struct leaf {
	uint64_t key; /* the caller's; 0: empty */
	uintptr_t sp, rbp, rbp_matters;
	uint32_t at, words;
	uint32_t parent, node;
	uint64_t to_key;
	uintptr_t to_sp, to_rbp;
	/* As long as memos->changes is this, the words further out are these. */
	uint64_t changes;
	const struct word *from, *to;
	uint32_t offset[LEAF_WORDS];
	uintptr_t value[LEAF_WORDS];
};

struct leaf_set {
	uint16_t tag[LEAF_WAYS];
	uint16_t missed; /* what was sought last in vain: only if it is again is a leaf written */
	uint16_t turn;   /* which one was written last */
};

/* Where a caller's own return address lies, from its sp on; or, plus 1, from its rbp. */
struct leaf_site {
	uintptr_t pc;
	intptr_t slot;
};
#define LEAF_SITE(pc) ((uint32_t)(pc)*0x9e3779b1u >> 26)

struct leaves {
	uint32_t count;
	uint32_t shift; /* of a hash: gives the set */
	struct leaf_set *set;
	struct leaf *leaf;
};

/* 32 bits. */
static inline uint64_t leaf_hash(uintptr_t pc, uintptr_t sp, uintptr_t return_address)
{
	return (return_address + 8 * pc + 64 * sp) * UINT64_C(0x9e3779b97f4a7c15) >> 32;
}
#define LEAF_TAG(hash) ((uint16_t)(hash))
/* Of a hash; leaves a multiple of LEAF_WAYS and a power of two. */
#define LEAF_SHIFT(leaves) (32u - (unsigned)__builtin_ctz((leaves) / LEAF_WAYS))

static inline uintptr_t leaf_word_differs(const struct leaf *leaf, uint32_t i)
{
	return *(const uintptr_t *)(leaf->sp + leaf->offset[i]) ^ leaf->value[i];
}

/* Whether a leaf's steps lead from the caller to where they led. */
static inline int leaf_agrees(const struct leaf *leaf, uint64_t key, uintptr_t sp, uintptr_t rbp)
{
	if (leaf->key != key || leaf->sp != sp || ((leaf->rbp ^ rbp) & leaf->rbp_matters) != 0)
		return 0;
	for (uint32_t i = 0; i < leaf->words; i += 4)
		if ((leaf_word_differs(leaf, i) | leaf_word_differs(leaf, i + 1) |
		     leaf_word_differs(leaf, i + 2) | leaf_word_differs(leaf, i + 3)) != 0)
			return 0;
	return 1;
}

/* The node of a stack whose innermost steps are this leaf's, which agrees; 0: the rest is not
 * remembered. */
uint32_t leaf_node(struct leaf *leaf, const struct memos *memos);

/* Remembers the steps from frame i of memo, a plain one, to frame `at`. */
void leaf_write(struct leaf *leaf, struct memos *memos, const struct memo *memo, uint32_t i,
		uint32_t at, uint32_t node);

/* The leaf to be written for a stack that none was found for, or NULL. */
struct leaf *leaf_missed(struct thread *thread, struct memos *memos, uint64_t hash);

#endif
