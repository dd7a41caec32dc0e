/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_CAPTURE_H
#define MALLOGRAPH_CAPTURE_H

#include "libcollect/preload/memo.h"
#include "libcollect/preload/state.h"
#if defined(CAPTURE_CHECK)
#include "libcollect/preload/check.h"
#endif

/* Where the stack is not the one captured last. */
uint32_t capture_walk(struct thread *thread, struct memos *memos, uintptr_t pc, uintptr_t sp,
		      uintptr_t rbp);

/* The stack tree's node for the stack that begins with caller; 0 when it
 * can't be told. Called with thread->busy set. Counts what it had to leave
 * out. */
static inline __attribute__((always_inline)) uint32_t capture(struct thread *thread,
							      struct frame caller)
{
	struct memos *memos = thread_memos(thread);
	uint32_t node;

	if (likely(memos->key == KEY(caller.pc, 0) && memos->sp == caller.sp &&
		   ((memos->rbp ^ caller.rbp) & memos->rbp_matters) == 0) &&
	    likely(memos->valid ==
		   atomic_load_explicit(&state->forgotten, memory_order_acquire) + 1) &&
	    likely(words_all_agree(memos->from, memos->to)))
		node = memos->node;
	else
		node = capture_walk(thread, memos, caller.pc, caller.sp, caller.rbp);
#if defined(CAPTURE_CHECK)
	check_stack(thread, &caller, node);
#endif
	return node;
}

/* Finds the bounds of a new thread's stack. main: it is the process' first. */
void capture_thread(struct thread *thread, int is_main);

/* In our constructor, where the loader may be called: makes libunwind ready. */
void capture_prepare(void);

#if defined(CAPTURE_CHECK)
/* As capture(), without anything remembered. One thread at a time. */
uint32_t capture_afresh(struct thread *thread, const struct frame *caller);
#endif

#endif
