/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_BENCH_CAPTURE_H
#define MALLOGRAPH_BENCH_CAPTURE_H

/*
 * What a program wrote into its region, in a file: the words of its rings, stack nodes and
 * modules of one session. The driver saves it (capture_save.c), replay feeds it to the
 * recorder's drain (capture.c). For the machine and the build it was made with.
 *
 *   8 bytes CAPTURE_MAGIC, then records: struct capture_record, its bytes
 *
 *   SESSION  struct capture_session       RING     struct capture_ring, before its words
 *   WORDS    as drained, of one ring      NODES    struct shared_node, from id 0
 *   MODULES  struct shared_module records, whole chunks but for the last
 */

#include <stdint.h>
#include <stdio.h>

#include "libcollect/recorder/region.h"

#define CAPTURE_MAGIC "MLGCAP1\n"

enum capture_kind {
	CAPTURE_SESSION = 1,
	CAPTURE_RING,
	CAPTURE_WORDS,
	CAPTURE_NODES,
	CAPTURE_MODULES
};

struct capture_record {
	uint32_t kind;
	uint32_t ring; /* number, from 0 */
	uint64_t bytes;
};

struct capture_session {
	uint64_t opened;
	uint64_t rate; /* nanoseconds per unit of the clock, times 2^32 */
};

struct capture_ring {
	uint64_t opened;
	int32_t tid;
	uint32_t pad;
};

/* A capture in memory, or a made-up one. */
struct capture {
	struct capture_session session;
	struct capture_words {
		struct capture_ring of;
		uint64_t *words;
		size_t count, room;
	} * rings;
	uint32_t ring_count;
	struct shared_node *nodes; /* [0] is unused */
	uint32_t node_count, node_room;
	char *modules;
	uint32_t module_bytes;
	uint64_t events, allocations; /* among the words */
};

/* --- saving. Errors are seen by ferror(). */
FILE *capture_create(const char *path, const struct capture_session *session);
void capture_write(FILE *file, enum capture_kind kind, uint32_t ring, const void *bytes,
		   uint64_t size);
/* Nodes and modules, then closes. 0, or -1 when the file is not whole. */
int capture_finish(FILE *file, const struct shared *shared, const struct session *session);

/* --- loading. 0, or -1 with a message on stderr. */
int capture_load(struct capture *capture, const char *path);
void capture_release(struct capture *capture);

/* --- making one up: session.opened 1, a clock of nanoseconds */
void capture_start(struct capture *capture);
uint32_t capture_add_ring(struct capture *capture);
uint32_t capture_add_node(struct capture *capture, uint32_t parent, uint64_t address);
/* kind is an enum event_kind. time 0: without a stamp; node and size are an allocation's. */
void capture_add(struct capture *capture, uint32_t ring, uint64_t time, unsigned kind,
		 uint64_t address, uint32_t node, uint64_t size);
/* An EVENT_TIME, for what has no stamp. */
void capture_add_time(struct capture *capture, uint32_t ring, uint64_t time);
/* Threads that allocate, reallocate and free each other's blocks at random, with
 * events that come late, frees of unknown blocks, and new stacks all the time. */
void capture_random(struct capture *capture, uint64_t seed);
/* Malloc-free pairs of a few sizes at a few stacks. */
void capture_churn(struct capture *capture, uint64_t pairs);

#endif
