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
	_Atomic uint32_t side_count; /* slots of the side buffer that signal handlers took */
	struct ring *ring;
	uintptr_t busy;                  /* CFA of the hook whose bookkeeping is under way, or 0 */
	uintptr_t busy_pc;               /* and its return address, at busy - 8 */
	uint64_t head;                   /* copy of ring->head */
	uint64_t limit;                  /* head may go up to here without a look at ring->tail */
	uintptr_t stack_low, stack_high; /* known to be this thread's stack: safe to read */
	uintptr_t stack_floor;           /* a page below stack_low that can't be read, or 0 */
	uint64_t allocations;            /* events published */
	uintptr_t last_allocation;       /* address of the last of them */
	uintptr_t deleting;              /* block that an operator delete is giving back */
	uint32_t delete_function;
	uint32_t ours; /* > 0: what happens now is our own doing */
	struct label label;
};

extern __thread struct thread self __attribute__((tls_model("initial-exec")));

/*
 * A frame of the stack that the thread walked last, with all that the step from
 * it to its caller's frame read: the return address at sp[caller] - 8 and, where
 * rbp_slot is not 0, the saved rbp there. What a step of another kind read is
 * not kept (REMEMBERED_ODD): it is made again.
 */
struct remembered {
	uintptr_t pc, sp, rbp;
	uintptr_t rbp_slot;
	uint32_t module_and_flags;
	uint32_t node; /* of the stack from here to the thread's start */
	uint32_t kind; /* enum remembered_kind */
	uint32_t interrupted;
};
enum remembered_kind {
	REMEMBERED_PLAIN,
	REMEMBERED_ODD,
	REMEMBERED_END /* the rule itself says that the stack ends: nothing is read */
};

/* The thread's scratch memory, in ring->spare. Frames lie outermost first. */
#define SIDE_EVENTS 320u
#define FRAMES_MAX  1140u
struct scratch {
	struct event side[SIDE_EVENTS];
	uint32_t count;     /* of frames; 0: nothing is remembered */
	uint32_t base;      /* node above the outermost frame: 0, or a mark */
	uint32_t forgotten; /* state->forgotten when it was walked */
	struct remembered frame[FRAMES_MAX];
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

/* Rule cache, see rules.h. */
struct rule_slot {
	_Atomic uint64_t key;
	_Atomic uint64_t rule;
};
#define RULE_SLOTS 32768u

/* Stack tree, see stacks.c. */
struct node_table {
	uint32_t mask;
	_Atomic uint32_t used;
	_Atomic uint32_t slot[];
};
#define NODE_TABLES 12u

enum phase { PHASE_CLOSED = 0, PHASE_OPENING, PHASE_OPEN, PHASE_OFF };

struct state {
	_Atomic uint32_t epoch;              /* alone in its line: every hook reads it */
	_Alignas(64) _Atomic uint32_t phase; /* enum phase */
	uint32_t max_depth;
	struct session *session;

	_Atomic uint32_t module_lock; /* spin; held for a few stores, never across a call outside */
	_Atomic uint32_t module_count;
	uint32_t module_ids;
	struct module module[MODULES_MAX];

	_Atomic uint32_t forgotten; /* how often modules have gone: memos before are void */
	_Atomic uint32_t rule_lock; /* try-lock of writers */
	struct rule_slot rule[RULE_SLOTS];

	_Atomic uint32_t node_tables;
	_Atomic(struct node_table *) node_table[NODE_TABLES];
	_Atomic uint32_t node_chunk[DIRECTORY_ENTRIES];
};

extern struct state *state;          /* never NULL */
extern struct region *shared_region; /* NULL until attached */

static inline void count(enum session_counter counter)
{
	struct session *session = state->session;

	if (session != NULL)
		atomic_fetch_add_explicit(&session->counter[counter], 1, memory_order_relaxed);
}

/* Takes a zero-headed chunk for this session: CHUNK_NONE when the pool is empty. */
uint32_t chunk_take(void);

/*
 * The gate. Returns the thread when its events can be recorded now: it has a
 * ring, and no bookkeeping of ours was interrupted. NULL: not recorded. Sees to what is missing
 * (session, ring) on the cold path.
 */
struct thread *gate_cold(uintptr_t sp);
static inline struct thread *gate(uintptr_t sp)
{
	struct thread *thread = &self;

	if (likely(thread->epoch == atomic_load_explicit(&state->epoch, memory_order_relaxed)) &&
	    likely((thread->busy | thread->ours) == 0))
		return thread;
	return gate_cold(sp);
}

/* Ends recording in this process, for good. */
void session_off(void);
#endif
