/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <unistd.h>

#include "analyzer/model/combine.h"
#include "analyzer/query/tree.h"
#include "formats/error.h"
#include "tests/unit/made_profile.h"
#include "tests/unit/seed.h"

/* Of a class: the frames from the tree's root on, the root itself left out. */
struct branch {
	uint32_t id;
	int inside; /* passes through the function */
	char keys[MADE_DEPTH][MADE_KEY];
	size_t count;
};

struct question {
	enum tree_direction direction;
	int function; /* -1: everything */
	int look_through;
};

/* Top-down the outermost call counts, bottom-up the innermost. */
static int find_call(const struct made_path *path, const struct question *question, size_t *at)
{
	int found = 0;

	for (size_t i = 0; i < path->count; i++)
		if (path->at[i].function == question->function &&
		    (!found || question->direction == TREE_TOP_DOWN)) {
			*at = i;
			found = 1;
		}
	return found;
}

static void make_branch(struct branch *branch, const struct made *made, uint32_t id,
			const struct question *question, const struct lens *lens, int diff)
{
	static struct made_path path;
	size_t first = 0, end;

	made_walk(&path, made, id, question->look_through);
	end = path.count;
	branch->inside = 1;
	branch->count = 0;
	if (question->function >= 0) {
		size_t at = 0;

		branch->inside = find_call(&path, question, &at);
		first = question->direction == TREE_TOP_DOWN ? 0 : at + 1;
		end = question->direction == TREE_TOP_DOWN ? at : end;
	}
	for (size_t i = first; i < end && branch->inside; i++) {
		size_t from = question->direction == TREE_TOP_DOWN ? end - 1 - (i - first) : i;

		made_key(branch->keys[branch->count++], made, path.at[from].node,
			 path.at[from].frame, lens, diff);
	}
}

struct checked {
	const struct made *sides[2];
	const struct lens *lens;
	struct tree *tree;
	struct branch *branches; /* of fresh's classes, then of base's */
	size_t branch_count;
};

static void node_key(const struct checked *all, uint32_t index, char *key)
{
	const struct tree_node *node = &all->tree->nodes[index];
	int base = node->node >= MADE_NODES;

	made_key(key, all->sides[base], base ? node->node - MADE_NODES + 1 : node->node,
		 node->frame, all->lens, all->sides[1] != NULL);
}

/* The keys from the root to a node; returns how many. */
static size_t node_path(const struct checked *all, uint32_t index, char (*keys)[MADE_KEY])
{
	size_t depth = 0, at;

	for (uint32_t i = index; i; i = all->tree->nodes[i].parent)
		depth++;
	at = depth;
	for (uint32_t i = index; i; i = all->tree->nodes[i].parent)
		node_key(all, i, keys[--at]);
	return depth;
}

static void check_node(const struct checked *all, uint32_t index)
{
	static char keys[MADE_DEPTH][MADE_KEY];
	const struct tree_node *node = &all->tree->nodes[index];
	struct cost cost[2] = {{0}}, own[2] = {{0}}, sum = node->own, base = node->own_base;
	size_t depth = node_path(all, index, keys);

	for (size_t i = 0; i < all->branch_count; i++) {
		const struct branch *branch = &all->branches[i];
		int side = i >= MADE_CLASSES - 1, same = branch->inside && branch->count >= depth;
		struct cost one = cost_of_class(&all->sides[side]->profile, NULL, branch->id);

		for (size_t k = 0; k < depth && same; k++)
			same = !strcmp(branch->keys[k], keys[k]);
		if (same)
			cost_add(&cost[side], &one);
		if (same && branch->count == depth)
			cost_add(&own[side], &one);
	}
	assert_memory_equal(&node->cost, &cost[0], sizeof(*cost));
	assert_memory_equal(&node->base, &cost[1], sizeof(*cost));
	assert_memory_equal(&node->own, &own[0], sizeof(*own));
	assert_memory_equal(&node->own_base, &own[1], sizeof(*own));
	for (uint32_t i = node->first_child; i; i = all->tree->nodes[i].next) {
		char one[MADE_KEY], other[MADE_KEY];

		cost_add(&sum, &all->tree->nodes[i].cost);
		cost_add(&base, &all->tree->nodes[i].base);
		node_key(all, i, one);
		for (uint32_t k = all->tree->nodes[i].next; k; k = all->tree->nodes[k].next) {
			node_key(all, k, other);
			assert_string_not_equal(one, other);
		}
	}
	assert_memory_equal(&sum, &node->cost, sizeof(sum));
	assert_memory_equal(&base, &node->base, sizeof(base));
}

