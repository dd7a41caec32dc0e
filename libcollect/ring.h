/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_RING_H
#define MALLOGRAPH_RING_H

/*
 * The shared-memory contract between the profiled program (preload/) and the
 * recorder (recorder/).
 *
 * One recorder serves a whole process tree through one region: a System V
 * shared-memory segment, removed as soon as the recorder is attached, so it
 * lives exactly as long as somebody maps it and nothing is left behind on
 * kill -9. System V, because it needs no descriptor and no path in the
 * program (closefrom(), chroot() and RLIMIT_FSIZE don't touch it), and an
 * exec'ed image can attach by number alone.
 *
 *   region: | struct region | sessions | next[] | chunk 0 | chunk 1 | ...
 *
 * Everything else lives in chunks of 256 KiB taken from one pool:
 *
 *   ring chunk       struct ring, then segments of events: one per thread, and more of
 *                    segments only where it had to grow
 *   directory chunk  u32[65536]: chunk that holds nodes n*NODES_PER_CHUNK...
 *   node chunk       struct shared_node[NODES_PER_CHUNK]
 *   module chunk     struct shared_module records, one behind another
 *
 * A session is one process image: it begins at the first hook call of a
 * program, and again in a forked child and behind an exec. Programs claim
 * sessions and chunks by atomics; only the recorder gives them back, all zero
 * (of a session all but its state, which becomes SESSION_FREE last), but for chunks that a
 * program takes and can't use: it returns them untouched. Some rings are given
 * back as they are, for the next thread to begin in memory that is there already.
 *
 * Who writes what is said at each field: P the program, R the recorder,
 * L the launcher. Fields that carry data to the other side are published by
 * a release store of the field that says "there is more" (ring.head,
 * session.node_count, session.module_bytes, session.state, ring.tail).
 *
 * The region is memory the program under test can scribble on: the recorder
 * checks every index, count and offset it reads from here.
 */

#include <stdatomic.h>
#include <stdint.h>

/* Bumped whenever anything on this page changes meaning or place. Library and
 * recorder of different versions don't talk: the program runs unprofiled. */
#ifndef CONTRACT_VERSION /* a test builds a library of another version */
#define CONTRACT_VERSION 4u
#endif
#define REGION_MAGIC 0x4d4c4752u

/* "SHMID.COOKIE" in decimal and hexadecimal; or SESSION_OFF: run unprofiled. */
#define SESSION_VARIABLE "MALLOGRAPH_SESSION"
#define SESSION_OFF      "off"
#define OPTIONS_VARIABLE "MALLOGRAPH_OPTIONS"

#define CHUNK_BYTES       (256u << 10)
#define CHUNK_NONE        0u /* chunk numbers start at 1 */
#define SESSIONS_MAX      1024u
#define DIRECTORY_ENTRIES (CHUNK_BYTES / 4)
/* Where a block came from or went to: the outermost function that the program
 * called. The numbers are those of the trace format (formats/trace/layout.h
 * says the same, and a test compares them). */
enum function {
	FUNCTION_UNKNOWN = 0,
	FUNCTION_MALLOC = 1,
	FUNCTION_CALLOC = 2,
	FUNCTION_REALLOC = 3,
	FUNCTION_REALLOCARRAY = 4,
	FUNCTION_POSIX_MEMALIGN = 5,
	FUNCTION_ALIGNED_ALLOC = 6,
	FUNCTION_MEMALIGN = 7,
	FUNCTION_VALLOC = 8,
	FUNCTION_PVALLOC = 9,
	FUNCTION_NEW = 10,
	FUNCTION_NEW_ARRAY = 11,
	FUNCTION_NEW_NOTHROW = 12,
	FUNCTION_NEW_ARRAY_NOTHROW = 13,
	FUNCTION_NEW_ALIGNED = 14,
	FUNCTION_NEW_ARRAY_ALIGNED = 15,
	FUNCTION_NEW_ALIGNED_NOTHROW = 16,
	FUNCTION_NEW_ARRAY_ALIGNED_NOTHROW = 17,
	FUNCTION_FREE = 32,
	FUNCTION_CFREE = 33,
	FUNCTION_FREE_SIZED = 34,
	FUNCTION_FREE_ALIGNED_SIZED = 35,
	FUNCTION_DELETE = 36,
	FUNCTION_DELETE_ARRAY = 37,
	FUNCTION_COUNT = 64
};

enum event_kind {
	EVENT_ALLOC = 1,         /* address, function, node, size */
	EVENT_FREE = 2,          /* address, function */
	EVENT_REALLOC_FREE = 3,  /* the old block of a successful realloc of a live block ... */
	EVENT_REALLOC_ALLOC = 4, /* ... and its new one, always the next event of the ring,
				  * published together */
	EVENT_TIME = 5,          /* no event: says how late it is */
	EVENT_SKIP = 6           /* no event: the rest of the segment is not used */
};

