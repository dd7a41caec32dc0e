/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <unistd.h>

#include "analyzer/model/combine.h"
#include "analyzer/query/suppressions.h"
#include "formats/error.h"
#include "tests/unit/made_profile.h"
#include "tests/unit/seed.h"

static int add_text(struct suppressions *suppressions, const char *text, char *complaint)
{
	return suppressions_add_text(suppressions, text, strlen(text), SUPPRESSION_FILE, complaint,
				     256);
}

static void test_lines(void **state)
{
	struct suppressions suppressions = {0};
	char complaint[256] = "";

	(void)state;
	assert_int_equal(add_text(&suppressions,
				  "# known\n\n  leak:one \r\nleak: *two$\n\tleak:^a b", complaint),
			 0);
	assert_int_equal(suppressions.count, 3);
	assert_string_equal(suppressions.rules[0].pattern, "one");
	assert_string_equal(suppressions.rules[1].pattern, "*two$");
	assert_string_equal(suppressions.rules[2].pattern, "^a b");
	assert_int_equal(suppressions.rules[2].origin, SUPPRESSION_FILE);
	assert_int_equal(add_text(&suppressions, "", complaint), 0);
	assert_int_equal(suppressions_add_builtin(&suppressions), 0);
	assert_true(suppressions.count > 3);
	assert_int_equal(suppressions.rules[3].origin, SUPPRESSION_BUILTIN);
	assert_string_equal(complaint, "");
	suppressions_release(&suppressions);
}

static void test_complaints(void **state)
{
	static const struct {
		const char *text, *complaint;
	} lines[] = {
	    {"leak:a\n\nrace:b", "line 3: rules of race: say nothing of leaks; "
				 "only leak:PATTERN is read"},
	    {"leak:", "line 1: leak: needs a pattern, as in leak:my_function"},
	    {"leak:  \n", "line 1: leak: needs a pattern, as in leak:my_function"},
	    {"my_function", "line 1: 'my_function' is no rule; write leak:PATTERN"},
	    {"\x1b[31mred", "line 1: '\\x1b[31mred' is no rule; write leak:PATTERN"},
	    {"# of valgrind\n{\n  name\n  Memcheck:Leak\n  fun:malloc\n  fun:_Znwm\n"
	     "  fun:_ZN2ns4makeEi\n  fun:main\n}\n",
	     "line 2: valgrind's suppressions are not read; write leak:ns::make for this one"},
	    {"{\n  name\n  Memcheck:Leak\n  ...\n}\n{\n fun:other\n}",
	     "line 1: valgrind's suppressions are not read; write leak:FUNCTION for this one"},
	    {"{", "line 1: valgrind's suppressions are not read; write leak:FUNCTION for this one"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		struct suppressions suppressions = {0};
		char complaint[256] = "";

		assert_int_equal(add_text(&suppressions, lines[i].text, complaint), ERROR_FOREIGN);
		assert_string_equal(complaint, lines[i].complaint);
		suppressions_release(&suppressions);
	}
}

static void test_files(void **state)
{
	struct suppressions suppressions = {0};
	char path[] = "/tmp/mallograph-test-XXXXXX", complaint[256] = "";
	int fd = mkstemp(path);

	(void)state;
	assert_int_equal(write(fd, "leak:x\n", 7), 7);
	assert_int_equal(suppressions_add_file(&suppressions, path, complaint, 256), 0);
	assert_int_equal(suppressions.count, 1);
	assert_int_equal(write(fd, "\0", 1), 1);
	assert_int_equal(suppressions_add_file(&suppressions, path, complaint, 256), ERROR_FOREIGN);
	assert_string_equal(complaint,
			    "this is no text: it holds a NUL byte; write lines of leak:PATTERN");
	close(fd);
	unlink(path);
	assert_int_equal(suppressions_add_file(&suppressions, path, complaint, 256), ERROR_SYSTEM);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(suppressions_add_file(&suppressions, "/", complaint, 256), ERROR_SYSTEM);
	assert_int_equal(errno, EISDIR);
	suppressions_release(&suppressions);
}

/* The rules here are parts of names, so strstr is enough to check. */
static uint32_t slow_rule(const struct made *made, uint32_t class_id, const char *const *rules,
			  size_t count)
{
	for (size_t rule = 0; rule < count; rule++)
		for (uint32_t node = made->classes[class_id].node; node;
		     node = made->nodes[node].parent) {
			const struct profile_location *at =
			    &made->locations[made->nodes[node].location];

			if (strstr(made->modules[at->module].path, rules[rule]))
				return (uint32_t)rule + 1;
			for (uint32_t i = at->frame; i < at->frame + at->frame_count; i++)
				if ((made->frames[i].function &&
				     strstr(made->frames[i].function, rules[rule])) ||
				    (made->frames[i].file &&
				     strstr(made->frames[i].file, rules[rule])))
					return (uint32_t)rule + 1;
		}
	return 0;
}

static void check_applied(const struct suppressions *suppressions, const struct made *made,
			  const char *const *rules, size_t count)
{
	uint64_t blocks[8] = {0}, bytes[8] = {0}, all_blocks = 0, all_bytes = 0;
	struct lens lens = {.suppressions = suppressions};
	struct cost sum = {0};
	struct sites sites;

	for (uint32_t i = 1; i < MADE_CLASSES; i++) {
		const struct profile_class *class_ = &made->classes[i];
		uint64_t leaked = class_->allocations - class_->deallocations;
		uint32_t rule = leaked ? slow_rule(made, i, rules, count) : 0;

		assert_int_equal(suppressions->of_class[i], rule);
		blocks[rule] += leaked;
		bytes[rule] += leaked * class_->size;
	}
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(suppressions->rules[i].matches, blocks[i + 1]);
		assert_int_equal(suppressions->rules[i].leaked_bytes, bytes[i + 1]);
		all_blocks += blocks[i + 1];
		all_bytes += bytes[i + 1];
	}
	assert_int_equal(suppressions->leaked_blocks, all_blocks);
	assert_int_equal(suppressions->leaked_bytes, all_bytes);
	/* what is suppressed and what is left are all that leaked; nothing else is less */
	assert_int_equal(sites_init(&sites, &made->profile, &lens), 0);
	for (size_t i = 0; i < sites.site_count; i++)
		cost_add(&sum, &sites.sites[i].cost);
	assert_int_equal(sum.leaked_blocks + all_blocks, made->profile.totals.leaked_blocks);
	assert_int_equal(sum.leaked_bytes + all_bytes, made->profile.totals.leaked_bytes);
	assert_int_equal(sum.allocations, made->profile.totals.allocations);
	assert_int_equal(sum.peak_bytes, made->profile.totals.peak_bytes);
	sites_release(&sites);
}

