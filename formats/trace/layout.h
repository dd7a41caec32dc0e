/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_TRACE_LAYOUT_H
#define MALLOGRAPH_TRACE_LAYOUT_H

/*
 * The numbers of the trace format. docs/mallograph-trace.5 is normative; this
 * page only names what it says.
 *
 * A trace is a file header and then blocks, each compressed on its own:
 *
 *   file header, 16 bytes
 *     0  8  magic: 89 4D 4C 47 0D 0A 1A 0A
 *     8  2  major version (readers refuse a higher one)
 *    10  2  minor version (readers accept any)
 *    12  4  reserved, 0
 *
 *   block header, 32 bytes, little-endian
 *     0  4  block magic: 'M' 'b' 'l' 'k'
 *     4  1  type
 *     5  1  codec of the payload
 *     6  2  flags (bits 8-15: readers that don't know one refuse the block)
 *     8  4  stored bytes: length of the payload in the file
 *    12  4  raw bytes: length after decompression
 *    16  8  first tick: time of the first thing the block speaks of
 *    24  4  CRC-32 (zlib's) of the stored payload
 *    28  4  CRC-32 of the 28 bytes before
 *
 * Payloads are made of
 *   varint   unsigned LEB128, at most 10 bytes, no longer than needed
 *   signed   zigzag in a varint
 *   string   varint length, bytes
 *   record   varint length, fields; readers skip fields behind those they know
 *   columns  varint how many, varint length in bytes of each, then their bytes; readers skip
 *            those behind the ones they know
 */

#include <stdint.h>

#define TRACE_MAGIC              "\x89MLG\r\n\x1a\n"
#define TRACE_MAGIC_BYTES        8
#define TRACE_HEADER_BYTES       16
#define TRACE_BLOCK_MAGIC        "Mblk"
#define TRACE_BLOCK_HEADER_BYTES 32
#define TRACE_MAJOR              2
#define TRACE_MINOR              0
/* Writers close a block before its payload grows past 1 MiB; readers refuse a
 * larger one than this. */
#define TRACE_BLOCK_BYTES (1u << 20)
#define TRACE_BLOCK_MAX   (16u << 20)
/* A tick is one millisecond. */
#define TRACE_TICKS_PER_SECOND 1000

enum trace_codec {
	TRACE_CODEC_NONE = 0,
	TRACE_CODEC_ZLIB = 1, /* a zlib stream, RFC 1950 */
	TRACE_CODEC_ZSTD = 2  /* one zstd frame, RFC 8878 */
};

enum trace_block_type {
	/* fields until the payload ends: varint tag, varint length, bytes (a
	 * number is a varint in those bytes). Tags: enum trace_meta_tag. */
	TRACE_BLOCK_META = 1,
	/* records until the payload ends; module ids count from 1 through the file:
	 * varint start address, varint end address, varint load bias, string path,
	 * string build-id (raw bytes) */
	TRACE_BLOCK_MODULES = 2,
	/* columns with a number for each node; ids count from 1: varint (own id -
	 * parent id), varint module id, signed (address - start of that module; the
	 * address itself for module 0), varint flags (enum trace_node_flag) */
	TRACE_BLOCK_NODES = 3,
	/* columns with a number for each class; ids count from 1: signed (node id -
	 * that of the class before in the block, 0 at first), varint size in bytes, varint
	 * function (enum trace_function) */
	TRACE_BLOCK_CLASSES = 4,
	/* records until the payload ends: varint thread id (counted from 1 in the
	 * order of first appearance), varint tid, string name. A later record of the
	 * same thread id replaces the name. */
	TRACE_BLOCK_THREADS = 5,
	/* see TRACE_EVENT_* below */
	TRACE_BLOCK_EVENTS = 6,
	/* records until the payload ends: varint ticks since the point before (of
	 * the file), varint live bytes, varint live blocks, varint RSS in bytes (0:
	 * unknown) */
	TRACE_BLOCK_TIMELINE = 7,
	/* strings until the payload ends; ids count from 1, 0 means none */
	TRACE_BLOCK_STRINGS = 8,
	/* records until the payload ends: varint module id, signed address as in
	 * NODES (offset from module start, of the node as it is, not less one),
	 * varint number of frames, then for each, innermost (inlined) first: varint
	 * function string id, varint file string id, varint line (0: unknown) */
	TRACE_BLOCK_SYMBOLS = 9,
	/* columns with a number for each class, in the order of ids: varint
	 * allocations, varint (allocations - deallocations), varint temporary, varint live
	 * blocks at the peak */
	TRACE_BLOCK_CLASS_COUNTERS = 10,
	/* columns with a number for each thread: varint allocations, varint
	 * (allocations - deallocations of blocks allocated by that thread), varint temporary,
	 * varint bytes requested */
	TRACE_BLOCK_THREAD_COUNTERS = 11,
	/* fields as in META; tags: enum trace_end_tag. The last block: a file that
	 * does not end in it is being written or was cut off. */
	TRACE_BLOCK_END = 12
};

