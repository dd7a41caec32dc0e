/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The stack tree: node(parent, pc id) -> id.
 *
 * The nodes themselves lie in chunks of the region, where the recorder reads
 * them; they are written once, and read here only to go from a node to its parent. What is here is
 * the index:
 *
 *   child[]    of each node its first child, in an array by node id. Five nodes of six are a first
 *              child, and those of one chain, made together, have
 *              ids in a row: they lie in one line, and need no hash
 *   siblings   the other children, in hash tables (table.h)
 *   path[]     the changed parts of stacks that were met lately, whole
 *
 * All is empty when zero, so a forked child starts with nothing.
 *
 * An entry of path[] is four words that are written one by one; word 3 says
 * whether somebody is at it, and how often it was written. A reader takes it when word 3 is the
 * same before and after; a writer leaves it alone when another is at it (for ever, if that one has
 * jumped away: one entry less).
 */
#include "libcollect/preload/stacks.h"

#include <stddef.h>

#include "libcollect/preload/chunks.h"
#include "libcollect/preload/rawio.h"
#include "libcollect/preload/rules.h"
#include "libcollect/preload/state.h"

#include "libcollect/preload/banned.h"

enum { REFUSALS = 256 };
#define PATH_WRITING UINT64_C(1)

/* --- making nodes --------------------------------------------------------- */

/* Makes sure that the chunk of node id is there and known to the recorder. */
static cold int room_make(const struct session *session, struct nodes *nodes, uint32_t at)
{
	const size_t bytes = NODES_PER_CHUNK * sizeof(uint64_t);
	uint32_t chunk = atomic_load(&nodes->chunk), none = CHUNK_NONE;
	uint32_t *directory;
	_Atomic uint64_t *child, *nothing = NULL;

	if (session->node_directory == CHUNK_NONE)
		return 0;
	if (chunk == CHUNK_NONE) {
		/* Asking in vain wakes the recorder: not at each event. */
		if (atomic_load(&state->stacks.refused) % REFUSALS == 0)
			chunk = chunk_take();
		if (chunk == CHUNK_NONE) {
			atomic_fetch_add(&state->stacks.refused, 1);
			return 0;
		}
		atomic_store(&state->stacks.refused, 0);
		/* Who loses the race wastes a chunk until the session's end. */
		if (!atomic_compare_exchange_strong(&nodes->chunk, &none, chunk))
			chunk = none;
	}
	directory = region_chunk(shared_region, session->node_directory);
	__atomic_store_n(&directory[at], chunk, __ATOMIC_RELEASE);
	child = raw_map_wiped(bytes);
	if (child == NULL)
		return 0;
	/* A big tree: pages one by one would cost more than the nodes. */
	if (at > 0) {
		raw_populate((void *)child, bytes);
		raw_populate(region_chunk(shared_region, chunk), CHUNK_BYTES);
	}
	if (!atomic_compare_exchange_strong(&nodes->child, &nothing, child))
		raw_unmap((void *)child, bytes);
	return 1;
}

static inline int room(const struct session *session, uint32_t id)
{
	uint32_t at = id / NODES_PER_CHUNK;

	if (unlikely(at >= DIRECTORY_ENTRIES))
		return 0;
	return likely(atomic_load(&state->stacks.nodes[at].child) != NULL) ||
	       room_make(session, &state->stacks.nodes[at], at);
}

static uint32_t node_make(uint32_t parent, uint32_t pc_id)
{
	struct session *session = state->session;
	struct shared_node *node;
	uint32_t id, chunk;

	if (session == NULL) /* a child that was forked right here */
		return 0;
	id = atomic_load_explicit(&session->node_count, memory_order_relaxed);
	do {
		if (!room(session, id))
			return 0;
	} while (!atomic_compare_exchange_weak(&session->node_count, &id, id + 1));
	chunk = atomic_load(&state->stacks.nodes[id / NODES_PER_CHUNK].chunk);
	node = (struct shared_node *)region_chunk(shared_region, chunk) + id % NODES_PER_CHUNK;
	*node = (struct shared_node){parent, rules_module_and_flags(pc_id), rules_address(pc_id)};
	/* One thread gets the next chunk, before they all need it. */
	if (unlikely(id % NODES_PER_CHUNK == NODES_PER_CHUNK / 2))
		room(session, id + NODES_PER_CHUNK);
	return id;
}

/* --- finding them --------------------------------------------------------- */

