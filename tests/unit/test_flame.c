/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <unistd.h>

#include "tests/unit/made_profile.h"
#include "tests/unit/seed.h"
#include "tui/flame.h"

#define WIDEST 300

static uint64_t cost_at(const struct flame *flame, uint32_t node)
{
	return cost_of(&flame->tree->nodes[node].cost, flame->kind);
}

/* Bytes and columns by cross-multiplication: |columns * whole - cost * width| < whole. */
static void check_size(const struct flame *flame, const struct flame_box *box)
{
	__int128 exact = (__int128)box->cost * flame->width;
	__int128 drawn = (__int128)box->width * (__int128)flame->whole;

	assert_true(exact - drawn < (__int128)flame->whole);
	assert_true(drawn - exact < (__int128)flame->whole);
}

static void check_row(const struct flame *flame, size_t row)
{
	const struct flame_row *made = &flame->rows[row];
	int column = 0;

	for (size_t i = made->first; i < made->first + made->count; i++) {
		const struct flame_box *box = &flame->boxes[i];
		const struct flame_box *parent = &flame->boxes[box->parent];

		assert_true(box->width > 0);
		assert_true(box->column >= column);
		column = box->column + box->width;
		assert_true(column <= flame->width);
		check_size(flame, box);
		assert_int_equal(flame_row_of(flame, i), row);
		for (int k = box->column; k < column; k++)
			assert_int_equal(flame_at(flame, row, k), i);
		if (!row)
			continue;
		assert_int_equal(flame_row_of(flame, box->parent), row - 1);
		assert_false(parent->many);
		assert_true(box->column >= parent->column);
		assert_true(column <= parent->column + parent->width);
		if (!box->many)
			assert_int_equal(flame->tree->nodes[box->node].parent, parent->node);
	}
}

/* Each child of a box is drawn, or too narrow and among those that are one box together. */
static void check_children(const struct flame *flame, size_t parent)
{
	const struct flame_box *above = &flame->boxes[parent];
	size_t row = flame_row_of(flame, parent) + 1, drawn = 0, first = FLAME_NONE;
	uint64_t narrow = 0, next = UINT64_MAX;
	uint32_t narrow_count = 0;

	if (above->many || row >= flame->row_count)
		return;
	for (uint32_t i = flame->tree->nodes[above->node].first_child; i;
	     i = flame->tree->nodes[i].next) {
		uint64_t cost = cost_at(flame, i);

		if (!cost_present(&flame->tree->nodes[i].cost, flame->kind))
			continue;
		if ((unsigned __int128)cost * (unsigned)flame->width >= flame->whole) {
			drawn++;
			continue;
		}
		narrow += cost;
		narrow_count++;
	}
	for (size_t i = flame->rows[row].first; i < flame->rows[row].first + flame->rows[row].count;
	     i++) {
		const struct flame_box *box = &flame->boxes[i];

		if (box->parent != parent)
			continue;
		first = first == FLAME_NONE ? i : first;
		if (box->many) {
			assert_int_equal(box->many, narrow_count);
			assert_int_equal(box->cost, narrow);
			assert_int_equal(drawn, 0);
			continue;
		}
		assert_int_equal(box->cost, cost_at(flame, box->node));
		assert_true(box->cost <= next);
		next = box->cost;
		drawn--;
	}
	assert_int_equal(drawn, 0);
	assert_int_equal(flame_child(flame, parent), first);
}

static void check(const struct flame *flame)
{
	for (size_t row = 0; row < flame->row_count; row++)
		check_row(flame, row);
	for (size_t i = 0; i < flame->box_count; i++)
		check_children(flame, i);
}

static void test_made(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 40; round++) {
		struct made *made = made_new(0);
		struct tree tree;

		assert_int_equal(tree_init(&tree, &made->profile, NULL, TREE_TOP_DOWN, NULL), 0);
		for (unsigned i = 0; i < 20; i++) {
			uint32_t root = i < 5 ? 0 : made_random((uint32_t)tree.count);
			enum cost_kind kind = (enum cost_kind)(i % (COST_BYTES + 1));
			size_t rows = i % 2 ? 1000 : 1 + made_random(6);
			struct flame flame;

			assert_int_equal(
			    flame_init(&flame, &tree, root, kind, 1 + (int)made_random(WIDEST)), 0);
			assert_int_equal(flame_grow(&flame, rows), 0);
			assert_true(flame.finished || flame.row_count == rows);
			if (flame.whole)
				assert_int_equal(flame.boxes[0].width, flame.width);
			else
				assert_int_equal(flame.box_count, 0);
			check(&flame);
			flame_release(&flame);
		}
		tree_release(&tree);
		free(made);
	}
}