/*
 * A ring is a stream of 8-byte words. An event is one to four of them:
 *
 *   word 0    bits 0-47 address, 48-50 event_kind, 51 EVENT_STAMPED, 52 EVENT_WIDE,
 *             54-59 function; the others are 0
 *   node      allocations only: bits 0-31 stack (session's node id; 0: unknown), 32-63
 *             bytes requested (with EVENT_WIDE: anything)
 *   time      with EVENT_STAMPED only: in units of region.clock. An allocation is stamped
 *             after the real allocator returned, a deallocation before it is called
 *   size      with EVENT_WIDE only: bytes requested, of an allocation of 4 GiB or more
 *
 * Events of one thread of a session need no stamp, as long as no other records any: one
 * without happened at the time of the last EVENT_TIME (which is
 * stamped) before it, or behind; P writes one whenever region.tick has changed
 * since the last. Stamps in one ring may step back a little (signal handlers).
 */
#define EVENT_ADDRESS_BITS 48
#define EVENT_STAMPED      (UINT64_C(1) << 51)
#define EVENT_WIDE         (UINT64_C(1) << 52)
#define EVENT_WORDS_MAX    4u

#define EVENT_ADDRESS(word)  ((word) & ((UINT64_C(1) << EVENT_ADDRESS_BITS) - 1))
#define EVENT_KIND(word)     ((unsigned)((word) >> 48) & 7u)
#define EVENT_FUNCTION(word) ((unsigned)((word) >> 54) & 63u)
#define EVENT_WORD(kind, function, address)                                                        \
	((uint64_t)(address) | (uint64_t)(kind) << 48 | (uint64_t)(function) << 54)
#define EVENT_NODE(word)             ((uint32_t)(word))
#define EVENT_SIZE(word)             ((uint32_t)((word) >> 32))
#define EVENT_NODE_WORD(node, bytes) ((uint64_t)(node) | (uint64_t)(uint32_t)(bytes) << 32)

static inline int event_is_allocation(uint64_t word)
{
	return EVENT_KIND(word) == EVENT_ALLOC || EVENT_KIND(word) == EVENT_REALLOC_ALLOC;
}

/* How many words the event that begins with this one has. */
static inline unsigned event_words(uint64_t word)
{
	return 1u + (unsigned)event_is_allocation(word) + ((word & EVENT_STAMPED) != 0) +
	       ((word & EVENT_WIDE) != 0);
}

/*
 * A ring starts with few segments and grows. Words are numbered through;
 * segment n of the stream holds the words n * SEGMENT_WORDS ... and lies at
 * place[n % RING_SEGMENTS]: places 0 .. RING_FIRST_SEGMENTS-1 in the ring's own
 * chunk, then SEGMENTS_PER_CHUNK in each chunk of more[]. When a segment is full
 * P goes on in any place that R has drained, or in a place not yet used, for which it may
 * take another chunk; where there is neither it sets waiting, looks once more,
 * and sleeps on `room` with a time-out. R, having moved tail, bumps room and wakes it when
 * waiting is set. An event does not cross the end of a segment: P fills up with
 * an EVENT_SKIP (or ends right there).
 */
#define SEGMENT_WORDS       4096u
#define SEGMENT_BYTES       (SEGMENT_WORDS * 8u)
#define SEGMENTS_PER_CHUNK  (CHUNK_BYTES / SEGMENT_BYTES)
#define RING_FIRST_SEGMENTS 3u
#define RING_MORE_CHUNKS    3u
#define RING_SEGMENTS       (RING_FIRST_SEGMENTS + RING_MORE_CHUNKS * SEGMENTS_PER_CHUNK)
#define RING_SPARE_BYTES    (CHUNK_BYTES - RING_FIRST_SEGMENTS * SEGMENT_BYTES - 192u)

struct ring {
	/* P; set before the ring is pushed on session.rings */
	uint32_t next; /* chunk of the next ring in session.rings, CHUNK_NONE: last; R's from when
			* it has taken the list */
	uint32_t session; /* index */
	int32_t tid;      /* as the program sees it */
	uint32_t chunk;   /* its own */
	uint64_t opened;  /* time */
	/* P; set before head goes to where they are used */
	_Atomic uint32_t more[RING_MORE_CHUNKS]; /* CHUNK_NONE: not yet taken */
	_Atomic uint8_t place[RING_SEGMENTS];    /* of segment n: [n % RING_SEGMENTS] */

