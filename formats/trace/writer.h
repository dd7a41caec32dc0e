/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_TRACE_WRITER_H
#define MALLOGRAPH_TRACE_WRITER_H

/*
 * Writes a trace (docs/mallograph-trace.5) to a descriptor.
 *
 * Definitions (modules, nodes, classes, threads) and events are gathered in
 * one open payload per block type. trace_writer_flush() writes out all open
 * payloads, definitions before the events that use them; the writer does the
 * same by itself when one reaches TRACE_BLOCK_BYTES. Nothing reaches the file
 * but whole blocks, each by one write(2) where the system allows.
 *
 * Where the disk is full (or a quota, or the limit of file size), and for events where the
 * trace would grow over trace_writer_limit(), events, timeline and names are left out from
 * then on. Calls for events then return ERROR_LIMIT; that is no error of the writer. So much
 * room is kept for the definitions and counters that a trace can be finished.
 *
 * Errors stick: after the first failed write every call returns it again
 * without doing anything (ERROR_SYSTEM; trace_writer_errno() tells which).
 * What no reader would take is refused and leaves the writer as it was:
 * ERROR_DAMAGED for an id that was not given out yet, a size or a time over
 * 2^63 - 1; ERROR_LIMIT for a string over TRACE_STRING_MAX.
 * Not thread-safe: one writer, one thread.
 */

#include <stddef.h>
#include <stdint.h>

#include "formats/trace/layout.h"

struct trace_writer;

/* Bytes of the longest string (a module's path, a thread's name: half of it). */
#define TRACE_STRING_MAX (TRACE_BLOCK_BYTES - 1024)

/* Writes the file header. fd must be open for writing at offset 0; it is not
 * closed by the writer. level is the codec's own, 0 for its default.
 * Returns NULL when out of memory. */
struct trace_writer *trace_writer_new(int fd, enum trace_codec codec, int level);
/* Frees; writes nothing. NULL is allowed. */
void trace_writer_free(struct trace_writer *writer);

/* Events stop before the file has more than so many bytes; what a trace needs beside them
 * may come on top. 0: never. */
void trace_writer_limit(struct trace_writer *writer, uint64_t bytes);
struct trace_writer_stop {
	int stopped;
	uint64_t tick;    /* from this one on events are missing */
	int system_errno; /* why: no room; 0: the limit */
};
const struct trace_writer_stop *trace_writer_stopped(const struct trace_writer *writer);
/* Names were left out, too. */
int trace_writer_lacks_symbols(const struct trace_writer *writer);

/* META: these gather too; flush at once after the last. */
int trace_writer_meta_number(struct trace_writer *writer, enum trace_meta_tag tag, uint64_t value);
int trace_writer_meta_bytes(struct trace_writer *writer, enum trace_meta_tag tag, const void *bytes,
			    size_t size);

/* Definitions: ids are given by order of the calls, from 1. */
int trace_writer_module(struct trace_writer *writer, uint64_t start, uint64_t end, uint64_t base,
			const void *path, size_t path_bytes, const void *build_id,
			size_t build_id_bytes);
/* offset: address - module start, or the address for module 0 */
int trace_writer_node(struct trace_writer *writer, uint32_t parent, uint32_t module, int64_t offset,
		      unsigned flags);
int trace_writer_class(struct trace_writer *writer, uint32_t node, uint64_t size,
		       unsigned function);
int trace_writer_thread(struct trace_writer *writer, uint32_t thread, uint64_t tid,
			const char *name, size_t name_bytes);

/* Events, in the order of time. tick must not go back (it is raised to the
 * last one otherwise); thread is the one that made the call. A block's age is
 * at most its deallocation's tick (it is lowered otherwise). */
int trace_writer_allocation(struct trace_writer *writer, uint64_t tick, uint32_t thread,
			    uint32_t class_id, int realloc_half);
/* An allocation, and at once its deallocation by the same thread. realloc_half
 * is the allocation's. */
int trace_writer_temporary(struct trace_writer *writer, uint64_t tick, uint32_t thread,
			   uint32_t class_id, int realloc_half);
struct trace_deallocation {
	uint32_t class_id;
	uint32_t allocating_thread;
	uint64_t age_ticks;
	uint64_t age_allocations; /* TRACE_RECENT and more: only that is kept */
	int realloc;
	/* How many allocations had been written with the block's own. The trace is smaller for
	 * it; what it refers to then must be a live block of which the rest is true. 0: not
	 * known. */
	uint64_t sequence;
};
int trace_writer_deallocation(struct trace_writer *writer, uint64_t tick, uint32_t thread,
			      const struct trace_deallocation *deallocation);
int trace_writer_unknown_free(struct trace_writer *writer, uint64_t tick, uint32_t thread,
			      int inherited);

int trace_writer_timeline(struct trace_writer *writer, uint64_t tick, uint64_t live_bytes,
			  uint64_t live_blocks, uint64_t rss);

/* End of the trace. trace_writer_blocks() copies ready-made blocks (as the
 * symbolizer wrote them, without a file header) after checking their framing
 * and checksums; it takes the whole blocks of types STRINGS and SYMBOLS and
 * drops the rest; *taken_bytes tells how many bytes of whole, sound blocks there
 * were before the first that isn't. Their string ids count from 1: so it is
 * either this, or trace_writer_string() (ERROR_LIMIT when both). */
int trace_writer_blocks(struct trace_writer *writer, const void *bytes, size_t size,
			size_t *taken_bytes);
int trace_writer_string(struct trace_writer *writer, const char *bytes, size_t size);
struct trace_frame {
	uint32_t function; /* string id, 0: none */
	uint32_t file;     /* string id, 0: none */
	uint32_t line;     /* 0: unknown */
};
int trace_writer_symbol(struct trace_writer *writer, uint32_t module, int64_t offset,
			const struct trace_frame *frames, size_t count);
/* What a module's __lsan_default_suppressions returns, by string id, 0: not known. Writes what was
 * gathered; leaves it out where names are. */
int trace_writer_suppressions(struct trace_writer *writer, uint32_t module, uint32_t string);
struct trace_class_counters {
	uint64_t allocations, deallocations, temporary, peak_live;
};
/* in the order of ids, from 1; ERROR_DAMAGED for more deallocations than allocations */
int trace_writer_class_counters(struct trace_writer *writer, const struct trace_class_counters *c);
struct trace_thread_counters {
	uint64_t allocations, deallocations, temporary, bytes;
};
int trace_writer_thread_counters(struct trace_writer *writer,
				 const struct trace_thread_counters *c);
int trace_writer_end_number(struct trace_writer *writer, enum trace_end_tag tag, uint64_t value);

/* Writes everything gathered so far. */
int trace_writer_flush(struct trace_writer *writer);
/* flush, then the END block with what trace_writer_end_number() gave. The
 * counters of every class and every thread must have been given (else
 * ERROR_DAMAGED, and no END). Nothing more can be written afterwards. */
int trace_writer_finish(struct trace_writer *writer);

/* Bytes of whole blocks written so far, file header included. */
uint64_t trace_writer_size(const struct trace_writer *writer);
int trace_writer_errno(const struct trace_writer *writer);

/* A writer without a file header, for the symbolizer's output. */
struct trace_writer *trace_writer_new_blocks(int fd, enum trace_codec codec, int level);

#endif
