/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_RECORDER_BATCH_H
#define MALLOGRAPH_RECORDER_BATCH_H

/*
 * Some events in the order of time, on their way through the recorder. Each step runs
 * over the whole batch, so what one event needs of a table is fetched while others are
 * worked at, and each may run in a thread of its own (crew.h):
 *
 *   drain     fills it in, with the classes of allocations that were seen lately
 *   stacks    of the others: the session's node becomes the trace's
 *   classes   node, size and function become a class
 *   pairing   a deallocation learns of its allocation; by address, in several shards
 *   account   counts, and writes the trace
 *
 * All events are of one tick.
 */

#include <stdint.h>

#include "libcollect/recorder/area.h"

enum { BATCH_EVENTS = 256, BATCH_SHARDS = 8 };

#define CLASS_SIZE_BITS            48 /* of a class' `what`: bytes; above: function */
#define CLASS_WHAT(size, function) ((uint64_t)(size) | (uint64_t)(function) << CLASS_SIZE_BITS)

enum batch_operation {
	BATCH_NOTHING = 0,
	BATCH_LOST, /* an allocation for which there was no memory, and its own deallocation */
	BATCH_ALLOCATION,
	BATCH_TEMPORARY, /* an allocation whose own deallocation was its thread's next event */
	BATCH_DEALLOCATION,
	BATCH_UNKNOWN_FREE /* of no block that we know */
};

struct batch_event {
	uint64_t address;
	uint64_t time; /* its stamp */
	/* Of an allocation whose class is not known yet its CLASS_WHAT(). Otherwise how many
	 * allocations the block's thread had made with the block's own. */
	uint64_t number;
	union {
		uint64_t freed; /* TEMPORARY: the deallocation's stamp */
		struct {
			uint32_t tick;     /* DEALLOCATION: of the block's allocation ... */
			uint32_t sequence; /* ... and low bits of its number in the trace */
		} block;
	};
	union {
		uint32_t node; /* while the class is not known: the session's, then the trace's */
		uint32_t class_id;
	};
	uint32_t thread; /* that made the call */
	union {
		uint32_t sequence; /* of an allocation: as block.sequence */
		uint32_t owner;    /* DEALLOCATION: the block's thread */
	};
	uint8_t operation; /* enum batch_operation */
	uint8_t realloc;
	uint16_t pad;
};
_Static_assert(sizeof(struct batch_event) == 48, "events pass through the cache");

/* What pairing found out beside the batch's events: belongs before (2 i) or behind (2 i + 1)
 * the event i; `time` says where. */
struct batch_extra {
	struct area events; /* struct batch_event */
	uint32_t count, next;
	uint32_t lost; /* events of the batch for which there was no memory */
};

/* An allocation whose class is not known yet. */
struct batch_unknown {
	uint64_t number; /* that the event gets with its class */
	uint32_t node;   /* the session's */
	uint32_t at;
};

struct batch {
	uint32_t count, unknown_count;
	uint64_t tick;
	uint64_t lost;           /* events that have become BATCH_LOST */
	uint64_t settle;         /* loose ends older than this are settled behind it; 0: none */
	uint32_t nodes, classes; /* of the trace, with those that this batch needs */
	struct batch_unknown unknown[BATCH_EVENTS];
	struct batch_extra extra[BATCH_SHARDS];
	struct batch_event event[BATCH_EVENTS];
};

static inline struct batch_event *batch_extra_at(const struct batch_extra *extra, uint32_t number)
{
	return (struct batch_event *)extra->events.base + number;
}

static inline void batch_clear(struct batch *batch)
{
	batch->count = batch->unknown_count = 0;
	batch->settle = batch->lost = 0;
	for (unsigned i = 0; i < BATCH_SHARDS; i++)
		batch->extra[i].count = batch->extra[i].next = batch->extra[i].lost = 0;
}

static inline void batch_release(struct batch *batch)
{
	for (unsigned i = 0; i < BATCH_SHARDS; i++)
		area_release(&batch->extra[i].events);
}

#endif