enum trace_meta_tag {
	TRACE_META_PROGRAM = 1,       /* bytes: path of the executable */
	TRACE_META_ARGUMENT = 2,      /* bytes: one of argv, in order, repeated */
	TRACE_META_HOST = 3,          /* bytes */
	TRACE_META_PID = 4,           /* number */
	TRACE_META_PARENT_PID = 5,    /* number */
	TRACE_META_START = 6,         /* number: nanoseconds since 1970 (UTC) at tick 0 */
	TRACE_META_PAGE_SIZE = 7,     /* number: bytes */
	TRACE_META_COLLECTOR = 8,     /* bytes: name and version of the writer */
	TRACE_META_ORIGIN = 9,        /* number: enum trace_origin */
	TRACE_META_PARENT_TRACE = 10, /* bytes: file name of the trace of the process forked from */
	TRACE_META_MAX_DEPTH = 11,    /* number: frames */
	TRACE_META_FOLDER = 12,       /* bytes: current folder of the program at its start */
	/* record: varint module id, varint string id: what its __lsan_default_suppressions returns;
	 * 0: no literal that could be read */
	TRACE_META_SUPPRESSIONS = 13
};

enum trace_origin {
	TRACE_ORIGIN_LAUNCHED = 0, /* first image of the process that record started */
	TRACE_ORIGIN_FORKED = 1,
	TRACE_ORIGIN_EXECED = 2,    /* the same process had another image before */
	TRACE_ORIGIN_PRELOADED = 3, /* started without the launcher */
	TRACE_ORIGIN_CHILD = 4      /* another process of the tree, forked and exec'ed */
};

enum trace_node_flag { TRACE_NODE_GUESSED = 1, TRACE_NODE_CUT = 2, TRACE_NODE_INCOMPLETE = 4 };

