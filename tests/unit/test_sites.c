/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <unistd.h>

#include "analyzer/model/combine.h"
#include "analyzer/query/sites.h"
#include "tests/unit/made_profile.h"
#include "tests/unit/seed.h"

static void assert_same_cost(const struct cost *a, const struct cost *b)
{
	assert_memory_equal(a, b, sizeof(*a));
}

static void assert_totals(const struct cost *sum, const struct profile_totals *totals)
{
	assert_int_equal(sum->allocations, totals->allocations);
	assert_int_equal(sum->temporary, totals->temporary);
	assert_int_equal(sum->bytes, totals->bytes);
	assert_int_equal(sum->peak_blocks, totals->peak_blocks);
	assert_int_equal(sum->peak_bytes, totals->peak_bytes);
	assert_int_equal(sum->leaked_blocks, totals->leaked_blocks);
	assert_int_equal(sum->leaked_bytes, totals->leaked_bytes);
}

/* What the slow account knows of a class: by which text it is gathered, and that of its stack. */
struct account {
	const struct made *side;
	uint32_t id;
	char site[2 * MADE_KEY];
	char stack[MADE_TEXT];
};

static void site_text(struct account *account, const struct lens *lens, int diff,
		      const struct made_path *path)
{
	const struct made *made = account->side;
	uint32_t node = path->count ? path->at[0].node : 0;
	uint32_t frame = path->count ? path->at[0].frame : 0;
	const struct profile_location *location = &made->locations[made->nodes[node].location];
	int function = made_function_of(made, node, frame);
	int file = frame < location->frame_count ? made->file[location->frame + frame] : -1;
	struct lens address = {.identity = LENS_ADDRESS};
	char *key = account->site;

	made_key(key, made, node, frame, lens, diff);
	switch (lens->by) {
	case LENS_BY_FUNCTION:
		if (function >= 0)
			sprintf(key, "m%u f%d", location->module, function);
		break;
	case LENS_BY_LINE:
		if (file >= 0)
			sprintf(key, "s%d l%u", file, made->frames[location->frame + frame].line);
		break;
	case LENS_BY_FILE:
		sprintf(key, file >= 0 ? "s%d" : "m%d", file >= 0 ? file : (int)location->module);
		break;
	case LENS_BY_MODULE:
		sprintf(key, "m%u", location->module);
		break;
	case LENS_BY_ADDRESS:
		made_key(key, made, node, 0, &address, diff);
		break;
	case LENS_BY_THREAD:
		sprintf(key, "t%u",
			diff && made->classes[account->id].thread
			    ? 1
			    : made->classes[account->id].thread);
		break;
	case LENS_BY_SIZE:
		sprintf(key, "z%llu", (unsigned long long)made->classes[account->id].size);
		break;
	default:
		break;
	}
}

static void make_account(struct account *account, const struct made *made, uint32_t id,
			 const struct lens *lens, int diff)
{
	static struct made_path path;

	account->side = made;
	account->id = id;
	made_walk(&path, made, id, 1);
	made_text(account->stack, made, &path, 0, path.count, lens, diff);
	site_text(account, lens, diff, &path);
}

static void check_sums(const struct sites *sites, const struct profile *profile)
{
	struct cost sum[4] = {{0}};

	for (size_t i = 0; i < sites->site_count; i++) {
		const struct site *site = &sites->sites[i];
		struct cost cost = {0}, base = {0};

		for (uint32_t k = 0; k < site->stack_count; k++) {
			const struct site_stack *stack = &sites->stacks[site->first_stack + k];

			assert_int_equal(stack->site, i);
			cost_add(&cost, &stack->cost);
			cost_add(&base, &stack->base);
		}
		assert_same_cost(&cost, &site->cost);
		assert_same_cost(&base, &site->base);
		cost_add(&sum[0], &cost);
		cost_add(&sum[1], &base);
	}
	for (size_t i = 0; i < sites->stack_count; i++) {
		cost_add(&sum[2], &sites->stacks[i].cost);
		cost_add(&sum[3], &sites->stacks[i].base);
	}
	assert_totals(&sum[0], &profile->totals);
	assert_totals(&sum[2], &profile->totals);
	assert_totals(&sum[1], &profile->base_totals);
	assert_totals(&sum[3], &profile->base_totals);
}