	_Alignas(64) _Atomic uint64_t head;           /* P, release: words published so far */
	_Alignas(64) _Atomic uint64_t tail;           /* R, release: words consumed so far */
	_Atomic uint32_t waiting;                     /* P sets, R clears */
	_Atomic uint32_t room;                        /* R: futex word */
	_Alignas(64) uint8_t spare[RING_SPARE_BYTES]; /* P: scratch memory of the thread's hooks */
	uint64_t segment[RING_FIRST_SEGMENTS][SEGMENT_WORDS];
};

/* What a stack node is, beside a return address. */
enum node_flag {
	NODE_GUESSED = 1,   /* found by frame pointers, without unwind information */
	NODE_CUT = 2,       /* not an address: deeper frames were cut by the depth limit */
	NODE_INCOMPLETE = 4 /* not an address: the walk could not go on to the thread's start */
};

/*
 * A node of the stack tree: `address` was called from `parent`. Ids are dense
 * from 1; 0 is the root (above the thread's start). A node's parent has a
 * smaller id. address is the return address (the interrupted pc when it was
 * interrupted), 0 with NODE_CUT and NODE_INCOMPLETE.
 */
struct shared_node {
	uint32_t parent;
	uint32_t module_and_flags; /* bits 0-23 module id (0: none), 24-31 node_flag */
	uint64_t address;
};
#define NODE_MODULE(node) ((node)->module_and_flags & 0xffffffu)
#define NODE_FLAGS(node)  ((node)->module_and_flags >> 24)
#define NODES_PER_CHUNK   (CHUNK_BYTES / 16)

/*
 * A loaded file, as first seen by a stack. Ids count from 1 in the order in
 * which the records lie. A module that is unloaded and loaded again gets a
 * new record. The record is followed by build_id_bytes of build-id, then
 * path_bytes of path (no NUL; empty for the program itself), and padded to a
 * multiple of 8. record_bytes is the whole. A record never crosses a chunk:
 * record_bytes 0 says "go on at the next chunk".
 */
struct shared_module {
	uint32_t record_bytes;
	uint16_t build_id_bytes;
	uint16_t path_bytes;
	uint64_t start, end; /* addresses of the mapping */
	uint64_t base;       /* load bias: address - base is the file's own address */
};
#define MODULE_CHUNKS 16u

enum session_state {
	SESSION_FREE = 0,     /* R */
	SESSION_CLAIMED = 1,  /* P, by compare-and-swap from FREE: being filled in */
	SESSION_OPEN = 2,     /* P, release: fields below are valid */
	SESSION_ABANDONED = 3 /* P: gave up recording (R showed no sign of life) */
};

enum session_origin {
	ORIGIN_FIRST = 0, /* attached through SESSION_VARIABLE, not by a forked parent */
	ORIGIN_FORK = 1   /* a child that went on with its parent's mapping */
};

enum session_exec {
	EXEC_NONE = 0,
	EXEC_UNRECORDED = 1, /* the next image will have no session */
	EXEC_RECORDED = 2    /* it will open one, unless it never calls the collector */
};

/* Counts that R takes over into the trace; P adds to them, relaxed. */
enum session_counter {
	COUNT_LOST_SIGNAL = 0,  /* events in signal handlers that found the side buffer full */
	COUNT_LOST_NO_RING = 1, /* events of threads that got no ring */
	COUNT_LOST_ADDRESS = 2, /* blocks above 2^48 */
	COUNT_LOST_OTHER = 3,
	COUNT_STACK_UNKNOWN = 4,   /* allocations recorded with node 0 */
	COUNT_STACK_FALLBACK = 5,  /* captures that needed libunwind */
	COUNT_EXEC_UNRECORDED = 6, /* programs started that cannot be recorded */
	COUNT_LOADED_PAST = 7,     /* loads of libraries that call another malloc than ours */
	SESSION_COUNTERS = 16
};

struct session {
	_Atomic uint32_t state;   /* enum session_state */
	uint32_t epoch;           /* P: unique in the region, never 0 */
	int32_t pid;              /* P: getpid() */
	int32_t parent_pid;       /* P: getppid() */
	uint32_t origin;          /* P: enum session_origin */
	uint32_t parent_epoch;    /* P: of the session forked from, or 0 */
	uint64_t opened;          /* P: time */
	_Atomic uint32_t rings;   /* P pushes new ring chunks by CAS; R takes the list by exchange
				   * with   CHUNK_NONE */
	_Atomic uint32_t execing; /* P: a thread is inside an exec (enum session_exec) */
	_Alignas(64) _Atomic uint32_t
	    node_count;                       /* P, release: nodes 1..node_count-1... see below */
	uint32_t node_directory;              /* P: chunk; CHUNK_NONE: none yet */
	_Atomic uint32_t module_bytes;        /* P, release: bytes of records so far, chunk ends
					       * included */
	uint32_t module_chunk[MODULE_CHUNKS]; /* P: CHUNK_NONE: not yet taken */
	_Alignas(64) _Atomic uint64_t counter[SESSION_COUNTERS];
	/* P: path of the executable with a NUL, for processes that are gone before R
	 * can look; empty: not known. Not needed in a forked child. */
	char program[256];
	/* P: its arguments, a NUL behind each, cut to fit; 0 bytes: unknown */
	char arguments[1024];
	uint32_t arguments_bytes;
	_Atomic uint32_t lone; /* R: chunk of the only ring that had anything at the last look;
				* else 0. A hint */
	uint32_t resident;     /* P: KiB of memory when it opened; 0: unknown, or forked */
};
/* node_count is a reservation counter: a node id is taken from it first and
 * filled in afterwards. A node is complete before an event that uses it, or a
 * node whose parent it is, is published: R reads only nodes that it reaches
 * from events. */

