/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A program, built, recorded, edited, built again in another folder under another name and
 * recorded again: a diff lists the functions that were edited, and nothing else. Needs a
 * compiler and the program that was built (CC, MALLOGRAPH).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analyzer/model/combine.h"
#include "analyzer/query/sites.h"

/* EDITED: lines above all functions, one that is gone, one that is new, one that does more. */
static const char source[] = "#include <stdlib.h>\n"
			     "#include \"keep.h\"\n"
			     "#ifdef EDITED\n"
			     "static int more_lines(int count)\n"
			     "{\n"
			     "	return count + 50;\n"
			     "}\n"
			     "#define PARSE(count) more_lines(count)\n"
			     "#else\n"
			     "#define PARSE(count) (count)\n"
			     "#endif\n"
			     "__attribute__((noinline)) static void parse(int count, int kind)\n"
			     "{\n"
			     "	for (int i = 0; i < PARSE(count); i++)\n"
			     "		keep(malloc(10 + (size_t)kind));\n"
			     "}\n"
			     "__attribute__((noinline)) static void stays(int count)\n"
			     "{\n"
			     "	for (int i = 0; i < count; i++)\n"
			     "		keep(malloc(24));\n"
			     "	parse(count, 0);\n"
			     "}\n"
			     "#ifdef EDITED\n"
			     "__attribute__((noinline)) static void added(int count)\n"
			     "#else\n"
			     "__attribute__((noinline)) static void removed(int count)\n"
			     "#endif\n"
			     "{\n"
			     "	for (int i = 0; i < count; i++)\n"
			     "		keep(calloc(1, 77));\n"
			     "}\n"
			     "int main(void)\n"
			     "{\n"
			     "	stays(100);\n"
			     "	parse(100, 6);\n"
			     "#ifdef EDITED\n"
			     "	keep(NULL);\n"
			     "	added(40);\n"
			     "#else\n"
			     "	removed(30);\n"
			     "#endif\n"
			     "	stays(7);\n"
			     "	return 0;\n"
			     "}\n";
static const char header[] = "static void *volatile kept[8];\n"
			     "static inline void keep(void *block)\n"
			     "{\n"
			     "	static unsigned next;\n"
			     "	kept[next++ % 8] = block;\n"
			     "}\n";

static void write_file(const char *path, const char *text)
{
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
}

static const char *setting(const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	return value ? value : otherwise;
}

static struct profile *build_and_record(const char *folder, const char *program, const char *flags)
{
	char command[1024], path[256];
	struct profile *profile;

	snprintf(command, sizeof(command), "mkdir -p %s", folder);
	assert_int_equal(system(command), 0);
	snprintf(path, sizeof(path), "%s/edit.c", folder);
	write_file(path, source);
	snprintf(path, sizeof(path), "%s/keep.h", folder);
	write_file(path, header);
	snprintf(command, sizeof(command),
		 "tool=$(realpath '%s') && cd %s && %s -g -fno-builtin %s -o %s edit.c && "
		 "\"$tool\" record -q -o t.mlg ./%s",
		 setting("MALLOGRAPH", "./mallograph"), folder, setting("CC", "gcc"), flags,
		 program, program);
	assert_int_equal(system(command), 0);
	snprintf(path, sizeof(path), "%s/t.mlg", folder);
	assert_int_equal(profile_load(&profile, path), 0);
	return profile;
}

struct listed {
	const char *function;
	int64_t difference;
};

static const char *function_of(const struct profile *profile, const struct site *site)
{
	const struct profile_location *at =
	    &profile->locations[profile->nodes[site->node].location];

	assert_true(site->frame < at->frame_count);
	return profile->frames[at->frame + site->frame].function;
}

static void check_listed(const struct profile *fresh, const struct profile *base,
			 const struct listed *listed, size_t count)
{
	struct lens lens = {.identity = LENS_FUNCTION};
	struct ordering ordering = {.kind = COST_ALLOCATIONS, .sort_by = -1, .difference = 1};
	struct profile *both;
	struct sites sites;
	uint32_t *order;
	size_t found;

	assert_int_equal(profile_combine(&both, fresh, base), 0);
	assert_int_equal(sites_init(&sites, both, &lens), 0);
	order = sites_sorted(&sites, &ordering, &found);
	assert_non_null(order);
	for (size_t i = 0; i < found && i < count; i++) {
		const struct site *site = &sites.sites[order[i]];

		assert_string_equal(function_of(both, site), listed[i].function);
		assert_int_equal(cost_difference(&site->cost, &site->base, COST_ALLOCATIONS),
				 listed[i].difference);
	}
	assert_int_equal(found, count);
	free(order);
	sites_release(&sites);
	profile_free(both);
}

/* Calls of parse: 100 + 100 + 7, each of them 50 more blocks. */
static const struct listed edits[] = {{"parse", 150}, {"added", 40}, {"removed", -30}};
static const struct listed undone[] = {{"removed", 30}, {"parse", -150}, {"added", -40}};

static void check_edits(const char *flags, const char *edited_flags)
{
	char folder[] = "/tmp/mallograph-test-XXXXXX", one[64], other[64], command[64];
	struct profile *base, *fresh;

	assert_non_null(mkdtemp(folder));
	snprintf(one, sizeof(one), "%s/one", folder);
	snprintf(other, sizeof(other), "%s/moved/here", folder);
	base = build_and_record(one, "program", flags);
	fresh = build_and_record(other, "program-2", edited_flags);
	assert_int_equal(fresh->totals.allocations, base->totals.allocations + 150 + 40 - 30);
	check_listed(fresh, base, edits, 3);
	check_listed(base, fresh, undone, 3);
	check_listed(fresh, fresh, NULL, 0);
	profile_free(fresh);
	profile_free(base);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	assert_int_equal(system(command), 0);
}

static void test_edited(void **state)
{
	(void)state;
	check_edits("-O1", "-O1 -DEDITED");
}

/* Other options of the compiler inline and split what they like. */
static void test_other_options(void **state)
{
	(void)state;
	check_edits("-O0", "-O2 -DEDITED");
	check_edits("-O3", "-O1 -DEDITED");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_edited),
	    cmocka_unit_test(test_other_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
