/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The library's rule cache and stack tree (preload/rules.h, stacks.h, table.h), outside any
 * profiled program: what they need of the rest is made up here. Every node that is returned is
 * checked against what the recorder would read: up its parents in the shared chunks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dlfcn.h>
#include <pthread.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <time.h>

#include "libcollect/preload/chunks.h"
#include "libcollect/preload/headers.h"
#include "libcollect/preload/modules.h"
#include "libcollect/preload/rules.h"
#include "libcollect/preload/stacks.h"
#include "libcollect/preload/state.h"
#include "libcollect/ring.h"

/* --- the world around them ------------------------------------------------------------ */

struct state *state;
struct region *shared_region;
__thread struct thread self __attribute__((tls_model("initial-exec")));

enum { MODULES = 8, CHUNKS = 1500, DEPTH = 24 };
static const uintptr_t module_bytes = 1u << 20, modules_start = 16u << 20;
static _Atomic uint32_t chunks_taken, chunks_most, module_now[MODULES], modules_loaded;

uint32_t chunk_take(void)
{
	uint32_t chunk = atomic_fetch_add(&chunks_taken, 1) + 1;

	return chunk < atomic_load(&chunks_most) ? chunk : CHUNK_NONE;
}

static uint32_t module_number(uintptr_t address)
{
	return (uint32_t)((address - modules_start) / module_bytes);
}

int _dl_find_object(void *address, struct dl_find_object *found)
{
	uint32_t number = module_number((uintptr_t)address);

	memset(found, 0, sizeof(*found));
	found->dlfo_map_start = (void *)(modules_start + number * module_bytes);
	return (uintptr_t)address >= modules_start && number < MODULES ? 0 : -1;
}

uint32_t modules_id(const struct dl_find_object *found)
{
	return atomic_load(&module_now[module_number((uintptr_t)found->dlfo_map_start)]);
}

static void reload(uint32_t number)
{
	uint32_t old = atomic_load(&module_now[number]);

	atomic_store(&module_now[number], atomic_fetch_add(&modules_loaded, 1) + 1);
	if (old != 0)
		rules_forget(old);
}

static void *map(size_t bytes)
{
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	assert_true(at != MAP_FAILED);
	return at;
}

static const size_t region_bytes = (size_t)CHUNKS * CHUNK_BYTES + (4u << 20);

static int setup(void **unused)
{
	(void)unused;
	state = map(sizeof(*state));
	shared_region = map(region_bytes);
	shared_region->chunk_offset = 3u << 20;
	shared_region->chunks = CHUNKS;
	atomic_store(&chunks_taken, 0);
	atomic_store(&chunks_most, CHUNKS);
	state->session = &shared_region->session[0];
	atomic_store(&state->session->node_count, 1);
	state->session->node_directory = chunk_take();
	for (uint32_t i = 0; i < MODULES; i++)
		reload(i);
	return 0;
}

static int teardown(void **unused)
{
	(void)unused;
	munmap(state, sizeof(*state));
	munmap(shared_region, region_bytes);
	return 0;
}

static const struct shared_node *node_at(uint32_t id)
{
	const uint32_t *directory = region_chunk(shared_region, state->session->node_directory);

	return (const struct shared_node *)region_chunk(shared_region,
							directory[id / NODES_PER_CHUNK]) +
	       id % NODES_PER_CHUNK;
}

static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed >> 8;
}

/* --- one thread ------------------------------------------------------------------------ */

