/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_TRACE_DECODE_H
#define MALLOGRAPH_TRACE_DECODE_H

/*
 * From payloads to callbacks: what each block type means, and every check that
 * needs to know what came before. Private to the reader.
 *
 * A decoding function returns 0, DECODE_STOPPED when a callback wanted to stop
 * (its value is in decoder->stop), ERROR_DAMAGED with decoder->fault set,
 * ERROR_SWOLLEN or ERROR_MEMORY.
 */

#include "formats/trace/block.h"
#include "formats/trace/bytes.h"
#include "formats/trace/memory.h"
#include "formats/trace/reader.h"

#define DECODE_STOPPED 1

struct trace_class_state {
	uint64_t size, live; /* bytes of a block; blocks */
};

/* Invariant: ids 1..count of each kind were defined by what has been read. */
struct trace_decoder {
	const struct trace_visitor *visitor;
	void *context;
	const char *fault;
	int stop;

	uint32_t modules, nodes, class_count, threads, strings;
	uint32_t class_counters, thread_counters;
	struct trace_class_state *classes; /* [id - 1] */
	size_t class_capacity;
	struct trace_frame *frames; /* of one symbol */
	size_t frame_capacity;

	struct trace_replay *replay; /* decode_events.c */

	uint64_t point_tick;  /* last seen */
	uint64_t event_bytes; /* sum of the sizes of allocations read as events */
	uint64_t class_bytes; /* the same by class counters, and by thread counters: */
	uint64_t thread_bytes;

	uint64_t memory, memory_bound; /* memory.h; the bound is that behind this block */
};

/* The sums that a reader lets grow; below it they cannot overflow int64_t. */
#define TRACE_SUM_MAX INT64_MAX

/* One thing more of a type of block, with so many bytes beside: 0 or ERROR_SWOLLEN. */
static inline int trace_take_memory(struct trace_decoder *decoder, enum trace_block_type type,
				    uint64_t bytes)
{
	decoder->memory += trace_memory_thing(type) + bytes;
	return decoder->memory <= decoder->memory_bound ? 0 : ERROR_SWOLLEN;
}

void trace_decoder_release(struct trace_decoder *decoder);
void trace_replay_free(struct trace_replay *replay);

/* Whether blocks of a type are read: those that somebody visits, and those that are needed to
 * check them. Not those of types that are not known. */
int trace_decoder_needs(const struct trace_decoder *decoder, unsigned type);

/* Decodes one payload of a type that is needed. */
int trace_decode_block(struct trace_decoder *decoder, const struct trace_block_header *header,
		       struct trace_cursor payload);

/* One function a block type, each in the file that its name says. */
int trace_decode_meta(struct trace_decoder *decoder, struct trace_cursor payload); /* definitions */
int trace_decode_end(struct trace_decoder *decoder, struct trace_cursor payload);
int trace_decode_modules(struct trace_decoder *decoder, struct trace_cursor payload);
int trace_decode_nodes(struct trace_decoder *decoder, struct trace_cursor payload);
int trace_decode_classes(struct trace_decoder *decoder, struct trace_cursor payload);
int trace_decode_threads(struct trace_decoder *decoder, struct trace_cursor payload);
int trace_decode_strings(struct trace_decoder *decoder, struct trace_cursor payload); /* results */
int trace_decode_symbols(struct trace_decoder *decoder, struct trace_cursor payload);
int trace_decode_timeline(struct trace_decoder *decoder, uint64_t first_tick,
			  struct trace_cursor payload);
int trace_decode_class_counters(struct trace_decoder *decoder, struct trace_cursor payload);
int trace_decode_thread_counters(struct trace_decoder *decoder, struct trace_cursor payload);
int trace_decode_events(struct trace_decoder *decoder, uint64_t first_tick,
			struct trace_cursor payload); /* events */

static inline int trace_fault(struct trace_decoder *decoder, const char *what)
{
	decoder->fault = what;
	return ERROR_DAMAGED;
}

/* The result of a callback as one of a decoding function. */
static inline int trace_called(struct trace_decoder *decoder, int result)
{
	if (!result)
		return 0;
	decoder->stop = result;
	return DECODE_STOPPED;
}

#endif