enum trace_end_tag {
	TRACE_END_HOW = 1,           /* number: enum trace_ending */
	TRACE_END_STATUS = 2,        /* number: exit status or signal number */
	TRACE_END_TICK = 3,          /* number: when the program ended */
	TRACE_END_PEAK_BYTES = 4,    /* number */
	TRACE_END_PEAK_BLOCKS = 5,   /* number: live blocks at the peak */
	TRACE_END_PEAK_TICK = 6,     /* number */
	TRACE_END_PEAK_RSS = 7,      /* number: bytes, 0: unknown */
	TRACE_END_ALLOCATIONS = 8,   /* number, and so on */
	TRACE_END_DEALLOCATIONS = 9, /* of recorded blocks */
	TRACE_END_REALLOCATIONS = 10,
	TRACE_END_TEMPORARY = 11,
	TRACE_END_BYTES = 12, /* sum of the sizes of all allocations */
	TRACE_END_LEAKED_BLOCKS = 13,
	TRACE_END_LEAKED_BYTES = 14,
	/* what is missing or doubtful; absent means 0 */
	TRACE_END_UNKNOWN_FREES = 32,   /* deallocations of blocks never recorded */
	TRACE_END_INHERITED_FREES = 33, /* deallocations of blocks of the process forked from */
	TRACE_END_LOST_SIGNAL = 34,     /* events in signal handlers that were not recorded */
	TRACE_END_LOST_NO_RING = 35,    /* events of threads that got no ring */
	TRACE_END_LOST_OTHER = 36,
	TRACE_END_LOST_ABANDONED = 37, /* 1: recording ended before the program did */
	TRACE_END_STACKS_UNKNOWN = 38, /* allocations without a stack */
	TRACE_END_STACKS_INCOMPLETE =
	    39,                         /* allocations whose stack could not be walked to its end */
	TRACE_END_STACKS_CUT = 40,      /* allocations whose stack was cut by the depth limit */
	TRACE_END_STACKS_GUESSED = 41,  /* allocations with a guessed frame */
	TRACE_END_STACKS_FALLBACK = 42, /* allocations whose stack libunwind walked */
	TRACE_END_EXEC_UNRECORDED = 43, /* programs started that could not be recorded */
	TRACE_END_LATE_EVENTS = 44,     /* events that came after later ones were counted */
	TRACE_END_SYMBOLS_SKIPPED = 45, /* modules whose symbols were skipped (limits, failure) */
	TRACE_END_EVENTS_STOPPED = 46,  /* 1 + the tick from which on events are missing; counters
					 * went on */
	TRACE_END_EVENTS_STOPPED_BY = 47, /* number: enum trace_stopped_by */
	TRACE_END_LOADED_PAST = 48 /* loads of libraries that call another malloc than ours */
};

enum trace_stopped_by {
	TRACE_STOPPED_BY_LIMIT = 0, /* of the file's size; the timeline went on */
	TRACE_STOPPED_BY_DISK = 1,  /* no room for more; the timeline stopped, too */
	TRACE_STOPPED_BY_MEMORY = 2 /* the recorder had none; the timeline went on */
};

enum trace_ending {
	TRACE_ENDING_UNKNOWN = 0,
	TRACE_ENDING_EXITED = 1,
	TRACE_ENDING_SIGNALLED = 2,
	TRACE_ENDING_EXECED = 3, /* another image took the process over */
	TRACE_ENDING_ABANDONED = 4
};

/* As enum function of libcollect/ring.h; a test compares the two. */
enum trace_function {
	TRACE_FUNCTION_UNKNOWN = 0,
	TRACE_FUNCTION_MALLOC = 1,
	TRACE_FUNCTION_CALLOC = 2,
	TRACE_FUNCTION_REALLOC = 3,
	TRACE_FUNCTION_REALLOCARRAY = 4,
	TRACE_FUNCTION_POSIX_MEMALIGN = 5,
	TRACE_FUNCTION_ALIGNED_ALLOC = 6,
	TRACE_FUNCTION_MEMALIGN = 7,
	TRACE_FUNCTION_VALLOC = 8,
	TRACE_FUNCTION_PVALLOC = 9,
	TRACE_FUNCTION_NEW = 10,
	TRACE_FUNCTION_NEW_ARRAY = 11,
	TRACE_FUNCTION_NEW_NOTHROW = 12,
	TRACE_FUNCTION_NEW_ARRAY_NOTHROW = 13,
	TRACE_FUNCTION_NEW_ALIGNED = 14,
	TRACE_FUNCTION_NEW_ARRAY_ALIGNED = 15,
	TRACE_FUNCTION_NEW_ALIGNED_NOTHROW = 16,
	TRACE_FUNCTION_NEW_ARRAY_ALIGNED_NOTHROW = 17,
	TRACE_FUNCTION_COUNT = 64
};

