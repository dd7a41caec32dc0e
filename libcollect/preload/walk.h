/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_WALK_H
#define MALLOGRAPH_WALK_H

/* Steps from a frame to its caller's, by rules (rules.h). */

#include "libcollect/preload/memo.h"
#include "libcollect/preload/reach.h"

struct walk {
	uintptr_t pc, sp, rbp;
	unsigned flags;    /* enum key_flag */
	struct word *word; /* where the next word read is noted */
	struct reach reach;
};

enum step {
	STEP_ON,
	STEP_END,  /* this was the outermost frame */
	STEP_LOST, /* there must be more, but it can't be told where */
	STEP_OTHER /* the rules can't say */
};

/* Those of other frames than standard ones. */
enum step walk_step_odd(struct walk *walk, uint64_t rule);

/* What is noted of a frame whose step is by this rule, when so many words have been read. */
static inline uint64_t walk_rest(uint64_t rule, uint32_t pc_id, uint32_t words)
{
	uint64_t rest = REST(pc_id, words);

	if (likely(RULE_TYPE(rule) == RULE_STANDARD))
		return rest | (RULE_CFA_FROM_RBP(rule) ? REST_RBP : 0) |
		       (RULE_RBP_SAVED(rule) ? REST_RESTORES : 0);
	if (RULE_TYPE(rule) == RULE_SIGNAL || RULE_TYPE(rule) == RULE_END)
		return rest | REST_RESTORES | REST_ALL;
	return rest | REST_RBP | REST_ALL;
}

static inline int walk_read(struct walk *walk, uintptr_t address, uintptr_t *value)
{
	if (!reach_read(&walk->reach, address, value))
		return 0;
	*walk->word++ = (struct word){address, *value};
	return 1;
}

static inline enum step walk_arrive(struct walk *walk, uintptr_t cfa, uintptr_t pc, uintptr_t rbp)
{
	if (unlikely(pc == 0))
		return STEP_END;
	if (unlikely(cfa <= walk->sp))
		return STEP_LOST;
	walk->pc = pc;
	walk->sp = walk->reach.low = cfa;
	walk->rbp = rbp;
	walk->flags = 0;
	return STEP_ON;
}

/* One step; *walk stays where it is unless it is STEP_ON. Notes up to STEP_WORDS
 * words, all that it reads. */
static inline enum step walk_step(struct walk *walk, uint64_t rule)
{
	uintptr_t cfa, pc, rbp = walk->rbp;

	if (unlikely(RULE_TYPE(rule) != RULE_STANDARD))
		return walk_step_odd(walk, rule);
	cfa = (RULE_CFA_FROM_RBP(rule) ? walk->rbp : walk->sp) + (uintptr_t)RULE_CFA_OFFSET(rule);
	if (!walk_read(walk, cfa - 8, &pc) ||
	    (RULE_RBP_SAVED(rule) &&
	     !walk_read(walk, cfa + (uintptr_t)RULE_RBP_OFFSET(rule), &rbp)))
		return STEP_LOST;
	return walk_arrive(walk, cfa, pc, rbp);
}

#endif
