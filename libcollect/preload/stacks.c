/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The stack tree: node(parent, address, module) -> id.
 *
 * The nodes themselves lie in chunks of the region, where the recorder reads
 * them; what is here is the index over them: hash tables of ids with linear
 * probing. When a table is three quarters full a new one of four times the
 * size takes the insertions, and look-ups go through both, newest first: no
 * table is ever moved, so there is no moment at which anybody waits. A slot changes once, from 0 to
 * an id, by compare-and-swap, after the node has been written.
 */
#include "libcollect/preload/stacks.h"

#include "libcollect/preload/rawio.h"
#include "libcollect/preload/state.h"

#include "libcollect/preload/banned.h"

enum { FIRST_SLOTS = 1 << 13, PROBES = 64 };

static inline uint64_t hash(uint32_t parent, uint64_t address, uint32_t module_and_flags)
{
	uint64_t h =
	    (address ^ (uint64_t)parent << 32 ^ module_and_flags) * UINT64_C(0x9e3779b97f4a7c15);

	h ^= h >> 29;
	return (h + parent) * UINT64_C(0xbf58476d1ce4e5b9) >> 20;
}

/* The node with this id; its chunk is there once the id is in a table. */
static inline struct shared_node *node_at(uint32_t id)
{
	uint32_t chunk =
	    atomic_load_explicit(&state->node_chunk[id / NODES_PER_CHUNK], memory_order_acquire);

	return (struct shared_node *)region_chunk(shared_region, chunk) + id % NODES_PER_CHUNK;
}

static cold struct node_table *add_table(uint32_t number)
{
	uint32_t slots = (uint32_t)FIRST_SLOTS << (2 * number);
	struct node_table *table, *none = NULL;
	size_t bytes = sizeof(*table) + (size_t)slots * sizeof(table->slot[0]);

	if (number >= NODE_TABLES || slots == 0)
		return NULL;
	table = raw_map_wiped(bytes);
	if (table == NULL)
		return NULL;
	table->mask = slots - 1;
	if (!atomic_compare_exchange_strong(&state->node_table[number], &none, table)) {
		raw_unmap(table, bytes);
		return none;
	}
	atomic_store(&state->node_tables, number + 1);
	return table;
}

/* Makes sure that the chunk of node id is there and known to the recorder. */
static cold int node_room(const struct session *session, uint32_t id)
{
	uint32_t at = id / NODES_PER_CHUNK, chunk, none = CHUNK_NONE;
	uint32_t *directory;

	if (at >= DIRECTORY_ENTRIES || session->node_directory == CHUNK_NONE)
		return 0;
	chunk = atomic_load(&state->node_chunk[at]);
	if (chunk == CHUNK_NONE) {
		chunk = chunk_take();
		if (chunk == CHUNK_NONE)
			return 0;
		/* Who loses the race wastes a chunk until the session's end. */
		if (!atomic_compare_exchange_strong(&state->node_chunk[at], &none, chunk))
			chunk = none;
	}
	directory = region_chunk(shared_region, session->node_directory);
	__atomic_store_n(&directory[at], chunk, __ATOMIC_RELEASE);
	return 1;
}

static cold uint32_t node_make(uint32_t parent, uint64_t address, uint32_t module_and_flags)
{
	struct session *session = state->session;
	uint32_t id;

	if (session == NULL) /* a child that was forked right here */
		return 0;
	id = atomic_fetch_add_explicit(&session->node_count, 1, memory_order_relaxed);
	if (!node_room(session, id))
		return 0;
	*node_at(id) = (struct shared_node){parent, module_and_flags, address};
	return id;
}

/* The id in table, or 0; *slot is where it belongs, NULL when the table is full there. */
static inline uint32_t search(struct node_table *table, uint64_t h, uint32_t parent,
			      uint64_t address, uint32_t module_and_flags, _Atomic uint32_t **slot)
{
	for (unsigned probe = 0; probe < PROBES; probe++) {
		_Atomic uint32_t *at = &table->slot[(h + probe) & table->mask];
		uint32_t id = atomic_load_explicit(at, memory_order_acquire);
		const struct shared_node *node;

		if (id == 0) {
			*slot = at;
			return 0;
		}
		node = node_at(id);
		if (node->address == address && node->parent == parent &&
		    node->module_and_flags == module_and_flags)
			return id;
	}
	*slot = NULL;
	return 0;
}

uint32_t stacks_child(uint32_t parent, uint64_t address, uint32_t module_and_flags)
{
	uint64_t h = hash(parent, address, module_and_flags);
	uint32_t tables = atomic_load_explicit(&state->node_tables, memory_order_acquire);
	uint32_t id, none = 0;
	_Atomic uint32_t *slot = NULL, *newest_slot = NULL;
	struct node_table *newest = NULL;

	for (uint32_t i = tables; i-- > 0;) {
		struct node_table *table =
		    atomic_load_explicit(&state->node_table[i], memory_order_acquire);

		id = search(table, h, parent, address, module_and_flags, &slot);
		if (id != 0)
			return id;
		if (newest == NULL) {
			newest = table;
			newest_slot = slot;
		}
	}
	id = node_make(parent, address, module_and_flags);
	if (id == 0)
		return 0;
	if (newest == NULL || newest_slot == NULL ||
	    atomic_load(&newest->used) >= newest->mask / 4 * 3) {
		newest = add_table(tables);
		if (newest == NULL)
			return id; /* out of memory: this id is used once */
		none = search(newest, h, parent, address, module_and_flags, &newest_slot);
		if (none != 0)
			return none;
	}
	if (newest_slot != NULL && atomic_compare_exchange_strong(newest_slot, &none, id))
		atomic_fetch_add(&newest->used, 1);
	return id;
}
