/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_RECORDER_STACKS_H
#define MALLOGRAPH_RECORDER_STACKS_H

/*
 * The session's stack nodes, read from the region when an event first uses
 * them, and the nodes of the trace: those that are used, each once, also when
 * threads of the program inserted the same one twice.
 */

#include <stdint.h>

#include "libcollect/recorder/account.h"
#include "libcollect/recorder/modules.h"

struct stacks {
	const struct shared *shared;
	struct session *session;
	struct modules modules;

	struct area map;    /* struct account_node by the session's id */
	uint32_t map_count; /* ids below have room there */
	struct area nodes;  /* struct file_node by the trace's id */
	uint32_t node_count;
	struct area index; /* trace ids by hash: see search() */
	uint32_t bits;
	struct area chain; /* scratch: session ids on the way to the root */
	uint64_t bad;      /* node ids that could not be read */
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

/* For stacks_node(): the slow way. */
struct account_node *stacks_resolve(struct stacks *stacks, struct trace_writer *writer,
				    uint32_t id);

/* The node of an event, defined in the trace; node 0 (no stack) when the id
 * makes no sense; NULL when out of memory. Holds until the next call. */
static inline struct account_node *stacks_node(struct stacks *stacks, struct trace_writer *writer,
					       uint32_t id)
{
	struct account_node *node = (struct account_node *)stacks->map.base + id;

	if (id < stacks->map_count && (node->node != 0 || id == 0))
		return node;
	return stacks_resolve(stacks, writer, id);
}

static inline void stacks_prefetch(const struct stacks *stacks, uint32_t id)
{
	__builtin_prefetch((struct account_node *)stacks->map.base + id);
}

#endif