/* (parent, pc id) -> node, in the order in which they were made. */
static void test_numbers(void **unused)
{
	enum { PCS = 300, SLOTS = 1 << 20 };
	struct child {
		uint32_t parent, pc, node;
	} *model = calloc(SLOTS, sizeof(*model));
	uint32_t made = 0, pc[PCS], path[STACKS_PATH_MAX];
	uint64_t seed = 88172645463325252u;

	(void)unused;
	assert_non_null(model);
	for (uint32_t i = 0; i < PCS; i++) {
		pc[i] = RULE_PC_ID(rules_find(modules_start + 16 + i * 32, 0));
		assert_int_equal(pc[i], PC_INCOMPLETE + 1 + i);
	}
	for (uint32_t step = 0; step < 100000; step++) {
		uint32_t parent = (uint32_t)(next_random(&seed) % (made / 2 + 1)), node = parent;
		uint32_t count = 1 + (uint32_t)(next_random(&seed) % STACKS_PATH_MAX);

		for (uint32_t i = 0; i < count; i++) {
			struct child *child;

			path[i] = pc[next_random(&seed) % (next_random(&seed) % PCS + 1)];
			child = &model[(node * 2654435761u + path[i] * 40503u) % SLOTS];
			while (child->node != 0 && (child->parent != node || child->pc != path[i]))
				child = child == &model[SLOTS - 1] ? model : child + 1;
			if (child->node == 0)
				*child = (struct child){node, path[i], ++made};
			node = child->node;
		}
		assert_int_equal(stacks_path(parent, path, count), node);
		assert_int_equal(stacks_child(node_at(node)->parent, path[count - 1]), node);
	}
	assert_int_equal(atomic_load(&state->session->node_count), made + 1);
	free(model);
}

static void test_kinds(void **unused)
{
	const uintptr_t inside = modules_start + 4096, outside = 0x7f0000001000;
	const uintptr_t garbage[] = {0, UINTPTR_MAX, UINT64_C(1) << 63,
				     UINT64_C(0x5555555555555555)};
	const uint32_t ids[] = {RULE_PC_ID(rules_find(inside, 0)),
				RULE_PC_ID(rules_find(inside, 1)),
				rules_guessed(inside),
				RULE_PC_ID(rules_find(outside, 0)),
				RULE_PC_ID(rules_find(outside, 1)),
				rules_guessed(outside)};

	(void)unused;
	for (unsigned i = 0; i < 6; i++) {
		uint32_t flags = i % 3 == 2 ? (uint32_t)NODE_GUESSED << 24 : 0;

		assert_int_equal(ids[i], PC_INCOMPLETE + 1 + i);
		assert_int_equal(rules_address(ids[i]), i < 3 ? inside : outside);
		assert_int_equal(rules_module_and_flags(ids[i]),
				 flags | (i < 3 ? atomic_load(&module_now[0]) : 0));
	}
	assert_int_equal(ids[0], RULE_PC_ID(rules_find(inside, 0)));
	assert_int_equal(ids[3], RULE_PC_ID(rules_find(outside, 0)));
	for (unsigned i = 0; i < 4; i++) {
		rules_find(garbage[i], 0);
		rules_find(garbage[i], 1);
	}
	assert_int_equal(rules_address(PC_CUT), 0);
	assert_int_equal(rules_module_and_flags(PC_CUT), (uint32_t)NODE_CUT << 24);
	assert_int_equal(rules_module_and_flags(PC_INCOMPLETE), (uint32_t)NODE_INCOMPLETE << 24);
	assert_int_equal(stacks_child(0, 0), 0);
	assert_int_equal(stacks_path(0, (const uint32_t[STACKS_PATH_MAX]){PC_CUT, 0}, 2), 0);
	assert_int_not_equal(stacks_path(0, (const uint32_t[STACKS_PATH_MAX]){PC_CUT}, 1), 0);
}