static void check_tree(const struct made *fresh, const struct made *base,
		       const struct profile *profile, const struct lens *lens,
		       const struct question *question)
{
	struct tree tree;
	struct checked all = {{fresh, base}, lens, &tree, NULL, profile->class_count - 1};
	const char *function =
	    question->function < 0 ? NULL : made_functions[question->function][0];
	int inside = 0, error;

	all.branches = calloc(all.branch_count, sizeof(*all.branches));
	assert_non_null(all.branches);
	for (size_t i = 0; i < all.branch_count; i++) {
		int side = i >= MADE_CLASSES - 1;
		uint32_t id = (uint32_t)(side ? i - MADE_CLASSES + 2 : i + 1);

		all.branches[i].id = id;
		make_branch(&all.branches[i], all.sides[side], id, question, lens, base != NULL);
		inside |= all.branches[i].inside;
	}
	error = tree_init(&tree, profile, lens, question->direction, function);
	if (!inside) {
		/* then part of another function's name may have matched */
		assert_true(error == ERROR_EMPTY || error == 0);
	} else {
		assert_int_equal(error, 0);
		for (uint32_t i = 0; i < tree.count; i++) {
			assert_int_equal(tree_expand(&tree, i), 0);
			check_node(&all, i);
		}
	}
	tree_release(&tree);
	free(all.branches);
}

static void test_trees(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 8; round++) {
		struct made *made = made_new(0);

		for (unsigned identity = LENS_LINE; identity <= LENS_ADDRESS; identity++)
			for (unsigned direction = 0; direction < 2; direction++)
				for (int function = -1; function < 4; function++) {
					struct lens lens = {.identity = identity};
					struct question question = {direction, function, 1};

					check_tree(made, NULL, &made->profile, &lens, &question);
				}
		free(made);
	}
}

static void test_trees_of_two(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 8; round++) {
		struct made *fresh = made_new(1), *base = made_new(2);
		struct profile *both;

		assert_int_equal(profile_combine(&both, &fresh->profile, &base->profile), 0);
		for (unsigned identity = LENS_LINE; identity <= LENS_FUNCTION; identity++)
			for (unsigned direction = 0; direction < 2; direction++)
				for (int function = -1; function < 2; function++) {
					struct lens lens = {.identity = identity};
					struct question question = {direction, function, 1};

					check_tree(fresh, base, both, &lens, &question);
				}
		profile_free(both);
		free(fresh);
		free(base);
	}
}

/* --- by hand --------------------------------------------------------------- */

/* 1 main > 2 f > 3 f > 4 g > 5 malloc; 6 f > 7 malloc below 1, called at another line. */
struct hand {
	struct profile profile;
	struct profile_module modules[2];
	struct profile_location locations[8];
	struct profile_frame frames[8];
	struct profile_node nodes[8];
	struct profile_class classes[4];
};

