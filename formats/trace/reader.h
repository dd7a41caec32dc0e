/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_TRACE_READER_H
#define MALLOGRAPH_TRACE_READER_H

/*
 * Reads a trace block by block and hands each thing to a visitor.
 *
 * A trace is untrusted input. Every reference is checked before a callback
 * sees it: ids exist (were defined earlier in the file), parents are smaller,
 * counts fit the bytes that are left, sizes do not overflow a sum of 2^63, no
 * class has more deallocations than allocations, a complete trace has the
 * counters of every class and thread.
 * Not thread-safe.
 */

#include <stddef.h>
#include <stdint.h>

#include "formats/trace/layout.h"
#include "formats/trace/writer.h" /* struct trace_frame, trace_*_counters */

struct trace_text { /* points into the reader's buffer: valid during the callback */
	const char *bytes;
	size_t size;
};

struct trace_field { /* of META or END */
	unsigned tag;
	struct trace_text bytes;
	uint64_t number; /* the bytes as a varint; 0 when they are not one */
};

struct trace_module {
	uint64_t start, end, base;
	struct trace_text path, build_id;
};

struct trace_node {
	uint32_t parent, module;
	int64_t offset; /* from the module's start; the address for module 0 */
	unsigned flags; /* enum trace_node_flag */
};

struct trace_class {
	uint32_t node;
	unsigned function;
	uint64_t size;
};

struct trace_event {
	uint8_t operation; /* enum trace_operation, without flags: ALLOCATION, DEALLOCATION,
			    * UNKNOWN_FREE, INHERITED_FREE; all others are folded in */
	uint8_t realloc;   /* 0 or 1 */
	/* DEALLOCATION: how many allocations the allocating thread made after the block's
	 * own; TRACE_RECENT for as many and for more. 0: it was temporary. */
	uint16_t age_allocations;
	uint32_t thread; /* that made the call */
	uint32_t class_id;
	uint32_t allocating_thread; /* ALLOCATION: same as thread */
	uint64_t tick;
	uint64_t age_ticks; /* DEALLOCATION */
};

struct trace_point {
	uint64_t tick, live_bytes, live_blocks, rss;
};

/* Any may be NULL. A callback that returns non-zero stops the reading with
 * that value. Ids are those of the file.
 *
 * Blocks that nobody visits are skipped by their headers, where they are not needed to check
 * what is visited: who wants the events alone pays for classes, threads and events, who wants
 * no events pays nothing for them. */
struct trace_visitor {
	int (*meta)(void *context, const struct trace_field *field);
	/* TRACE_META_SUPPRESSIONS, which meta is given, too */
	int (*suppressions)(void *context, uint32_t module, uint32_t string);
	int (*module)(void *context, uint32_t id, const struct trace_module *module);
	int (*node)(void *context, uint32_t id, const struct trace_node *node);
	int (*class_)(void *context, uint32_t id, const struct trace_class *class_);
	/* 1: who visits classes compares their nodes with those of an earlier reading, so nodes
	 * need not be read to check them */
	int nodes_known;
	int (*thread)(void *context, uint32_t id, uint64_t tid, const struct trace_text *name);
	/* Some hundred events at once, in the order of time; they are valid during the call. */
	int (*events)(void *context, const struct trace_event *events, size_t count);
	int (*point)(void *context, const struct trace_point *point);
	int (*string)(void *context, uint32_t id, const struct trace_text *string);
	int (*symbol)(void *context, uint32_t module, int64_t offset,
		      const struct trace_frame *frames, size_t count);
	int (*class_counters)(void *context, uint32_t id,
			      const struct trace_class_counters *counters);
	int (*thread_counters)(void *context, uint32_t id,
			       const struct trace_thread_counters *counters);
	int (*end)(void *context, const struct trace_field *field);
};

/* How whole a trace is. */
enum trace_state {
	TRACE_COMPLETE = 0,
	TRACE_RECORDING, /* no END yet, and a recorder still holds the file's lock */
	TRACE_CUT,       /* no END, nobody writes: ends in a partial block or behind a whole one */
	TRACE_DAMAGED /* a block whose checksum or contents are wrong: what precedes it was used */
};

struct trace_reader;

/* Opens and checks the file header. "-" is stdin. On success *reader must be
 * given to trace_reader_close(). Errors: ERROR_SYSTEM, ERROR_DIRECTORY,
 * ERROR_EMPTY, ERROR_FOREIGN, ERROR_OLDER, ERROR_NEWER, ERROR_CUT_OFF (shorter than the
 * header), ERROR_MEMORY, ERROR_LIMIT (a pipe that gives too much). */
int trace_reader_open(struct trace_reader **reader, const char *path);
/* The same of a source (source.h), which it takes over on success and leaves alone otherwise. */
struct trace_source;
int trace_reader_open_source(struct trace_reader **reader, struct trace_source *source);
void trace_reader_close(struct trace_reader *reader);

/* True (1) when the last block is END: then the counters are there and events
 * need not be read. Looks at block headers only. */
int trace_reader_complete(struct trace_reader *reader);

/* Reads from the start to the end, or to the first block that is not whole and
 * sound, which is not an error: *state tells. May be called again, and then
 * sees what a recorder has added since. Of a block with a wrong checksum nothing
 * reaches the visitor; of one whose contents are wrong, what lies before the
 * fault does.
 *
 * Returns what a callback returned to stop, or ERROR_NEWER (a block that only a
 * newer version can read), ERROR_UNSUPPORTED, ERROR_MEMORY, ERROR_SYSTEM. The
 * state is then TRACE_DAMAGED, for want of a better word. */
int trace_reader_read(struct trace_reader *reader, const struct trace_visitor *visitor,
		      void *context, enum trace_state *state);

/* Where the reading stopped (bytes of the file that were used), and the size
 * of the file: for messages. */
uint64_t trace_reader_used(const struct trace_reader *reader);
uint64_t trace_reader_size(const struct trace_reader *reader);

/* After a reading whose state was TRACE_DAMAGED: a few words for what was
 * wrong ("checksum of a block"); NULL otherwise. */
const char *trace_reader_fault(const struct trace_reader *reader);

/* The lock that says "still recording": the recorder holds an open file
 * description write lock (F_OFD_SETLK) on byte 0 of the file. */

#endif
