/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_REWALK_H
#define MALLOGRAPH_REWALK_H

/* Between the two halves of capturing: capture.c, which makes an end of most, and
 * rewalk.c, which can all. */

#include "libcollect/preload/memo.h"
#include "libcollect/preload/rules.h"
#include "libcollect/preload/stacks.h"
#include "libcollect/preload/walk.h"

/* Whether all of a stack that is not plain is as remembered, given that its innermost frame
 * is, at sp. */
int memo_agrees_afar(struct thread *thread, const struct memo *memo, uintptr_t sp);

/* Captures the stack that begins with *caller: gives its node, and remembers it. */
uint32_t rewalk(struct thread *thread, struct memos *memos, const struct frame *caller);

/* The node of the last of these frames, which lie below `node`; 0: no memory. What is
 * looked up on the way is kept with the frames, if keep. */
static inline uint32_t nodes_below(uint32_t node, struct remembered *frame, uint32_t count,
				   int keep)
{
	uint32_t id[STACKS_PATH_MAX];

	while (count > 0) {
		uint32_t n = count < STACKS_PATH_MAX ? count : STACKS_PATH_MAX;

		for (uint32_t i = 0; i < n; i++) {
			id[i] = REST_PC_ID(frame[i].rest);
			if (keep)
				frame[i].rest = REST_NODE_NONE(frame[i].rest);
		}
		node = stacks_path(node, id, n);
		if (unlikely(node == 0))
			return 0;
		frame += n;
		count -= n;
		if (keep && likely(node < NODES_HELD))
			frame[-1].rest |= (uint64_t)node << REST_NODE_SHIFT;
	}
	return node;
}

/* The node of frame i of memo, whose outermost hangs below mark, or the root: 0. */
static inline uint32_t memo_node(struct memo *memo, uint32_t i, uint32_t mark)
{
	uint32_t known = i + 1, node = REST_NODE(memo->frame[i].rest);

	if (likely(node != 0))
		return node;
	while (known > memo->window && REST_NODE(memo->frame[known - 1].rest) == 0)
		known--;
	if (known > memo->window)
		node = REST_NODE(memo->frame[known - 1].rest);
	else if (mark != 0 && (node = stacks_child(0, mark)) == 0)
		return 0;
	return nodes_below(node, memo->frame + known, i + 1 - known, 1);
}

/* How many frames of a remembered stack may be overwritten by another that shares its outer
 * part: few, or many less than both have in common. Otherwise the other gets a copy of that,
 * and both are remembered. */
enum { FEW_FRAMES = 20, COPY_RATIO = 4 };
static inline int worth_keeping(uint32_t lost, uint32_t common)
{
	return unlikely(lost >= FEW_FRAMES) && common <= COPY_RATIO * lost;
}

#endif
