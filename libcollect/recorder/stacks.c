/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Compilers make a new stack for two of three allocations, and all that is known of nodes is more
 * than the caches hold. So the new ones of a batch are gathered first, each with its
 * parents before it, and numbered as if none were known; the index is fetched for all of them;
 * then each is looked for. Where one was there after all, those behind it get
 * smaller numbers than they had been given, and their hashes are made anew.
 */
#include "libcollect/recorder/stacks.h"

#include <stddef.h>

#include "libcollect/recorder/crew.h"

enum { FIRST_BITS = 10, NODES_MOST = INT32_MAX, FRESH_MOST = 1 << 20 };
#define PENDING (UINT32_C(1) << 31)

/* flags: bits 0-2 enum node_flag of all nodes up to the root, 3-5 own, 8-31 module */
struct file_node {
	uint32_t parent, module_and_flags;
	int64_t offset; /* from the module's start; the address for none */
};
#define OWN_SHIFT    3
#define MODULE_SHIFT 8

struct fresh_node {
	struct file_node node; /* flags: its own only, yet */
	uint32_t id;           /* the session's; its parent's: */
	uint32_t parent;
	uint64_t hash;
};

static inline uint32_t *map_at(const struct stacks *stacks, uint32_t id)
{
	return (uint32_t *)stacks->map.base + id;
}

static inline struct file_node *node_at(const struct stacks *stacks, uint32_t id)
{
	return (struct file_node *)stacks->nodes.base + id;
}

static inline struct fresh_node *fresh_at(const struct stacks *stacks, uint32_t number)
{
	return (struct fresh_node *)stacks->fresh.base + number;
}

void stacks_release_map(struct stacks *stacks)
{
	area_release(&stacks->map);
	area_release(&stacks->index);
	area_release(&stacks->fresh);
	stacks->map_count = 0;
	stacks->bits = 0;
}

void stacks_release(struct stacks *stacks)
{
	stacks_release_map(stacks);
	area_release(&stacks->nodes);
	stacks->node_count = 0;
}

static inline unsigned own_flags(const struct file_node *node)
{
	return node->module_and_flags >> OWN_SHIFT & 7;
}

int stacks_place(const struct stacks *stacks, uint32_t id, struct stacks_place *place)
{
	const struct file_node *node = node_at(stacks, id);

	if (own_flags(node) & (NODE_CUT | NODE_INCOMPLETE))
		return -1;
	*place = (struct stacks_place){node->module_and_flags >> MODULE_SHIFT, node->offset};
	return 0;
}

unsigned stacks_flags(const struct stacks *stacks, uint32_t id)
{
	return id != 0 && id <= stacks->node_count ? node_at(stacks, id)->module_and_flags & 7 : 0;
}

void stacks_tell(const struct stacks *stacks, struct trace_writer *writer, uint32_t first,
		 uint32_t last)
{
	for (uint32_t id = first; id <= last && writer != NULL; id++) {
		const struct file_node *node = node_at(stacks, id);

		trace_writer_node(writer, node->parent, node->module_and_flags >> MODULE_SHIFT,
				  node->offset, own_flags(node));
	}
}

/* --- nodes of the session ------------------------------------------------------------- */

/* A copy of a node of the session. */
static int read_node(const struct stacks *stacks, uint32_t id, struct shared_node *node)
{
	const uint32_t *directory = shared_chunk(stacks->shared, stacks->session->node_directory);
	const struct shared_node *chunk;

	if (directory == NULL || id / NODES_PER_CHUNK >= DIRECTORY_ENTRIES)
		return -1;
	chunk = shared_chunk(stacks->shared,
			     __atomic_load_n(&directory[id / NODES_PER_CHUNK], __ATOMIC_ACQUIRE));
	if (chunk == NULL)
		return -1;
	*node = chunk[id % NODES_PER_CHUNK];
	return node->parent < id ? 0 : -1;
}

static int make_room(struct stacks *stacks, uint32_t id)
{
	if (id < stacks->map_count)
		return 0;
	if (area_reserve(&stacks->map, (id + UINT64_C(1)) * sizeof(uint32_t)) != 0)
		return -1;
	stacks->map_count = (uint32_t)(stacks->map.bytes / sizeof(uint32_t));
	return 0;
}

/* Adds a node of the session to the fresh ones; those above it come behind it. -1: no memory. */
static int add_fresh(struct stacks *stacks, uint32_t id, const struct shared_node *shared)
{
	if (area_reserve(&stacks->fresh,
			 (stacks->fresh_count + UINT64_C(1)) * sizeof(struct fresh_node)) != 0)
		return -1;
	*fresh_at(stacks, stacks->fresh_count++) =
	    (struct fresh_node){.node = {.module_and_flags = shared->module_and_flags,
					 .offset = (int64_t)shared->address},
				.id = id,
				.parent = shared->parent};
	return 0;
}