static void test_random(void **state)
{
	static const char *const rules[] = {"ns::beta", "two.c", "liby", "alpha", "main"};
	const size_t count = sizeof(rules) / sizeof(*rules);

	(void)state;
	for (unsigned round = 0; round < 50; round++) {
		struct suppressions suppressions = {0};
		struct made *made = made_new(round % 3);
		char text[64], complaint[256];

		for (size_t i = 0; i < round % (count + 1); i++) {
			snprintf(text, sizeof(text), "leak:%s\n", rules[i]);
			assert_int_equal(add_text(&suppressions, text, complaint), 0);
		}
		for (int again = 0; again < 2; again++) {
			assert_int_equal(suppressions_apply(&suppressions, &made->profile), 0);
			check_applied(&suppressions, made, rules, round % (count + 1));
		}
		suppressions_release(&suppressions);
		free(made);
	}
}

/* Each side of a diff has what it would have alone. */
static void test_both_sides(void **state)
{
	struct made *fresh = made_new(1), *base = made_new(2);
	struct suppressions one = {0}, other = {0}, both = {0};
	struct profile *combined;
	char complaint[256];

	(void)state;
	assert_int_equal(add_text(&one, "leak:alpha\nleak:beta", complaint), 0);
	assert_int_equal(add_text(&other, "leak:alpha\nleak:beta", complaint), 0);
	assert_int_equal(add_text(&both, "leak:alpha\nleak:beta", complaint), 0);
	assert_int_equal(profile_combine(&combined, &fresh->profile, &base->profile), 0);
	assert_int_equal(suppressions_apply(&one, &fresh->profile), 0);
	assert_int_equal(suppressions_apply(&other, &base->profile), 0);
	assert_int_equal(suppressions_apply(&both, combined), 0);
	assert_true(one.leaked_blocks > 0);
	assert_int_equal(both.leaked_blocks, one.leaked_blocks);
	assert_int_equal(both.leaked_bytes, one.leaked_bytes);
	assert_int_equal(both.base_leaked_blocks, other.leaked_blocks);
	assert_int_equal(both.rules[1].matches, one.rules[1].matches);
	assert_int_equal(both.rules[1].base_leaked_bytes, other.rules[1].leaked_bytes);
	profile_free(combined);
	suppressions_release(&one);
	suppressions_release(&other);
	suppressions_release(&both);
	free(fresh);
	free(base);
}