/*
 * EVENTS payload: what happened, in the order of time, laid out by column. What was
 * guessed, what was allocated last, and the thread in force go on from block to block.
 *
 *   varint   number of operations, guessed ones included
 *   columns  enum trace_event_column
 *
 * An operation that is what both sides guess (guess.h) takes no byte in the columns. Where
 * "number" is said, that is a byte: below 192 itself; 192 to 254: 192 + 256 * (byte - 192) + a
 * byte in the next column; 255: 192 + a varint in the one behind.
 */
enum trace_event_column {
	TRACE_COLUMN_OPERATIONS = 0,  /* a byte for each that was not guessed: bits 0-2 which,
				       * 3-7 how many were guessed before it, 31: and more */
	TRACE_COLUMN_OTHERS = 1,      /* bytes: of those with TRACE_OPERATION_OTHER, which */
	TRACE_COLUMN_RUNS = 2,        /* varints: how many more than 31; at the end how many were
				       * guessed behind the last that was not */
	TRACE_COLUMN_CLASSES = 3,     /* numbers: class id, 0: the one after the highest so far */
	TRACE_COLUMN_THREADS = 6,     /* varints: THREAD; never guessed: OTHER_THREAD */
	TRACE_COLUMN_TICKS = 7,       /* varints: how many passed, at least 1 */
	TRACE_COLUMN_AGES = 8,        /* bytes: RECENT: how many allocations came after its own;
				       * never guessed: age in allocations where YOUNG */
	TRACE_COLUMN_STEPS = 9,       /* bytes: STEP: signed, how far its allocation is from that of
				       * the RECENT or STEP before */
	TRACE_COLUMN_BIRTH_RUNS = 10, /* varints: how many DEALLOCATIONs of blocks as old as the
				       * last, before each that is in BIRTHS; at the end the rest */
	TRACE_COLUMN_BIRTHS = 11,     /* numbers: age in ticks */
	TRACE_EVENT_COLUMNS = 14
};

enum trace_operation {
	TRACE_OPERATION_OTHER = 0,  /* see OTHERS */
	TRACE_OPERATION_SECOND = 1, /* what the second guess says */
	TRACE_OPERATION_TICKS = 2,
	TRACE_OPERATION_ALLOCATION = 3,
	TRACE_OPERATION_TEMPORARY = 4,      /* ALLOCATION, and at once its deallocation */
	TRACE_OPERATION_DEALLOCATION = 5,   /* of a class, allocated at a tick */
	TRACE_OPERATION_RECENT = 6,         /* deallocation of one of the last allocations */
	TRACE_OPERATION_STEP = 7,           /* the same, said otherwise */
	TRACE_OPERATION_THREAD = 8,         /* what follows was done by another thread */
	TRACE_OPERATION_UNKNOWN_FREE = 9,   /* of a block never recorded */
	TRACE_OPERATION_INHERITED_FREE = 10 /* of a block of the process forked from */
};
#define TRACE_OPERATION_MASK         15u
#define TRACE_OPERATION_REALLOC      16u /* half of a reallocation; TEMPORARY: its allocation */
#define TRACE_OPERATION_OTHER_THREAD 32u /* DEALLOCATION: allocated by another thread */
#define TRACE_OPERATION_YOUNG        64u /* DEALLOCATION: age in allocations below TRACE_RECENT */
#define TRACE_OPERATION_END          128u
#define TRACE_OPERATION_SHORT_END    8u         /* operations that fit column 0 */
#define TRACE_OPERATIONS_MOST        (1u << 20) /* in a block */
#define TRACE_RUN_SHIFT              3
#define TRACE_RUN_LONG               31u

/* How many of the last allocations RECENT and STEP can be about; an age in allocations
 * that is not less is not recorded. */
#define TRACE_RECENT 256u

/* Numbers in columns. */
#define TRACE_SHORT_END 192u                           /* below: one byte */
#define TRACE_LOW_COUNT ((255 - TRACE_SHORT_END) << 8) /* with one byte more */

#define TRACE_NODE_COLUMNS    4
#define TRACE_CLASS_COLUMNS   3
#define TRACE_COUNTER_COLUMNS 4

#endif
