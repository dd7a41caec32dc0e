/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_CAPTURE_H
#define MALLOGRAPH_CAPTURE_H

#include "libcollect/preload/state.h"

/* The stack tree's node for the stack that begins with *caller; 0 when it
 * can't be told. Called with thread->busy set. Counts what it had to leave
 * out. */
uint32_t capture(struct thread *thread, const struct frame *caller);

/* Finds the bounds of a new thread's stack. main: it is the process' first. */
void capture_thread(struct thread *thread, int is_main);

/* In our constructor, where the loader may be called: makes libunwind ready. */
void capture_prepare(void);

#if defined(CAPTURE_CHECK)
/* As capture(), without anything remembered. One thread at a time. */
uint32_t capture_afresh(struct thread *thread, const struct frame *caller);
#endif

#endif