/* Two classes are of one site, or stack, when their texts are the same. */
static void check_groups(const struct sites *sites, const struct account *accounts, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		uint32_t stack = sites->stack_of_class[i];

		assert_true(stack < sites->stack_count);
		for (size_t k = 1; k < i; k++) {
			uint32_t other = sites->stack_of_class[k];
			int same = !strcmp(accounts[i].site, accounts[k].site);

			assert_int_equal(sites->stacks[stack].site == sites->stacks[other].site,
					 same);
			same = same && !strcmp(accounts[i].stack, accounts[k].stack);
			assert_int_equal(stack == other, same);
		}
	}
}

static void check_one(const struct made *fresh, const struct made *base,
		      const struct profile *profile, const struct lens *lens)
{
	size_t count = profile->class_count;
	struct account *accounts = calloc(count, sizeof(*accounts));
	struct sites sites;

	assert_non_null(accounts);
	for (uint32_t i = 1; i < count; i++)
		if (i < MADE_CLASSES)
			make_account(&accounts[i], fresh, i, lens, base != NULL);
		else
			make_account(&accounts[i], base, i - MADE_CLASSES + 1, lens, 1);
	assert_int_equal(sites_init(&sites, profile, lens), 0);
	check_sums(&sites, profile);
	check_groups(&sites, accounts, count);
	sites_release(&sites);
	free(accounts);
}

static void test_groups(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 12; round++) {
		struct made *made = made_new(0);

		for (unsigned by = LENS_BY_SITE; by <= LENS_BY_ADDRESS; by++)
			for (unsigned identity = LENS_LINE; identity <= LENS_ADDRESS; identity++) {
				struct lens lens = {.by = by, .identity = identity};

				check_one(made, NULL, &made->profile, &lens);
			}
		free(made);
	}
}

static void test_groups_of_two(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 12; round++) {
		struct made *fresh = made_new(1), *base = made_new(2);
		struct profile *both;

		assert_int_equal(profile_combine(&both, &fresh->profile, &base->profile), 0);
		for (unsigned by = LENS_BY_SITE; by <= LENS_BY_ADDRESS; by++)
			for (unsigned identity = LENS_LINE; identity <= LENS_ADDRESS; identity++) {
				struct lens lens = {.by = by, .identity = identity};

				check_one(fresh, base, both, &lens);
			}
		profile_free(both);
		free(fresh);
		free(base);
	}
}

/* --- differences ----------------------------------------------------------- */

static struct ordering by_difference(enum cost_kind kind)
{
	return (struct ordering){.kind = kind, .sort_by = -1, .difference = 1};
}

static void test_nothing_against_itself(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 20; round++) {
		struct made *made = made_new(round % 3);
		struct profile *both;

		assert_int_equal(profile_combine(&both, &made->profile, &made->profile), 0);
		for (unsigned by = LENS_BY_SITE; by <= LENS_BY_ADDRESS; by++) {
			struct lens lens = {
			    .by = by, .identity = round % 3, .match_similar = round % 2};
			struct sites sites;
			size_t found = 1;

			assert_int_equal(sites_init(&sites, both, &lens), 0);
			for (unsigned kind = COST_ALLOCATIONS; kind <= COST_BYTES; kind++) {
				struct ordering ordering = by_difference(kind);

				free(sites_sorted(&sites, &ordering, &found));
				assert_int_equal(found, 0);
				free(sites_sorted_stacks(&sites, 0, sites.stack_count, &ordering,
							 &found));
				assert_int_equal(found, 0);
			}
			sites_release(&sites);
		}
		profile_free(both);
		free(made);
	}
}

/* Few of many are those that all in order begin with. */
static void test_first(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 30; round++) {
		struct made *a = made_new(round % 3), *b = made_new(2);
		struct profile *both;
		struct sites sites;

		assert_int_equal(profile_combine(&both, &a->profile, &b->profile), 0);
		assert_int_equal(sites_init(&sites, round % 2 ? both : &a->profile, NULL), 0);
		for (unsigned kind = COST_ALLOCATIONS; kind <= COST_BYTES; kind++) {
			struct ordering ordering = {
			    .kind = kind, .sort_by = -1, .difference = round % 2};
			size_t all, found, most = round % 11;
			uint32_t *order = sites_sorted(&sites, &ordering, &all);
			uint32_t *first = sites_first(&sites, &ordering, most, &found);

			assert_int_equal(found, most < all ? most : all);
			assert_memory_equal(first, order, found * sizeof(*first));
			free(order);
			free(first);
		}
		sites_release(&sites);
		profile_free(both);
		free(a);
		free(b);
	}
}

