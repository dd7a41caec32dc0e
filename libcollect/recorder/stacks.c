/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libcollect/recorder/stacks.h"

#include <stddef.h>

enum { FIRST_BITS = 10, CHAIN_MOST = 1 << 20 };

struct file_node {
	uint32_t parent, module;
	uint64_t address;
	int64_t offset; /* from the module's start; the address for none */
	uint8_t own_flags;
	uint8_t flags; /* those of all nodes up to the root */
};

static inline struct account_node *map_at(const struct stacks *stacks, uint32_t id)
{
	return (struct account_node *)stacks->map.base + id;
}

static inline struct file_node *node_at(const struct stacks *stacks, uint32_t id)
{
	return (struct file_node *)stacks->nodes.base + id;
}

void stacks_release_map(struct stacks *stacks)
{
	area_release(&stacks->map);
	area_release(&stacks->index);
	area_release(&stacks->chain);
	stacks->map_count = 0;
	stacks->bits = 0;
}

void stacks_release(struct stacks *stacks)
{
	stacks_release_map(stacks);
	area_release(&stacks->nodes);
	stacks->node_count = 0;
}

int stacks_place(const struct stacks *stacks, uint32_t id, struct stacks_place *place)
{
	const struct file_node *node = node_at(stacks, id);

	if (node->own_flags & (NODE_CUT | NODE_INCOMPLETE))
		return -1;
	*place = (struct stacks_place){node->module, node->offset};
	return 0;
}

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

/* --- nodes of the trace ---------------------------------------------------------- */

static inline uint64_t hash(const struct file_node *node)
{
	uint64_t h = (node->address ^ (uint64_t)node->parent << 32 ^ node->module) *
		     UINT64_C(0x9e3779b97f4a7c15);

	return ((h ^ h >> 29) + node->own_flags) * UINT64_C(0xbf58476d1ce4e5b9);
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

		if (slots[at] >> 32 == (uint32_t)h && other->address == node->address &&
		    other->parent == node->parent && other->module == node->module &&
		    other->own_flags == node->own_flags)
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

/* The trace's id for a session's node below a node of the trace; 0: no memory. */
static uint32_t define(struct stacks *stacks, struct trace_writer *writer, uint32_t parent,
		       const struct shared_node *shared)
{
	const struct module *module = NULL;
	struct file_node node = {.parent = parent, .own_flags = (uint8_t)NODE_FLAGS(shared)};
	uint32_t id = stacks->node_count + 1;
	uint64_t *slot, h;

	if ((node.own_flags & (NODE_CUT | NODE_INCOMPLETE)) == 0) {
		module = modules_use(&stacks->modules, writer, NODE_MODULE(shared));
		node.address = shared->address;
		node.module = module != NULL ? module->file_id : 0;
	}
	node.own_flags &= NODE_GUESSED | NODE_CUT | NODE_INCOMPLETE;
	node.flags = node.own_flags | (parent != 0 ? node_at(stacks, parent)->flags : 0);
	if (area_reserve(&stacks->nodes, (id + UINT64_C(1)) * sizeof(node)) != 0 ||
	    ((stacks->bits == 0 || id / 3 >= UINT32_C(1) << stacks->bits >> 2) &&
	     grow_index(stacks) != 0))
		return 0;
	node.offset = (int64_t)(node.address - (module != NULL ? module->start : 0));
	h = hash(&node);
	slot = search(stacks, &node, h);
	if (*slot != 0)
		return SLOT_ID(*slot);
	*node_at(stacks, id) = node;
	stacks->node_count = id;
	*slot = SLOT(h, id);
	if (writer != NULL)
		trace_writer_node(writer, parent, node.module, node.offset, node.own_flags);
	return id;
}

/* --- nodes of the session ---------------------------------------------------------- */

static int make_room(struct stacks *stacks, uint32_t id)
{
	if (area_reserve(&stacks->map, (id + UINT64_C(1)) * sizeof(struct account_node)) != 0)
		return -1;
	stacks->map_count = (uint32_t)(stacks->map.bytes / sizeof(struct account_node));
	return 0;
}

/* The ids from id up to, not with, the first one that is known. */
static int walk_up(struct stacks *stacks, uint32_t id, uint32_t *length)
{
	struct shared_node node;

	for (*length = 0; id != 0 && map_at(stacks, id)->node == 0; id = node.parent) {
		if (*length == CHAIN_MOST || read_node(stacks, id, &node) != 0 ||
		    area_reserve(&stacks->chain, (*length + 1) * sizeof(uint32_t)) != 0)
			return -1;
		((uint32_t *)stacks->chain.base)[(*length)++] = id;
	}
	return 0;
}

struct account_node *stacks_resolve(struct stacks *stacks, struct trace_writer *writer, uint32_t id)
{
	uint32_t count = atomic_load_explicit(&stacks->session->node_count, memory_order_acquire);
	uint64_t possible = (uint64_t)stacks->shared->chunks * NODES_PER_CHUNK;
	struct shared_node node;
	uint32_t length, parent;

	if (make_room(stacks, id < count && id < possible ? id : 0) != 0)
		return NULL;
	if (id >= count || id >= possible || walk_up(stacks, id, &length) != 0) {
		stacks->bad++;
		return map_at(stacks, 0);
	}
	while (length-- > 0) {
		struct account_node *mapped;

		id = ((uint32_t *)stacks->chain.base)[length];
		if (read_node(stacks, id, &node) != 0)
			return map_at(stacks, 0); /* it has just been overwritten */
		mapped = map_at(stacks, id);
		/* A scribbled parent may have become one that we don't know. */
		parent = node.parent != 0 ? map_at(stacks, node.parent)->node : 0;
		mapped->node = define(stacks, writer, parent, &node);
		if (mapped->node == 0)
			return map_at(stacks, 0);
		mapped->flags = node_at(stacks, mapped->node)->flags;
	}
	return map_at(stacks, id);
}