/* Node i is the callee of i - 1, and of all the last allocates; in main there are as many more
 * callees as `others`, a block each. */
struct chain {
	struct profile profile;
	struct profile_module modules[1];
	struct profile_location *locations;
	struct profile_frame *frames;
	struct profile_node *nodes;
	struct profile_class *classes;
	char (*names)[16];
};

static void make_chain(struct chain *chain, uint32_t depth, uint32_t others)
{
	uint32_t count = 1 + depth + others;

	*chain = (struct chain){.modules = {{.path = made_paths[0][0]}}};
	chain->locations = calloc(count, sizeof(*chain->locations));
	chain->frames = calloc(count, sizeof(*chain->frames));
	chain->nodes = calloc(count, sizeof(*chain->nodes));
	chain->classes = calloc(others + 2, sizeof(*chain->classes));
	chain->names = calloc(count, sizeof(*chain->names));
	assert_true(chain->locations && chain->frames && chain->nodes && chain->classes &&
		    chain->names);
	for (uint32_t i = 1; i < count; i++) {
		snprintf(chain->names[i], sizeof(*chain->names), "f%u", i);
		chain->frames[i].function = i == 1 ? "main" : chain->names[i];
		chain->locations[i] =
		    (struct profile_location){.offset = i, .frame = i, .frame_count = 1};
		chain->nodes[i].location = i;
		chain->nodes[i].parent = i > depth ? 1 : i - 1;
	}
	chain->classes[1] = (struct profile_class){.node = depth, .size = 8, .allocations = 1};
	for (uint32_t i = 0; i < others; i++)
		chain->classes[i + 2] =
		    (struct profile_class){.node = depth + 1 + i, .size = 8, .allocations = 1};
	chain->profile = (struct profile){
	    .modules = chain->modules,
	    .module_count = 1,
	    .locations = chain->locations,
	    .location_count = count,
	    .frames = chain->frames,
	    .frame_count = count,
	    .nodes = chain->nodes,
	    .node_count = count,
	    .classes = chain->classes,
	    .class_count = others + 2,
	};
}

static void release_chain(struct chain *chain)
{
	free(chain->locations);
	free(chain->frames);
	free(chain->nodes);
	free(chain->classes);
	free(chain->names);
}

static void test_deep(void **state)
{
	struct chain chain;
	struct flame flame;
	struct tree tree;

	(void)state;
	make_chain(&chain, 1000, 0);
	assert_int_equal(tree_init(&tree, &chain.profile, NULL, TREE_TOP_DOWN, NULL), 0);
	assert_int_equal(flame_init(&flame, &tree, 0, COST_ALLOCATIONS, 20), 0);
	assert_int_equal(flame_grow(&flame, 10), 0);
	assert_int_equal(flame.row_count, 10);
	assert_true(tree.count <= 12);
	assert_int_equal(flame_grow(&flame, SIZE_MAX), 0);
	assert_int_equal(flame.row_count, 1001);
	check(&flame);
	flame_release(&flame);
	tree_release(&tree);
	release_chain(&chain);
}

/* 100 columns for 20,000 blocks, none of which gets one of its own. */
static void test_many(void **state)
{
	struct chain chain;
	struct flame flame;
	struct tree tree;

	(void)state;
	make_chain(&chain, 2, 19999);
	assert_int_equal(tree_init(&tree, &chain.profile, NULL, TREE_TOP_DOWN, NULL), 0);
	assert_int_equal(flame_init(&flame, &tree, 0, COST_ALLOCATIONS, 100), 0);
	assert_int_equal(flame_grow(&flame, 100), 0);
	assert_int_equal(flame.row_count, 3);
	assert_int_equal(flame.box_count, 3);
	assert_int_equal(flame.boxes[2].many, 20000);
	assert_int_equal(flame.boxes[2].cost, 20000);
	assert_int_equal(flame.boxes[2].width, 100);
	flame_release(&flame);
	tree_release(&tree);
	release_chain(&chain);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_made),
	    cmocka_unit_test(test_deep),
	    cmocka_unit_test(test_many),
	};

	made_seed = seed_choose();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