static void turn_round(struct fresh_node *first, struct fresh_node *last)
{
	for (; first < last; first++, last--) {
		struct fresh_node other = *first;

		*first = *last;
		*last = other;
	}
}

/* Gathers a node and all above it that are not known. -1: it makes no sense, or no memory. */
static int gather(struct stacks *stacks, uint32_t id)
{
	uint32_t before = stacks->fresh_count;
	struct shared_node node;

	for (; id != 0 && *map_at(stacks, id) == 0; id = node.parent) {
		if (stacks->fresh_count - before == FRESH_MOST ||
		    read_node(stacks, id, &node) != 0 || add_fresh(stacks, id, &node) != 0) {
			stacks->fresh_count = before;
			return -1;
		}
	}
	if (stacks->fresh_count - before > 1)
		turn_round(fresh_at(stacks, before), fresh_at(stacks, stacks->fresh_count - 1));
	for (uint32_t i = before; i < stacks->fresh_count; i++)
		*map_at(stacks, fresh_at(stacks, i)->id) = PENDING | (i + 1);
	return 0;
}

/* --- nodes of the trace ---------------------------------------------------------------- */

static inline uint64_t hash(const struct file_node *node)
{
	uint64_t h = ((uint64_t)node->offset ^ (uint64_t)node->parent << 32 ^
		      (node->module_and_flags & ~7u)) *
		     UINT64_C(0x9e3779b97f4a7c15);

	return (h ^ h >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
}

/* An id, and above it half of its hash: most others are told without a look at them. */
#define SLOT(h, id)   ((h) << 32 | (id))
#define SLOT_ID(slot) ((uint32_t)(slot))

static inline uint32_t slot_of(const struct stacks *stacks, uint64_t h)
{
	return (uint32_t)(h >> (64 - stacks->bits));
}

/* The slot of an equal node, or the empty one where it belongs. */
static uint64_t *search(const struct stacks *stacks, const struct file_node *node, uint64_t h)
{
	uint64_t *slots = stacks->index.base;
	uint32_t at = slot_of(stacks, h), mask = (UINT32_C(1) << stacks->bits) - 1;

	for (; slots[at] != 0; at = (at + 1) & mask) {
		const struct file_node *other = node_at(stacks, SLOT_ID(slots[at]));

		if (slots[at] >> 32 == (uint32_t)h && other->offset == node->offset &&
		    other->parent == node->parent &&
		    ((other->module_and_flags ^ node->module_and_flags) & ~7u) == 0)
			break;
	}
	return &slots[at];
}

static int grow_index(struct stacks *stacks)
{
	uint32_t bits = stacks->bits == 0 ? FIRST_BITS : stacks->bits + 1;
	uint32_t mask = (UINT32_C(1) << bits) - 1;
	struct area index = {0};
	uint64_t *slots;

	if (bits > 31 || area_reserve(&index, sizeof(*slots) << bits) != 0)
		return -1;
	area_release(&stacks->index);
	stacks->index = index;
	stacks->bits = bits;
	slots = index.base;
	for (uint32_t id = 1; id <= stacks->node_count; id++) {
		uint64_t h = hash(node_at(stacks, id));
		uint32_t at = slot_of(stacks, h);

		while (slots[at] != 0)
			at = (at + 1) & mask;
		slots[at] = SLOT(h, id);
	}
	return 0;
}

/* Room for so many more. */
static int make_nodes(struct stacks *stacks, uint32_t count)
{
	uint64_t most = stacks->node_count + (uint64_t)count;
	size_t bytes = (most + 1) * sizeof(struct file_node);

	if (most > NODES_MOST)
		return -1;
	if (bytes > stacks->nodes.bytes) {
		crew_wait(stacks->crew); /* who may be reading them where they are */
		if (area_reserve(&stacks->nodes, bytes) != 0)
			return -1;
	}
	while (stacks->bits == 0 || most > (UINT64_C(3) << stacks->bits) / 4)
		if (grow_index(stacks) != 0)
			return -1;
	return 0;
}

/* What is known but for the parent's id. */
static void describe(struct stacks *stacks, struct trace_writer *writer, struct fresh_node *fresh)
{
	const struct shared_node shared = {.module_and_flags = fresh->node.module_and_flags};
	unsigned flags = NODE_FLAGS(&shared) & (NODE_GUESSED | NODE_CUT | NODE_INCOMPLETE);
	uint32_t module = 0;

	if (flags & (NODE_CUT | NODE_INCOMPLETE)) {
		fresh->node.offset = 0;
	} else {
		const struct module *from =
		    modules_use(&stacks->modules, writer, stacks->crew, NODE_MODULE(&shared));

		if (from != NULL) {
			module = from->file_id;
			fresh->node.offset -= (int64_t)from->start;
		}
	}
	fresh->node.module_and_flags = module << MODULE_SHIFT | flags << OWN_SHIFT;
}

/* The trace's id of a node's parent; of a fresh one as if none had been known. */
static uint32_t parent_of(const struct stacks *stacks, const struct fresh_node *fresh,
			  uint32_t first)
{
	uint32_t parent = fresh->parent != 0 ? *map_at(stacks, fresh->parent) : 0;

	return (parent & PENDING) != 0 ? first + (parent & ~PENDING) : parent;
}

static void define(struct stacks *stacks, const struct fresh_node *fresh)
{
	uint64_t *slot = search(stacks, &fresh->node, fresh->hash);
	const struct file_node *parent = node_at(stacks, fresh->node.parent);
	uint32_t id;

	if (*slot == 0) {
		id = ++stacks->node_count;
		*slot = SLOT(fresh->hash, id);
		*node_at(stacks, id) = fresh->node;
		node_at(stacks, id)->module_and_flags |=
		    own_flags(&fresh->node) |
		    (fresh->node.parent != 0 ? parent->module_and_flags & 7 : 0);
	}
	*map_at(stacks, fresh->id) = SLOT_ID(*slot);
}

/* Defines all that were gathered; without memory they stay unknown. */
static void define_fresh(struct stacks *stacks, struct trace_writer *writer)
{
	uint32_t first = stacks->node_count, count = stacks->fresh_count;

	stacks->fresh_count = 0;
	if (make_nodes(stacks, count) != 0) {
		for (uint32_t i = 0; i < count; i++)
			*map_at(stacks, fresh_at(stacks, i)->id) = 0;
		stacks->bad += count;
		return;
	}
	for (uint32_t i = 0; i < count; i++) {
		struct fresh_node *fresh = fresh_at(stacks, i);

		describe(stacks, writer, fresh);
		fresh->node.parent = parent_of(stacks, fresh, first);
		fresh->hash = hash(&fresh->node);
		__builtin_prefetch((uint64_t *)stacks->index.base + slot_of(stacks, fresh->hash));
	}
	for (uint32_t i = 0; i < count; i++) {
		struct fresh_node *fresh = fresh_at(stacks, i);

		if (stacks->node_count != first + i) {
			fresh->node.parent = parent_of(stacks, fresh, first);
			fresh->hash = hash(&fresh->node);
		}
		define(stacks, fresh);
	}
}

/* --- batches ------------------------------------------------------------------------------ */

/* The session's id, when it can be one and the map has room for it; 0 otherwise. */
static uint32_t check(struct stacks *stacks, uint32_t id, uint64_t limit)
{
	if (id < limit && make_room(stacks, id) == 0)
		return id;
	stacks->bad++;
	return 0;
}

static uint64_t node_limit(const struct stacks *stacks)
{
	uint64_t count = atomic_load_explicit(&stacks->session->node_count, memory_order_acquire);
	uint64_t possible = (uint64_t)stacks->shared->chunks * NODES_PER_CHUNK;

	if (possible > PENDING)
		possible = PENDING;
	return count < possible ? count : possible;
}

void stacks_resolve(struct stacks *stacks, struct trace_writer *writer, struct batch *batch)
{
	uint64_t limit = batch->unknown_count != 0 ? node_limit(stacks) : 0;

	if (make_room(stacks, 0) != 0)
		limit = 0;
	for (uint32_t i = 0; i < batch->unknown_count; i++) {
		struct batch_event *event = &batch->event[batch->unknown[i].at];

		if (event->node >= limit || event->node >= stacks->map_count)
			event->node = check(stacks, event->node, limit);
		if (event->node == 0 || *map_at(stacks, event->node) != 0)
			continue;
		if (stacks->fresh_count >= FRESH_MOST)
			define_fresh(stacks, writer);
		if (gather(stacks, event->node) != 0) {
			stacks->bad++;
			event->node = 0;
		}
	}
	if (stacks->fresh_count != 0)
		define_fresh(stacks, writer);
	for (uint32_t i = 0; i < batch->unknown_count; i++) {
		struct batch_event *event = &batch->event[batch->unknown[i].at];

		if (event->node != 0)
			event->node = *map_at(stacks, event->node);
	}
	batch->nodes = stacks->node_count;
}