/*
 * The pool: `fresh` counts chunks never used; `pool` is a stack of returned
 * ones: low 32 bits the top chunk, high 32 bits a tag that every change
 * increments. `used_rings` is another such stack, of ring chunks with what their last thread left
 * in them. owner[chunk] is the epoch of the session that holds it, stored
 * by P right after it took the chunk: R returns a dead session's chunks by it.
 */
struct region {
	uint32_t magic, version;
	uint64_t cookie;
	uint64_t bytes;        /* of the segment */
	uint32_t chunks;       /* chunk numbers 1..chunks-1 are valid */
	uint32_t clock;        /* enum region_clock */
	uint32_t max_depth;    /* frames of a stack; 0: the default */
	uint32_t follow_fork;  /* 0: only the first process */
	uint32_t first_pid;    /* L: the launched program (0: none, preload) */
	uint32_t chunk_offset; /* of chunk 0 from the region's start; a multiple of 4096 */

	/* A robust futex owned by R: its tid while it lives, FUTEX_OWNER_DIED set
	 * by the kernel when it died, 0 after an orderly end. */
	_Alignas(64) _Atomic uint32_t recorder;
	_Atomic uint32_t heartbeat;  /* R: changes at least once a second */
	_Atomic uint32_t wake;       /* futex word: P bumps it to wake R early ... */
	_Atomic uint32_t sleeping;   /* ... when R has set this (enum region_sleep) */
	_Atomic uint32_t epochs;     /* P: last epoch given out */
	_Atomic uint32_t unrecorded; /* P: processes that found no session, or the like */
	/* L, then wakes R: how the launched program ended */
	_Atomic uint32_t first_ended;
	int32_t first_status; /* as waitpid() gives it */
	/* R: changes with every look at the rings and before every sleep; in a line that
	 * nobody else writes. See EVENT_TIME. */
	_Alignas(64) _Atomic uint32_t tick;

	_Alignas(64) _Atomic uint64_t pool;
	_Atomic uint32_t fresh;
	_Atomic uint32_t used_ring_count; /* R adds before it gives one back, P takes off */
	_Atomic uint64_t used_rings;
	_Alignas(64) struct session session[SESSIONS_MAX];
	/* then: uint32_t next[chunks], uint32_t owner[chunks], chunks */
};

enum region_sleep {
	SLEEPING_NOT = 0,  /* or so shortly that waking isn't worth it */
	SLEEPING = 1,      /* P wakes R when it has filled a segment ... */
	SLEEPING_LONG = 2, /* ... and at once behind an EVENT_TIME, lest what follows
			    * be taken for as old as that */
};

enum region_clock {
	CLOCK_TSC = 1,        /* lfence; rdtsc (invariant TSC) */
	CLOCK_NANOSECONDS = 2 /* CLOCK_MONOTONIC */
};

static inline _Atomic uint32_t *region_next(struct region *region)
{
	return (_Atomic uint32_t *)(region + 1);
}

static inline _Atomic uint32_t *region_owner(struct region *region)
{
	return region_next(region) + region->chunks;
}

static inline void *region_chunk(struct region *region, uint32_t chunk)
{
	return (char *)region + region->chunk_offset + (uint64_t)chunk * CHUNK_BYTES;
}

/* The number of the chunk that begins at an address. */
static inline uint32_t region_chunk_number(struct region *region, const void *chunk)
{
	return (uint32_t)(((const char *)chunk - (char *)region_chunk(region, 0)) / CHUNK_BYTES);
}

_Static_assert(sizeof(struct ring) == CHUNK_BYTES, "a ring is a chunk");
_Static_assert(RING_SEGMENTS <= 255 && SEGMENT_BYTES * SEGMENTS_PER_CHUNK == CHUNK_BYTES,
	       "places are bytes, segments fill a chunk");
_Static_assert(sizeof(struct shared_node) == 16, "nodes are 16 bytes");

#endif
