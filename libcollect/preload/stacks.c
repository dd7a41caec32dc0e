/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The stack tree: node(parent, pc id) -> id.
 *
 * The nodes themselves lie in chunks of the region, where the recorder reads
 * them; they are written once and never read here. What is here is the index:
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

#include "libcollect/preload/rawio.h"
#include "libcollect/preload/rules.h"
#include "libcollect/preload/state.h"

#include "libcollect/preload/banned.h"

enum { REFUSALS = 256, POPULATE_WRITE = 23 /* since Linux 5.14 */ };
#define PATH_WRITING (UINT64_C(1) << 16)
#define PATH_COUNT   17
#define PATH_WRITTEN (UINT64_C(1) << 20)

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
		raw_syscall(SYS_madvise, (long)child, (long)bytes, POPULATE_WRITE, 0, 0, 0);
		raw_syscall(SYS_madvise, (long)region_chunk(shared_region, chunk), CHUNK_BYTES,
			    POPULATE_WRITE, 0, 0, 0);
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
	uint32_t node = (uint32_t)table_find(table, key);

	if (likely(node != 0))
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

/* The key's part of an entry: words 1 to 3, without those bits of 3 that are no ids. */
struct packed {
	uint64_t one, two, three;
};

static inline struct packed pack(const uint32_t *pc_id, unsigned count)
{
#define ID(n) (count > (n) ? (uint64_t)pc_id[n] : 0)
	const uint64_t three = ID(2), last = ID(5);

	return (struct packed){ID(0) | ID(1) << 24 | three << 48,
			       three >> 16 | ID(3) << 8 | ID(4) << 32 | last << 56,
			       last >> 8 | (uint64_t)count << PATH_COUNT};
#undef ID
}

static inline uint64_t read_word(const struct path *path, unsigned i)
{
	return atomic_load_explicit(&path->word[i], memory_order_acquire);
}

static void remember(struct path *path, uint32_t parent, const struct packed *key, uint32_t node)
{
	uint64_t last = read_word(path, 3);

	if ((last & PATH_WRITING) != 0 ||
	    !atomic_compare_exchange_strong(&path->word[3], &last, last | PATH_WRITING))
		return;
	last = (last & ~(PATH_WRITTEN - 1)) + PATH_WRITTEN;
	atomic_store_explicit(&path->word[0], (uint64_t)node << 32 | parent, memory_order_release);
	atomic_store_explicit(&path->word[1], key->one, memory_order_release);
	atomic_store_explicit(&path->word[2], key->two, memory_order_release);
	atomic_store_explicit(&path->word[3], last | key->three, memory_order_release);
}

uint32_t stacks_path(uint32_t parent, const uint32_t *pc_id, unsigned count)
{
	const struct packed key = pack(pc_id, count);
	const uint64_t hash = ((key.one ^ (uint64_t)parent << 32) +
			       (key.two ^ key.three) * UINT64_C(0xd6e8feb86659fd93)) *
			      UINT64_C(0x9e3779b97f4a7c15);
	struct path *path = &state->stacks.path[hash >> (64 - PATH_BITS)];
	const uint64_t last = read_word(path, 3), zero = read_word(path, 0);
	uint32_t node = parent;

	if (count == 1)
		return stacks_child(parent, pc_id[0]);
	if (likely((uint32_t)zero == parent && (last & (PATH_WRITTEN - 1)) == key.three &&
		   read_word(path, 1) == key.one && read_word(path, 2) == key.two &&
		   read_word(path, 3) == last))
		return (uint32_t)(zero >> 32);
	for (unsigned i = 0; i < count; i++) {
		node = stacks_child(node, pc_id[i]);
		if (unlikely(node == 0))
			return 0;
	}
	remember(path, parent, &key, node);
	return node;
}
