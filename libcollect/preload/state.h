/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_STATE_H
#define MALLOGRAPH_STATE_H

/*
 * What the library remembers, in three kinds of memory, by what a fork does
 * to each:
 *
 *   struct state   private, zeroed in a forked child by the kernel
 *                  (MADV_WIPEONFORK), however the child was made. Everything that is
 *                  about this process lies here or hangs from here.
 *   region         shared with the recorder; a child keeps the mapping.
 *   struct thread  in TLS, copied by a fork. It holds the epoch of the
 *                  session that it belongs to.
 *
 * So the gate is one comparison: a thread may record when its epoch is the
 * state's. In a fresh process and in a fresh child the state's is 0, which no
 * thread has; after the end of recording it is EPOCH_OFF. Whoever fails the
 * comparison goes to the cold path (session.c), which opens what is missing.
 *
 * Per thread, and hence without synchronisation: struct thread and the ring's
 * producer side. Between threads: state's tables, each with its own rule.
 */

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "libcollect/preload/rules.h"
#include "libcollect/preload/stacks.h"
#include "libcollect/ring.h"

#define EPOCH_NONE UINT32_MAX        /* a thread that has no ring yet */
#define EPOCH_OFF  (UINT32_MAX - 1u) /* of the state: recording is over */

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define cold        __attribute__((cold, noinline))

/* The state of the caller of a hook, at the moment of its return. */
struct frame {
	uintptr_t pc; /* return address */
	uintptr_t sp; /* after the return: the hook's CFA */
	uintptr_t rbp;
};

/* Of the hook that it stands in; needs -fno-omit-frame-pointer. */
#define CALLER()                                                                                   \
	((struct frame){(uintptr_t)__builtin_return_address(0),                                    \
			(uintptr_t)__builtin_frame_address(0) + 16,                                \
			*(uintptr_t *)__builtin_frame_address(0)})

/*
 * What operator new says to the malloc inside it: record it as mine, with my
 * caller and my size. Heeded only when that malloc was called from the real
 * operator's own text, so a new_handler's or a signal handler's allocations are their own, and
 * a label left behind by a bad_alloc that flew through the hook is harmless.
 */
struct label {
	uintptr_t text_start, text_bytes; /* of the real operator; 0 bytes: no label */
	size_t size;
	struct frame caller;
	uint32_t function; /* enum function */
	uint32_t used;
};

struct thread {
	uint32_t epoch;
	_Atomic uint32_t side_count; /* events of the side buffer that signal handlers took */
	struct ring *ring;
	uintptr_t busy_pc; /* of the hook whose bookkeeping is under way the return */
	uintptr_t busy;    /* address, at busy - 8, and the CFA: 0 when there is none */
	uint64_t head;     /* copy of ring->head */
	uint64_t limit;    /* an event that begins below it fits the segment */
	uint64_t *segment; /* where the words of this one lie */
	uint32_t tick;     /* region->tick at the last EVENT_TIME */
	uintptr_t stack_low, stack_high; /* known to be this thread's stack: safe to read */
	uintptr_t stack_floor;           /* a page below stack_low that can't be read, or 0 */
	uint64_t allocations;            /* events published */
	uintptr_t last_allocation;       /* address of the last of them */
	/* block that an operator delete, or a realloc, is giving back, and who is to be named for
	 * it: FUNCTION_UNKNOWN where that one tells of it itself */
	uintptr_t deleting;
	uint32_t delete_function;
	uint32_t ours; /* > 0: what happens now is our own doing */
	/* > 0: in seccomp's strict mode, where the clock is death, too. Then it counts sleeps, and
	 * all that happens is as late as the mode's beginning. */
	uint32_t strict;
	uint64_t strict_since;
	uint64_t told; /* while events need no stamp: not before the last one in the ring */
	struct label label;
};

/* Says so with one instruction: a signal handler's own hooks say it, too, and must not
 * leave their half behind. */
static inline void thread_busy(struct thread *thread, uintptr_t pc, uintptr_t cfa)
{
	typedef uint64_t pair __attribute__((vector_size(16), aligned(8), may_alias));

	*(volatile pair *)&thread->busy_pc = (pair){pc, cfa};
	atomic_signal_fence(memory_order_seq_cst);
}

extern __thread struct thread self __attribute__((tls_model("initial-exec")));

/* The thread's scratch memory, in ring->spare. It begins with `until` and the remembered stacks'
 * head zero; what lies in the rest of a used ring is another thread's. */
#define SIDE_EVENTS 224u
#define MEMO_BYTES  (RING_SPARE_BYTES - 7424u)
#define FRAMES_MAX  1140u /* of a stack */
struct scratch {
	uint64_t until[RING_SEGMENTS];               /* where the stream left each place */
	_Alignas(64) uint8_t memo[MEMO_BYTES];       /* remembered stacks: capture.c */
	uint64_t side[SIDE_EVENTS][EVENT_WORDS_MAX]; /* of signal handlers: events.c */
};
_Static_assert(sizeof(struct scratch) <= RING_SPARE_BYTES, "scratch fits the ring's spare bytes");

static inline struct scratch *thread_scratch(struct thread *thread)
{
	return (struct scratch *)thread->ring->spare;
}

/* A loaded file that stacks went through. */
struct module {
	uintptr_t start, end;
	const void *link_map;
	uint32_t id; /* 0: unloaded */
};
#define MODULES_MAX 4096u

enum phase { PHASE_CLOSED = 0, PHASE_OPENING, PHASE_OPEN, PHASE_OFF };

struct state {
	/* These two alone in their line: every hook reads them. */
	_Atomic uint32_t epoch;
	_Atomic uintptr_t solo; /* the thread whose events need no stamp, 0: none (clock.h) */
	_Alignas(64) _Atomic uint32_t phase; /* enum phase */
	_Atomic uint32_t opened;             /* a thread has opened a ring */
	_Atomic uint32_t no_rings;           /* the last that waited for one did so in vain */
	uint32_t max_depth;
	struct session *session;

	_Atomic uint32_t module_lock; /* spin; held for a few stores, never across a call outside */
	_Atomic uint32_t module_count;
	uint32_t module_ids;
	struct module module[MODULES_MAX];

	_Atomic uint32_t forgotten; /* how often modules have gone: memos before are void */
	struct rules rules;
	struct stacks stacks;
};

extern struct state *state;          /* never NULL */
extern struct region *shared_region; /* NULL until attached */

static inline void count(enum session_counter counter)
{
	struct session *session = state->session;

	if (session != NULL)
		atomic_fetch_add_explicit(&session->counter[counter], 1, memory_order_relaxed);
}

/*
 * The gate. Returns the thread when its events can be recorded now: it has a
 * ring, and no bookkeeping of ours was interrupted. NULL: not recorded. Sees to what is missing
 * (session, ring), and to what signal handlers left, on the cold path.
 */
struct thread *gate_cold(uintptr_t sp);
static inline int gate_is_open(const struct thread *thread)
{
	return likely(thread->epoch == atomic_load_explicit(&state->epoch, memory_order_relaxed)) &&
	       likely((thread->busy | thread->ours |
		       atomic_load_explicit(&thread->side_count, memory_order_relaxed)) == 0);
}

static inline struct thread *gate(uintptr_t sp)
{
	return gate_is_open(&self) ? &self : gate_cold(sp);
}

/* Ends recording in this process, for good. */
void session_off(void);
#endif
