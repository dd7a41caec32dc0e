/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_TRACE_WRITER_INTERNAL_H
#define MALLOGRAPH_TRACE_WRITER_INTERNAL_H

/* The inside of a trace writer, for writer*.c alone. */

#include "formats/trace/block.h"
#include "formats/trace/guess.h"
#include "formats/trace/memory.h"
#include "formats/trace/writer.h"

/* EVENTS are closed at whichever comes first. */
#ifndef TRACE_WRITER_EVENTS_BYTES
#define TRACE_WRITER_EVENTS_BYTES TRACE_BLOCK_BYTES
#endif
#ifndef TRACE_WRITER_OPERATIONS
#define TRACE_WRITER_OPERATIONS TRACE_OPERATIONS_MOST
#endif

/* The most that stands before the columns of a payload but EVENTS. */
#define TRACE_COLUMNS_HEAD 32

/* The open payload of one block type, of those with columns in rows: size <= capacity <=
 * TRACE_BLOCK_BYTES. */
struct trace_payload {
	uint8_t *bytes;
	size_t size, capacity;
	uint64_t first_tick;
	size_t things; /* records, rows, fields ... in it */
};

/*
 * The open events. All columns have the same capacity. What one call may add is
 * bounded, so the columns are measured only when as many calls as surely
 * fit have been made.
 */
struct trace_event_columns {
	uint32_t left;                       /* calls that surely fit; 0 after an error */
	uint32_t granted;                    /* what left was when they were measured last */
	uint32_t operations;                 /* in the block, before those calls ... */
	uint32_t changes;                    /* ... and TICKS and THREAD since */
	uint8_t *at[TRACE_EVENT_COLUMNS];    /* where the next byte goes */
	uint8_t *start[TRACE_EVENT_COLUMNS]; /* NULL until the first event */
	size_t capacity;
	uint32_t thread;     /* of the last event in this block; 0: there is none */
	uint64_t first_tick; /* of this block's first event */

	/* Kept from block to block. */
	uint64_t tick;        /* of the last event */
	uint32_t last_thread; /* of the last event, 0 before the first */
	uint32_t top;         /* highest class that was allocated */
	uint64_t sequence;    /* allocations so far */
	uint64_t recent;      /* sequence of the last RECENT's or STEP's allocation */
	uint64_t born;        /* tick of birth of the last DEALLOCATION's block */
	uint64_t run;         /* guessed since the last that was not, in this block */
	uint64_t birth_run;   /* DEALLOCATIONs since the last that is in BIRTHS, in this block */
	struct trace_guess *guess;
};

struct trace_writer {
	struct trace_block_writer blocks;
	int error;       /* the first one; it stays */
	int only_blocks; /* no file header: what is referred to lies elsewhere */
	int borrowed;    /* string ids were given out by trace_writer_blocks() */
	struct trace_payload payload[TRACE_BLOCK_END + 1]; /* by type */
	struct trace_event_columns events;
	uint8_t *turned; /* where rows become columns */
	size_t turned_capacity;
	uint32_t modules, nodes, classes, threads, strings; /* ids given out */
	uint32_t class_node;                                /* of the last class */
	uint32_t class_counters, thread_counters;
	uint64_t point_tick; /* of the last point of the timeline */

	uint64_t memory; /* that what was written takes in readers (memory.h) */

	uint64_t limit; /* no EVENTS behind it in the file; 0: none */
	struct trace_writer_stop stop;
	int full_errno; /* what a trace can do without is left out since; 0: not */
	int symbols_left_out;
};

/* Keeps the first error and returns it. */
int trace_writer_fail(struct trace_writer *writer, int error);

/* Room for `bytes` more in the open payload of a type, which is written out
 * first when it would grow too large, or when there is no memory for it to grow. NULL:
 * trace_writer_lack() tells why. Write there and hand the end to trace_writer_commit(). */
uint8_t *trace_writer_reserve(struct trace_writer *writer, enum trace_block_type type,
			      size_t bytes);
/* Why there is no room: an error that stays, or ERROR_MEMORY for this record alone. */
int trace_writer_lack(const struct trace_writer *writer);
void trace_writer_commit(struct trace_writer *writer, enum trace_block_type type,
			 const uint8_t *end);

/* Writes out what is open, of this type and of all that go before it: the
 * order of the types is that in which they refer to each other. */
int trace_writer_flush_through(struct trace_writer *writer, enum trace_block_type type);

/* writer_room.c: writes a block, or leaves it out where there is no room for it and the
 * trace is whole without. */
int trace_writer_put_block(struct trace_writer *writer, enum trace_block_type type, unsigned flags,
			   uint64_t first_tick, const uint8_t *payload, size_t bytes);
int trace_writer_put_encoded(struct trace_writer *writer, enum trace_block_type type,
			     uint64_t first_tick, const uint8_t *block, size_t size);
/* How many bytes the open events may grow to; where that is little, *number tells why: an
 * errno, or 0 for the limit. */
size_t trace_writer_events_room(const struct trace_writer *writer, int *number);
/* No more events from a tick on: the limit (0), a disk that is full or no memory (an errno). */
void trace_writer_stop_events(struct trace_writer *writer, uint64_t tick, int number);

/* writer_events.c */
int trace_writer_flush_events(struct trace_writer *writer);
void trace_writer_release_events(struct trace_writer *writer);

/* Numbers of one thing, which become columns when the payload is written out. */
int trace_writer_row(struct trace_writer *writer, enum trace_block_type type,
		     const uint64_t *numbers, unsigned columns);
/* Numbers as one record: varint length, varints. count is at most 8. */
int trace_writer_record(struct trace_writer *writer, enum trace_block_type type,
			const uint64_t *numbers, unsigned count);

static inline size_t trace_varint_bytes(uint64_t value)
{
	size_t bytes = 1;

	while (value >= 0x80) {
		value >>= 7;
		bytes++;
	}
	return bytes;
}

/* varint length, bytes */
static inline uint8_t *trace_put_string(uint8_t *at, const void *bytes, size_t size)
{
	at = trace_put_varint(at, size);
	if (size)
		memcpy(at, bytes, size);
	return at + size;
}

#endif
