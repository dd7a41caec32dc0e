/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <unistd.h>

#include "analyzer/model/combine.h"
#include "analyzer/query/tree_sums.h"
#include "tests/unit/made_profile.h"
#include "tests/unit/seed.h"

#define GROUPS 4

struct sides {
	const struct made *sides[2];
	int group_of[MADE_FUNCTIONS]; /* -1: none */
};

static uint32_t group_of_function(const struct sides *all, const struct made *made, uint32_t node,
				  uint32_t frame)
{
	int function = made_function_of(made, node, frame);

	if (made->nodes[node].flags || function < 0 || all->group_of[function] < 0)
		return TREE_NO_GROUP;
	return (uint32_t)all->group_of[function];
}

static uint32_t group_of(void *context, uint32_t node, uint32_t frame)
{
	const struct sides *all = context;
	int base = node >= MADE_NODES;

	return group_of_function(all, all->sides[base], base ? node - MADE_NODES + 1 : node, frame);
}

static void add_slowly(const struct sides *all, int side, struct tree_sum *sums)
{
	const struct made *made = all->sides[side];
	static struct made_path path;

	for (uint32_t id = 1; id < MADE_CLASSES; id++) {
		struct cost cost = cost_of_class(&made->profile, NULL, id);
		int inside[GROUPS] = {0};

		made_walk(&path, made, id, 1);
		for (size_t i = 0; i < path.count; i++) {
			uint32_t group =
			    group_of_function(all, made, path.at[i].node, path.at[i].frame);

			if (group == TREE_NO_GROUP)
				continue;
			if (!inside[group]++)
				cost_add(side ? &sums[group].base : &sums[group].cost, &cost);
			if (!i)
				cost_add(side ? &sums[group].own_base : &sums[group].own, &cost);
		}
	}
}

static void check(struct sides *all, const struct profile *profile, const struct lens *lens)
{
	struct tree_sum sums[GROUPS], slow[GROUPS] = {{{0}, {0}, {0}, {0}}};
	struct tree tree;

	for (size_t i = 0; i < MADE_FUNCTIONS; i++)
		all->group_of[i] = (int)made_random(GROUPS + 1) - 1;
	assert_int_equal(tree_init(&tree, profile, lens, TREE_TOP_DOWN, NULL), 0);
	assert_int_equal(tree_sum_groups(&tree, 0, group_of, all, sums, GROUPS), 0);
	add_slowly(all, 0, slow);
	if (all->sides[1])
		add_slowly(all, 1, slow);
	assert_memory_equal(sums, slow, sizeof(sums));
	tree_release(&tree);
}

static void test_one(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 50; round++) {
		struct made *made = made_new(0);
		struct sides all = {.sides = {made}};

		for (unsigned identity = LENS_LINE; identity <= LENS_ADDRESS; identity++)
			check(&all, &made->profile, &(struct lens){.identity = identity});
		free(made);
	}
}

static void test_two(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 50; round++) {
		struct made *fresh = made_new(1), *base = made_new(2);
		struct sides all = {.sides = {fresh, base}};
		struct profile *both;

		assert_int_equal(profile_combine(&both, &fresh->profile, &base->profile), 0);
		for (unsigned identity = LENS_LINE; identity <= LENS_FUNCTION; identity++)
			check(&all, both, &(struct lens){.identity = identity});
		profile_free(both);
		free(fresh);
		free(base);
	}
}

/* Below a child of the root: a group of its own frame has all of it; and what all children
 * have together is what the root has. */
static void test_below(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 50; round++) {
		struct made *made = made_new(0);
		struct sides all = {.sides = {made}};
		struct tree_sum sums[GROUPS], whole[GROUPS],
		    together[GROUPS] = {{{0}, {0}, {0}, {0}}};
		struct tree tree;

		for (size_t i = 0; i < MADE_FUNCTIONS; i++)
			all.group_of[i] = (int)made_random(GROUPS + 1) - 1;
		assert_int_equal(tree_init(&tree, &made->profile, NULL, TREE_TOP_DOWN, NULL), 0);
		assert_int_equal(tree_expand(&tree, 0), 0);
		assert_int_equal(tree_sum_groups(&tree, 0, group_of, &all, whole, GROUPS), 0);
		for (uint32_t i = tree.nodes[0].first_child; i; i = tree.nodes[i].next) {
			uint32_t top = group_of(&all, tree.nodes[i].node, tree.nodes[i].frame);

			assert_int_equal(tree_sum_groups(&tree, i, group_of, &all, sums, GROUPS),
					 0);
			for (size_t k = 0; k < GROUPS; k++) {
				cost_add(&together[k].cost, &sums[k].cost);
				cost_add(&together[k].own, &sums[k].own);
			}
			if (top != TREE_NO_GROUP)
				assert_memory_equal(&sums[top].cost, &tree.nodes[i].cost,
						    sizeof(sums[top].cost));
		}
		assert_memory_equal(together, whole, sizeof(whole));
		tree_release(&tree);
		free(made);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_one),
	    cmocka_unit_test(test_two),
	    cmocka_unit_test(test_below),
	};

	made_seed = seed_choose();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