/* A stack of its own for each row, outermost first; '/': the next is inlined into the one before.
 */
#define STACKS 11
#define DEEP   6
struct stack_case {
	const char *frames[DEEP];
	uint32_t rule;
};

/* Frames of one location are innermost first. */
static void add_stack(struct made *made, uint32_t class_id, const struct stack_case *stack)
{
	struct profile *profile = &made->profile;
	uint32_t parent = 0;

	for (size_t i = 0; i < DEEP && stack->frames[i]; i++) {
		const char *name = stack->frames[i];
		struct profile_location *at = &made->locations[profile->location_count];

		if (*name == '/') {
			struct profile_frame *first = &made->frames[at[-1].frame];

			memmove(first + 1, first, at[-1].frame_count++ * sizeof(*first));
			*first = (struct profile_frame){.function = name + 1};
			profile->frame_count++;
			continue;
		}
		*at = (struct profile_location){.frame = (uint32_t)profile->frame_count++,
						.frame_count = 1};
		made->frames[at->frame] = (struct profile_frame){.function = name};
		made->nodes[profile->node_count] = (struct profile_node){
		    .parent = parent, .location = (uint32_t)profile->location_count++};
		parent = (uint32_t)profile->node_count++;
	}
	made->classes[class_id] =
	    (struct profile_class){.node = parent, .allocations = 1, .size = class_id};
	profile->class_count++;
}

/* Of the loader's rule (2) nothing within a constructor falls under it; of the others all does. */
static void test_constructors(void **state)
{
	static const struct stack_case stacks[STACKS] = {
	    {{"main", "dl_open_worker", "malloc"}, 2},
	    {{"main", "dl_open_worker", "call_init", "plugin", "malloc"}, 0},
	    {{"main", "dl_open_worker", "call_init.part.0", "plugin", "malloc"}, 0},
	    {{"main", "dl_open_worker", "_dl_init", "plugin", "malloc"}, 0},
	    {{"main", "dl_open_worker", "/_dl_init", "/call_init", "plugin", "malloc"}, 0},
	    {{"main", "call_init", "plugin", "dl_open_worker", "malloc"}, 2},
	    {{"main", "_dl_init", "/dl_open_worker", "malloc"}, 2},
	    {{"main", "dl_open_worker", "call_initially", "malloc"}, 2},
	    {{"by_file", "dl_open_worker", "call_init", "plugin", "malloc"}, 1},
	    {{"embedded", "dl_open_worker", "call_init", "plugin", "malloc"}, 3},
	    {{"dl_open_worker", "embedded", "plugin", "malloc"}, 3},
	};
	struct made *made = calloc(1, sizeof(*made));
	struct suppressions rules = {0};
	char complaint[256];

	(void)state;
	assert_non_null(made);
	made->profile = (struct profile){
	    .modules = made->modules,
	    .module_count = 1,
	    .locations = made->locations,
	    .location_count = 1,
	    .frames = made->frames,
	    .nodes = made->nodes,
	    .node_count = 1,
	    .classes = made->classes,
	    .class_count = 1,
	};
	made->modules[0].path = made_paths[0][0];
	for (uint32_t i = 0; i < STACKS; i++)
		add_stack(made, i + 1, &stacks[i]);
	assert_int_equal(add_text(&rules, "leak:by_file", complaint), 0);
	assert_int_equal(suppressions_add_text(&rules, "leak:dl_open_worker", 19,
					       SUPPRESSION_BUILTIN, complaint, 256),
			 0);
	assert_int_equal(suppressions_add_text(&rules, "leak:embedded", 13, SUPPRESSION_EMBEDDED,
					       complaint, 256),
			 0);
	assert_int_equal(suppressions_apply(&rules, &made->profile), 0);
	for (uint32_t i = 0; i < STACKS; i++)
		if (rules.of_class[i + 1] != stacks[i].rule)
			fail_msg("stack %u: rule %u, expected %u", i, rules.of_class[i + 1],
				 stacks[i].rule);
	suppressions_release(&rules);
	/* a rule of the user's reaches through a constructor, whatever it is */
	assert_int_equal(add_text(&rules, "leak:dl_open_worker", complaint), 0);
	assert_int_equal(suppressions_apply(&rules, &made->profile), 0);
	assert_int_equal(rules.leaked_blocks, STACKS);
	suppressions_release(&rules);
	free(made);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_lines),      cmocka_unit_test(test_complaints),
	    cmocka_unit_test(test_files),      cmocka_unit_test(test_random),
	    cmocka_unit_test(test_both_sides), cmocka_unit_test(test_constructors),
	};

	made_seed = seed_choose();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
