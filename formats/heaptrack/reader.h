/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_HEAPTRACK_READER_H
#define MALLOGRAPH_HEAPTRACK_READER_H

/*
 * Reads what `heaptrack --interpret` writes (format versions 1 to 3; plain, gzip or
 * zstd) record by record and hands each thing to a visitor. docs/heaptrack.md has the
 * format.
 *
 * The file is untrusted input. Before a callback sees anything, its references
 * are checked: ids were defined earlier, parents are smaller, sizes do not
 * overflow a sum of 2^63, no class has more deallocations than allocations, the
 * clock does not go back. Memory follows what the file defines, and a file that
 * defines far more than one of its size can mean is given up (ERROR_SWOLLEN).
 * Not thread-safe.
 */

#include <stddef.h>
#include <stdint.h>

#include "formats/trace/reader.h" /* struct trace_text, trace_class, trace_event, trace_frame */
#include "formats/trace/source.h"

/* An address of the program, with the functions inlined there. */
struct heaptrack_address {
	uint64_t address;                 /* as it was in the process */
	uint32_t module;                  /* string id, 0: unknown */
	const struct trace_frame *frames; /* string ids; the innermost first */
	size_t frame_count;
};

/* Any may be NULL. A callback that returns non-zero stops the reading with that
 * value. Ids begin at 1 and have no gaps; 0 is "none", as a node's parent the root. */
struct heaptrack_visitor {
	int (*command)(void *context, const struct trace_text *command);
	int (*system)(void *context, uint64_t page_size);
	/* The collector was attached to a running program. */
	int (*attached)(void *context);
	/* One line, as in a file of suppressions: "leak:PATTERN". */
	int (*suppression)(void *context, const struct trace_text *line);
	int (*string)(void *context, uint32_t id, const struct trace_text *string);
	int (*address)(void *context, uint32_t id, const struct heaptrack_address *address);
	/* address 0: the stack's other frames are not known. */
	int (*node)(void *context, uint32_t id, uint32_t address, uint32_t parent);
	int (*class_)(void *context, uint32_t id, const struct trace_class *class_);
	/* A batch, valid during the call, of one tick (1 ms); ALLOCATION and DEALLOCATION only.
	 * thread and realloc are 0: the file does not say. age_allocations is 0 when temporary
	 * (the block's class is that of the event before, an allocation), otherwise UINT16_MAX;
	 * age_ticks is 0: not known. */
	int (*events)(void *context, const struct trace_event *events, size_t count);
	/* Behind all events before that tick. */
	int (*clock)(void *context, uint64_t tick);
	int (*rss)(void *context, uint64_t tick, uint64_t pages);
};

struct heaptrack_reader;

/* Takes the source over, on errors too, and checks the first line. On success
 * *reader must be given to heaptrack_reader_close(). Errors: ERROR_FOREIGN (no heaptrack
 * file), ERROR_NEWER, ERROR_CUT_OFF (nothing can be unpacked), ERROR_UNSUPPORTED (zstd in a build
 * without), ERROR_DAMAGED, ERROR_SYSTEM, ERROR_MEMORY. */
int heaptrack_reader_open(struct heaptrack_reader **reader, struct trace_source *source);
void heaptrack_reader_close(struct heaptrack_reader *reader);

/* Reads to the end, or to the first record that is not whole and sound, which is no error:
 * *state tells. TRACE_COMPLETE is what ends in heaptrack's closing comment. Once for a reader.
 *
 * Returns what a callback returned to stop, or ERROR_RAW (not interpreted yet), ERROR_LIMIT,
 * ERROR_SWOLLEN, ERROR_MEMORY, ERROR_SYSTEM. */
int heaptrack_reader_read(struct heaptrack_reader *reader, const struct heaptrack_visitor *visitor,
			  void *context, enum trace_state *state);

/* For messages, as those of formats/trace/reader.h. */
uint64_t heaptrack_reader_used(const struct heaptrack_reader *reader);
uint64_t heaptrack_reader_size(const struct heaptrack_reader *reader);
const char *heaptrack_reader_fault(const struct heaptrack_reader *reader);

#endif