/* Not the first child of parent. */
static uint32_t sibling(uint32_t parent, uint32_t pc_id, uint32_t made)
{
	struct stacks *stacks = &state->stacks;
	uint64_t key = (uint64_t)parent << 24 | pc_id;
	uint32_t number = (uint32_t)(table_hash(key) >> 24) % SIBLING_TABLES;
	struct table *table = &stacks->siblings[number];
	uint32_t node = (uint32_t)table_peek(table, key);

	if (likely(node != 0))
		return node;
	node = (uint32_t)table_find(table, key);
	if (node != 0)
		return node;
	table_init(table, stacks->first[number], 5, 10);
	if (!table_claim(table, key))
		return 0;
	if (made == 0)
		made = node_make(parent, pc_id);
	return made != 0 ? (uint32_t)table_set(table, key, made) : 0;
}

static uint32_t first_child(_Atomic uint64_t *child, uint32_t parent, uint32_t pc_id)
{
	uint32_t node = node_make(parent, pc_id);
	uint64_t found = 0;

	if (node == 0 ||
	    atomic_compare_exchange_strong(child, &found, (uint64_t)pc_id << 32 | node))
		return node;
	return found >> 32 == pc_id ? (uint32_t)found : sibling(parent, pc_id, node);
}

uint32_t stacks_child(uint32_t parent, uint32_t pc_id)
{
	struct nodes *nodes = &state->stacks.nodes[parent / NODES_PER_CHUNK % DIRECTORY_ENTRIES];
	_Atomic uint64_t *child = atomic_load_explicit(&nodes->child, memory_order_acquire);
	uint64_t first;

	/* NULL: the root, still without a node; or a parent from before a fork. */
	if (unlikely(child == NULL)) {
		if (parent != 0 || state->session == NULL || !room(state->session, 0))
			return 0;
		child = atomic_load(&nodes->child);
	}
	child += parent % NODES_PER_CHUNK;
	first = atomic_load_explicit(child, memory_order_acquire);
	if (likely(first >> 32 == pc_id))
		return (uint32_t)first;
	if (unlikely(pc_id == 0))
		return 0;
	return first == 0 ? first_child(child, parent, pc_id) : sibling(parent, pc_id, 0);
}

/* --- paths ---------------------------------------------------------------- */

static inline uint64_t read_word(const struct path *path, unsigned i)
{
	return atomic_load_explicit(&path->word[i], memory_order_acquire);
}

static void remember(struct path *path, uint32_t parent, uint64_t low, uint64_t high, uint32_t node)
{
	uint64_t last = read_word(path, 3);

	if ((last & PATH_WRITING) != 0 ||
	    !atomic_compare_exchange_strong(&path->word[3], &last, last | PATH_WRITING))
		return;
	atomic_store_explicit(&path->word[0], (uint64_t)node << 32 | parent, memory_order_release);
	atomic_store_explicit(&path->word[1], low, memory_order_release);
	atomic_store_explicit(&path->word[2], high, memory_order_release);
	atomic_store_explicit(&path->word[3], last + 2 * PATH_WRITING, memory_order_release);
}

static __attribute__((noinline)) uint32_t path_make(struct path *path, uint32_t parent,
						    path_ids ids, unsigned count)
{
	uint32_t node = parent;

	for (unsigned i = count; i-- > 0;) {
		node = stacks_child(node, (uint32_t)(ids >> i * PATH_ID_BITS) &
					      ((1u << PATH_ID_BITS) - 1));
		if (unlikely(node == 0))
			return 0;
	}
	remember(path, parent, (uint64_t)ids, path_upper(ids, count), node);
	return node;
}

uint32_t stacks_packed_path(struct path *path, uint32_t parent, path_ids ids, unsigned count)
{
	uint64_t last, zero;

	if (count == 1)
		return stacks_child(parent, (uint32_t)ids);
	last = read_word(path, 3);
	zero = read_word(path, 0);
	if (likely((uint32_t)zero == parent && read_word(path, 1) == (uint64_t)ids &&
		   read_word(path, 2) == path_upper(ids, count) && (last & PATH_WRITING) == 0 &&
		   read_word(path, 3) == last))
		return (uint32_t)(zero >> 32);
	return path_make(path, parent, ids, count);
}

uint32_t stacks_path(uint32_t parent, const uint32_t *pc_id, unsigned count)
{
	path_ids ids = 0;

	for (unsigned i = 0; i < count; i++)
		ids = ids << PATH_ID_BITS | pc_id[i];
	return stacks_packed_path(stacks_path_at(parent, ids, count), parent, ids, count);
}

uint32_t stacks_parent(uint32_t node)
{
	const struct nodes *nodes =
	    &state->stacks.nodes[node / NODES_PER_CHUNK % DIRECTORY_ENTRIES];
	uint32_t chunk = atomic_load_explicit(&nodes->chunk, memory_order_relaxed);
	const struct shared_node *first;

	if (unlikely(chunk == CHUNK_NONE))
		return 0;
	first = region_chunk(shared_region, chunk);
	return first[node % NODES_PER_CHUNK].parent;
}