/* What lay in the module gets new ids, what lay elsewhere keeps its own. */
static void test_unloading(void **unused)
{
	enum { PCS = 3000 };
	uint32_t before[PCS], guess = rules_guessed(modules_start + module_bytes + 8);
	uint32_t forgotten = atomic_load(&state->forgotten);

	(void)unused;
	for (uintptr_t i = 0; i < PCS; i++)
		before[i] =
		    RULE_PC_ID(rules_find(modules_start + (i % 2) * module_bytes + 64 + i * 16, 0));
	reload(1);
	assert_int_not_equal(atomic_load(&state->forgotten), forgotten);
	assert_int_not_equal(rules_guessed(modules_start + module_bytes + 8), guess);
	for (uintptr_t i = 0; i < PCS; i++) {
		uint32_t id =
		    RULE_PC_ID(rules_find(modules_start + (i % 2) * module_bytes + 64 + i * 16, 0));

		assert_int_equal(id == before[i], i % 2 == 0);
		assert_int_equal(rules_address(id), rules_address(before[i]));
		assert_int_equal(rules_module_and_flags(id), atomic_load(&module_now[i % 2]));
	}
}

/* Where chunks run out nodes are 0, and those that are there are found. */
static void test_no_memory(void **unused)
{
	uint32_t pc = RULE_PC_ID(rules_find(modules_start + 8, 0)), node = 0, next, first;

	(void)unused;
	atomic_store(&chunks_most, 4);
	first = stacks_child(0, pc);
	for (next = first; next != 0; next = stacks_child(node, pc))
		node = next;
	assert_int_equal(node, 2 * NODES_PER_CHUNK - 1);
	assert_int_equal(atomic_load(&state->session->node_count), 2 * NODES_PER_CHUNK);
	assert_int_equal(stacks_child(0, pc), first);
	atomic_store(&chunks_most, CHUNKS);
	for (unsigned i = 0; i < 10000 && next == 0; i++)
		next = stacks_child(node, pc);
	assert_int_equal(next, node + 1);
}

/* What a forked child finds: zeroes, and node and pc numbers of its parent's. */
static void test_wiped(void **unused)
{
	uint32_t pc = RULE_PC_ID(rules_find(modules_start + 8, 0)), node = 0;

	(void)unused;
	for (uint32_t i = 0; i < 2 * NODES_PER_CHUNK; i++)
		node = stacks_child(node, pc);
	munmap(state, sizeof(*state));
	state = map(sizeof(*state));
	assert_int_equal(stacks_child(node, pc), 0);
	assert_int_equal(rules_address(pc), 0);
	assert_int_equal(stacks_child(0, pc), 0);
}

/* --- many ------------------------------------------------------------------------------- */

enum { THREADS = 8, STACKS = 12000 };
static _Atomic uint64_t wrong, unknown;
static _Atomic int finished;

static void check_node(uint32_t node, const uintptr_t *pc, const uint32_t *id, uint32_t depth)
{
	while (depth-- > 0) {
		const struct shared_node *shared = node_at(node);

		if (shared->address != pc[depth] || shared->parent >= node ||
		    shared->module_and_flags != rules_module_and_flags(id[depth]) ||
		    (shared->parent == 0) != (depth == 0)) {
			atomic_fetch_add(&wrong, 1);
			return;
		}
		node = shared->parent;
	}
}

/* Half of the stacks are met by all threads, half are this one's; a sixteenth of the
 * frames lies outside all modules, another is guessed. */
static void *walk_stacks(void *argument)
{
	uint64_t own = 88172645463325252u + (uintptr_t)argument * 7919;

	for (uint64_t stack = 0; stack < STACKS; stack++) {
		uint64_t seed = (next_random(&own) % (stack / 4 + 16)) * 2654435761u + 12345;
		uint32_t depth = 1 + (uint32_t)(next_random(&own) % DEPTH), node = 0;
		uint32_t id[DEPTH + STACKS_PATH_MAX] = {0};
		uintptr_t pc[DEPTH];

		if (stack % 2 == 0)
			seed = own;
		for (uint32_t i = 0; i < depth; i++) {
			uint64_t random = next_random(&seed);

			pc[i] = random % 16 == 0
				    ? 0x7f0000000000 + (random >> 8) % 500 * 16
				    : modules_start + (random >> 8) % (512u << (i % 6)) * 512 + 16;
			id[i] = (random >> 4) % 16 == 0 ? rules_guessed(pc[i])
							: RULE_PC_ID(rules_find(pc[i], 0));
			if (id[i] == 0 || rules_address(id[i]) != pc[i])
				atomic_fetch_add(&wrong, 1);
		}
		for (uint32_t i = 0, count; i < depth; i += count) {
			count = 1 + (uint32_t)(next_random(&own) % STACKS_PATH_MAX);
			if (count > depth - i)
				count = depth - i;
			node = stacks_path(node, id + i, count);
		}
		if (node == 0)
			atomic_fetch_add(&unknown, 1);
		else
			check_node(node, pc, id, depth);
	}
	return NULL;
}