static void check_order(const struct sites *sites, const uint32_t *order, size_t found,
			enum cost_kind kind)
{
	for (size_t i = 0; i < found; i++) {
		const struct site_stack *stack = &sites->stacks[order[i]];
		int64_t value = cost_difference(&stack->cost, &stack->base, kind), next;

		if (i + 1 == found)
			return;
		stack = &sites->stacks[order[i + 1]];
		next = cost_difference(&stack->cost, &stack->base, kind);
		/* a leak of blocks of 0 bytes differs, and by 0 */
		assert_true(value > 0   ? next <= value
			    : value < 0 ? next < 0 && next >= value
					: next <= 0);
	}
}

/* Every stack that one way lists is listed the other way, with the sides exchanged. A pair of
 * similar stacks is below fresh's site, which is another one then. */
static void check_mirrored(const struct sites *one, const struct sites *other, int similar)
{
	const size_t fresh_classes = MADE_CLASSES, base_classes = MADE_CLASSES;

	for (size_t i = 1; i < fresh_classes + base_classes - 1; i++) {
		size_t mirror = i < fresh_classes ? base_classes - 1 + i : i - fresh_classes + 1;
		const struct site_stack *a = &one->stacks[one->stack_of_class[i]];
		const struct site_stack *b = &other->stacks[other->stack_of_class[mirror]];

		assert_same_cost(&a->cost, &b->base);
		assert_same_cost(&a->base, &b->cost);
		assert_int_equal(!a->similar, !b->similar);
		if (!similar)
			assert_same_cost(&one->sites[a->site].cost, &other->sites[b->site].base);
	}
	for (unsigned kind = COST_ALLOCATIONS; kind <= COST_BYTES; kind++) {
		struct ordering ordering = by_difference(kind);
		size_t found, mirrored;
		uint32_t *order = sites_sorted_stacks(one, 0, one->stack_count, &ordering, &found);

		check_order(one, order, found, kind);
		free(order);
		free(sites_sorted_stacks(other, 0, other->stack_count, &ordering, &mirrored));
		assert_int_equal(found, mirrored);
		free(sites_sorted(one, &ordering, &found));
		free(sites_sorted(other, &ordering, &mirrored));
		if (!similar)
			assert_int_equal(found, mirrored);
	}
}

static void test_mirror(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 30; round++) {
		struct made *a = made_new(1 + round % 2), *b = made_new(2);
		struct profile *there, *back;

		assert_int_equal(profile_combine(&there, &a->profile, &b->profile), 0);
		assert_int_equal(profile_combine(&back, &b->profile, &a->profile), 0);
		for (unsigned by = LENS_BY_SITE; by <= LENS_BY_SIZE; by++) {
			struct lens lens = {
			    .by = by, .identity = LENS_FUNCTION, .match_similar = round % 2};
			struct sites one, other;

			assert_int_equal(sites_init(&one, there, &lens), 0);
			assert_int_equal(sites_init(&other, back, &lens), 0);
			check_mirrored(&one, &other, lens.match_similar);
			check_sums(&one, there);
			sites_release(&one);
			sites_release(&other);
		}
		profile_free(there);
		profile_free(back);
		free(a);
		free(b);
	}
}

/* --- by hand --------------------------------------------------------------- */

#define CHAIN 6

/* One stack for each text, of one letter a function, main first. */
struct chains {
	struct profile profile;
	struct profile_module modules[2];
	struct profile_location locations[8 * CHAIN];
	struct profile_frame frames[8 * CHAIN];
	struct profile_node nodes[8 * CHAIN];
	struct profile_class classes[8];
	char names[8 * CHAIN][2];
};