static void make_hand(struct hand *hand)
{
	static const char *const names[8] = {NULL, "main",   "ns::f(int)", "ns::f(int)",
					     "g",  "malloc", "ns::f(int)", "malloc"};
	static const uint32_t parents[8] = {0, 0, 1, 2, 3, 4, 1, 6};

	*hand = (struct hand){0};
	hand->modules[0].path = hand->modules[1].path = made_paths[1][0];
	for (uint32_t i = 1; i < 8; i++) {
		hand->frames[i] =
		    (struct profile_frame){.function = names[i], .file = "a.c", .line = i};
		hand->locations[i] = (struct profile_location){
		    .module = 1, .offset = i, .frame = i, .frame_count = 1};
		hand->nodes[i] = (struct profile_node){.parent = parents[i], .location = i};
	}
	hand->classes[1] = (struct profile_class){.node = 5, .size = 10, .allocations = 100};
	hand->classes[2] = (struct profile_class){.node = 7, .size = 10, .allocations = 20};
	hand->classes[3] = (struct profile_class){.node = 0, .size = 10, .allocations = 3};
	hand->profile = (struct profile){
	    .modules = hand->modules,
	    .module_count = 2,
	    .locations = hand->locations,
	    .location_count = 8,
	    .frames = hand->frames,
	    .frame_count = 8,
	    .nodes = hand->nodes,
	    .node_count = 8,
	    .classes = hand->classes,
	    .class_count = 4,
	};
}

static uint64_t child_cost(struct tree *tree, uint32_t parent, size_t nth, size_t count,
			   uint32_t *child)
{
	struct ordering ordering = {.kind = COST_ALLOCATIONS, .sort_by = -1};
	size_t found;
	uint32_t *order = tree_sorted(tree, parent, &ordering, &found);
	uint64_t cost;

	assert_non_null(order);
	assert_int_equal(found, count);
	*child = order[nth];
	cost = tree->nodes[*child].cost.allocations;
	free(order);
	return cost;
}

static void test_by_hand(void **state)
{
	struct lens lens = {.identity = LENS_FUNCTION};
	struct hand hand;
	struct tree tree;
	uint32_t at;

	(void)state;
	make_hand(&hand);
	assert_int_equal(tree_init(&tree, &hand.profile, &lens, TREE_TOP_DOWN, NULL), 0);
	assert_int_equal(tree.nodes[0].cost.allocations, 123);
	assert_int_equal(tree.nodes[0].own.allocations, 3);
	assert_int_equal(child_cost(&tree, 0, 0, 1, &at), 120);
	assert_int_equal(child_cost(&tree, at, 0, 1, &at), 120);
	assert_int_equal(tree.nodes[at].own.allocations, 20);
	tree_release(&tree);

	/* f calls f: what both do counts once */
	assert_int_equal(tree_init(&tree, &hand.profile, &lens, TREE_TOP_DOWN, "ns::f"), 0);
	assert_int_equal(tree.nodes[0].cost.allocations, 120);
	assert_int_equal(tree.nodes[0].own.allocations, 20);
	assert_int_equal(tree.nodes[0].node, 2);
	assert_int_equal(child_cost(&tree, 0, 0, 1, &at), 100);
	assert_int_equal(tree.nodes[at].node, 3);
	tree_release(&tree);

	assert_int_equal(tree_init(&tree, &hand.profile, &lens, TREE_BOTTOM_UP, "ns::f(int)"), 0);
	assert_int_equal(tree.nodes[0].cost.allocations, 120);
	assert_int_equal(child_cost(&tree, 0, 0, 2, &at), 100);
	assert_int_equal(tree.nodes[at].node, 2);
	assert_int_equal(child_cost(&tree, 0, 1, 2, &at), 20);
	assert_int_equal(tree.nodes[at].node, 1);
	assert_int_equal(tree.nodes[at].own.allocations, 20);
	tree_release(&tree);

	/* who is looked through is found when asked for; part of a name is enough */
	assert_int_equal(tree_init(&tree, &hand.profile, &lens, TREE_BOTTOM_UP, "mallo"), 0);
	assert_int_equal(tree.nodes[0].cost.allocations, 120);
	assert_int_equal(child_cost(&tree, 0, 0, 2, &at), 100);
	assert_int_equal(tree.nodes[at].node, 4);
	tree_release(&tree);
	assert_int_equal(tree_init(&tree, &hand.profile, &lens, TREE_TOP_DOWN, "nothing"),
			 ERROR_EMPTY);
	tree_release(&tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_trees),
	    cmocka_unit_test(test_trees_of_two),
	    cmocka_unit_test(test_by_hand),
	};

	made_seed = seed_choose();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