static void *reload_modules(void *argument)
{
	const struct timespec pause = {0, 1000000};
	uint64_t seed = (uintptr_t)argument;

	while (!atomic_load(&finished)) {
		uint32_t number = (uint32_t)(next_random(&seed) % MODULES), id;
		uint32_t old = atomic_load(&module_now[number]);

		reload(number);
		id = RULE_PC_ID(rules_find(modules_start + number * module_bytes + 16 +
					       next_random(&seed) % 2048 * 512,
					   0));
		if (rules_module_and_flags(id) == old)
			atomic_fetch_add(&wrong, 1);
		nanosleep(&pause, NULL);
	}
	return NULL;
}

static void run_threads(int reloading)
{
	pthread_t thread[THREADS], reloader;

	atomic_store(&wrong, 0);
	atomic_store(&unknown, 0);
	atomic_store(&finished, 0);
	if (reloading)
		assert_int_equal(pthread_create(&reloader, NULL, reload_modules, (void *)999), 0);
	for (uintptr_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, walk_stacks, (void *)(i + 1)), 0);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	atomic_store(&finished, 1);
	if (reloading)
		pthread_join(reloader, NULL);
	assert_int_equal(atomic_load(&wrong), 0);
	assert_int_equal(atomic_load(&unknown), 0);
}

static void test_threads(void **unused)
{
	(void)unused;
	run_threads(0);
}

static void test_threads_reloading(void **unused)
{
	(void)unused;
	run_threads(1);
}

/* The file has no headers at its start, and this program's first segment would be where it is. */
static void test_headers_of_another_file(void **unused)
{
	static char file[4096];
	const ElfW(Phdr) *segment = (const ElfW(Phdr) *)getauxval(AT_PHDR);
	uintptr_t first = UINTPTR_MAX, code = 0, base = (uintptr_t)segment - segment->p_vaddr;
	struct link_map map;
	struct dl_find_object found = {.dlfo_link_map = &map};
	unsigned count;

	(void)unused;
	assert_int_equal(segment->p_type, PT_PHDR);
	for (unsigned i = 0; i < getauxval(AT_PHNUM); i++)
		if (segment[i].p_type == PT_LOAD) {
			first = segment[i].p_vaddr < first ? segment[i].p_vaddr : first;
			code = segment[i].p_flags & PF_X ? segment[i].p_vaddr : code;
		}
	map.l_addr = (uintptr_t)file - first;
	found.dlfo_map_start = file;
	found.dlfo_map_end = file + sizeof(file);
	assert_null(program_headers(&found, &count));

	/* The program's code, as a place of its own. */
	map.l_addr = base;
	found.dlfo_map_start = (void *)(base + code);
	found.dlfo_map_end = (char *)found.dlfo_map_start + 4096;
	assert_ptr_equal(program_headers(&found, &count), segment);
	assert_int_equal(count, getauxval(AT_PHNUM));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_numbers, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_kinds, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_unloading, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_no_memory, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_wiped, setup, teardown),
	    cmocka_unit_test(test_headers_of_another_file),
	    cmocka_unit_test_setup_teardown(test_threads, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_threads_reloading, setup, teardown)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