static void make_chains(struct chains *chains, const char *const *texts)
{
	uint32_t next = 1, class_id = 1;

	*chains = (struct chains){0};
	chains->modules[0].path = chains->modules[1].path = made_paths[1][0];
	for (; *texts; texts++) {
		uint32_t parent = 0;

		for (const char *at = *texts; *at; at++, parent = next++) {
			chains->names[next][0] = *at;
			chains->frames[next].function = chains->names[next];
			chains->locations[next] = (struct profile_location){
			    .module = 1, .offset = next, .frame = next, .frame_count = 1};
			chains->nodes[next] =
			    (struct profile_node){.parent = parent, .location = next};
		}
		chains->classes[class_id++] =
		    (struct profile_class){.node = parent, .size = 1, .allocations = 10};
	}
	chains->profile = (struct profile){
	    .modules = chains->modules,
	    .module_count = 2,
	    .locations = chains->locations,
	    .location_count = next,
	    .frames = chains->frames,
	    .frame_count = next,
	    .nodes = chains->nodes,
	    .node_count = next,
	    .classes = chains->classes,
	    .class_count = class_id,
	};
}

/* Which of base's stacks fresh's first one was paired with, from 1; 0: none. */
static uint32_t partner(const char *const *fresh_texts, const char *const *base_texts)
{
	struct lens lens = {.identity = LENS_FUNCTION, .match_similar = 1};
	struct chains *fresh = malloc(sizeof(*fresh)), *base = malloc(sizeof(*base));
	struct profile *both;
	struct sites sites;
	uint32_t found = 0;

	assert_non_null(fresh);
	assert_non_null(base);
	make_chains(fresh, fresh_texts);
	make_chains(base, base_texts);
	assert_int_equal(profile_combine(&both, &fresh->profile, &base->profile), 0);
	assert_int_equal(sites_init(&sites, both, &lens), 0);
	for (uint32_t i = 1; i < base->profile.class_count; i++)
		if (sites.stack_of_class[fresh->profile.class_count - 1 + i] ==
		    sites.stack_of_class[1]) {
			const struct site_stack *stack = &sites.stacks[sites.stack_of_class[1]];

			assert_int_equal(stack->cost.allocations, 10);
			assert_int_equal(stack->base.allocations, 10);
			assert_int_equal(stack->similar,
					 both->classes[fresh->profile.class_count - 1 + i].node);
			found = i;
		}
	sites_release(&sites);
	profile_free(both);
	free(fresh);
	free(base);
	return found;
}

#define TEXTS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void test_similar(void **state)
{
	(void)state;
	/* renamed: who allocates, a caller, the outermost; put between; taken out */
	assert_int_equal(partner(TEXTS("mabcX"), TEXTS("mabcd")), 1);
	assert_int_equal(partner(TEXTS("maXcd"), TEXTS("mabcd")), 1);
	assert_int_equal(partner(TEXTS("Xabcd"), TEXTS("mabcd")), 1);
	assert_int_equal(partner(TEXTS("mabXcd"), TEXTS("mabcd")), 1);
	assert_int_equal(partner(TEXTS("macd"), TEXTS("mabcd")), 1);
	/* half of the frames are enough: 2 * 2 of 8; 2 * 1 of 8 are not */
	assert_int_equal(partner(TEXTS("mXYd"), TEXTS("mabd")), 1);
	assert_int_equal(partner(TEXTS("mXYZ"), TEXTS("mabd")), 0);
	/* the one that is most alike, and each once */
	assert_int_equal(partner(TEXTS("mabcX"), TEXTS("maYZX", "mabcd")), 2);
	assert_int_equal(partner(TEXTS("maYcd", "mnoXd"), TEXTS("mnoZd", "mabcd")), 2);
	/* what repeats itself is not more alike than it is long: 2 * 2 of 2 + 5 */
	assert_int_equal(partner(TEXTS("mf"), TEXTS("mffff")), 1);
	assert_int_equal(partner(TEXTS("mf"), TEXTS("mfffff", "mXf")), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_groups),
	    cmocka_unit_test(test_groups_of_two),
	    cmocka_unit_test(test_nothing_against_itself),
	    cmocka_unit_test(test_first),
	    cmocka_unit_test(test_mirror),
	    cmocka_unit_test(test_similar),
	};

	made_seed = seed_choose();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
