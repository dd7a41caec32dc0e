/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_RECORDER_STACKS_H
#define MALLOGRAPH_RECORDER_STACKS_H

/*
 * The session's stack nodes, read from the region when an event first uses
 * them, and the nodes of the trace: those that are used, each once, also when
 * threads of the program inserted the same one twice.
 *
 * A node costs 31 to 42 bytes while events come in (16 for itself, 4 for the session's
 * id, 11 to 22 in the index) and 16 afterwards.
 */

#include <stdint.h>

#include "libcollect/recorder/batch.h"
#include "libcollect/recorder/modules.h"

struct stacks {
	const struct shared *shared;
	struct session *session;
	struct modules modules;
	struct crew *crew; /* others may be reading nodes; or NULL */

	struct area map;    /* u32: the trace's id by the session's */
	uint32_t map_count; /* ids below have room there */
	struct area nodes;  /* struct file_node by the trace's id */
	uint32_t node_count;
	struct area index; /* trace ids by hash: see search() */
	uint32_t bits;
	struct area fresh; /* scratch: struct fresh_node, of a batch */
	uint32_t fresh_count;
	uint64_t bad; /* node ids that could not be read */
};

void stacks_release(struct stacks *stacks);
/* What is only needed while events come in. */
void stacks_release_map(struct stacks *stacks);

/* Where a node of the trace is; a negative value when it stands for no code. */
struct stacks_place {
	uint32_t module; /* of the trace, 0: none */
	int64_t offset;  /* as in the trace */
};
int stacks_place(const struct stacks *stacks, uint32_t node, struct stacks_place *place);
/* enum trace_node_flag of a node of the trace and of all above it. */
unsigned stacks_flags(const struct stacks *stacks, uint32_t node);

/* Translates the nodes of a batch's allocations to those of the trace; to 0 (no stack) when the
 * id makes no sense. Modules are defined in the trace at once. */
void stacks_resolve(struct stacks *stacks, struct trace_writer *writer, struct batch *batch);
/* Defines nodes of the trace in it. */
void stacks_tell(const struct stacks *stacks, struct trace_writer *writer, uint32_t first,
		 uint32_t last);

/* Hint: a batch will have this node. */
static inline void stacks_prefetch(const struct stacks *stacks, uint32_t id)
{
	__builtin_prefetch((uint32_t *)stacks->map.base + id);
}

#endif
