/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_BENCH_REPLAY_H
#define MALLOGRAPH_BENCH_REPLAY_H

/* A stream of events in memory, read from a trace or made up. */

#include "libcollect/recorder/account.h"

struct step {
	uint64_t time, address, size;
	uint32_t node, tick;
	uint32_t thread;
	uint8_t is_free, realloc, function;
};

struct stream_node {
	uint32_t parent;
	unsigned flags;
	int64_t offset;
};

struct stream {
	struct step *step; /* behind the last one there are some of zeros */
	size_t steps, allocations;
	struct stream_node *node; /* from 1 */
	uint32_t nodes, threads;
};

/* path: of a trace; or "churn": 10 million temporaries of a few sizes and stacks.
 * ahead: how many steps of zeros are wanted behind the last. */
int stream_load(struct stream *stream, const char *path, size_t ahead);
void stream_release(struct stream *stream);

#endif
