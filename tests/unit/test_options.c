/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/message.h"
#include "cli/options.h"

static struct {
	int leaks, quiet, plain;
	uint64_t number, size;
	const char *text;
	struct option_list list;
	int choice;
	unsigned choices;
} values;

static const struct option_choice colours[] = {{"red", 1}, {"green", 2}, {"blue", 4}, {NULL, 0}};

static const struct option options[] = {
    {.letter = 'l', .name = "leaks", .kind = OPTION_SWITCH, .value = &values.leaks, .help = "l"},
    {.letter = 'q',
     .name = "quiet",
     .kind = OPTION_FLAG,
     .value = &values.quiet,
     .number = 7,
     .help = "q"},
    {.name = "plain", .kind = OPTION_FLAG, .value = &values.plain, .number = 1, .help = "p"},
    {.letter = 'n', .name = "number", .kind = OPTION_NUMBER, .value = &values.number, .help = "n"},
    {.letter = 'z', .name = "size", .kind = OPTION_SIZE, .value = &values.size, .help = "z"},
    {.letter = 'o', .name = "output", .kind = OPTION_TEXT, .value = &values.text, .help = "o"},
    {.letter = 'i', .name = "item", .kind = OPTION_LIST, .value = &values.list, .help = "i"},
    {.name = "colour",
     .kind = OPTION_CHOICE,
     .value = &values.choice,
     .choices = colours,
     .help = "c"},
    {.name = "colours",
     .kind = OPTION_CHOICES,
     .value = &values.choices,
     .choices = colours,
     .help = "c"},
    {0},
};

static struct option_set set = {
    .command = "test", .words = "WORD", .summary = "Tests.", .options = options};

static char complaint[256];
static char *words[32];
static int word_count;

/* A line of words, split at blanks; '' is an empty one. */
static int parse(const char *line)
{
	static char buffer[256];
	int count = 0;

	free(values.list.words);
	memset(&values, 0, sizeof(values));
	values.leaks = values.quiet = -1;
	words[count++] = "test";
	snprintf(buffer, sizeof(buffer), "%s", line);
	for (char *word = strtok(buffer, " "); word; word = strtok(NULL, " "))
		words[count++] = strcmp(word, "''") ? word : "";
	words[count] = NULL;
	word_count = count;
	complaint[0] = '\0';
	return options_parse_quietly(&set, &word_count, words, complaint, sizeof(complaint));
}

static void test_lists(void **state)
{
	(void)state;
	assert_int_equal(parse("-i one --item=two word --item three -ifour"), -1);
	assert_int_equal(word_count, 2);
	assert_int_equal(values.list.count, 4);
	assert_string_equal(values.list.words[0], "one");
	assert_string_equal(values.list.words[1], "two");
	assert_string_equal(values.list.words[2], "three");
	assert_string_equal(values.list.words[3], "four");
	assert_int_equal(parse("--item"), STATUS_USAGE);
}

static void test_choices(void **state)
{
	(void)state;
	assert_int_equal(parse("--colour blue --colours=red,blue"), -1);
	assert_int_equal(values.choice, 4);
	assert_int_equal(values.choices, 5);
	assert_int_equal(parse("--colours red --colours green"), -1);
	assert_int_equal(values.choices, 2);
	assert_int_equal(parse("--colour red,blue"), STATUS_USAGE);
	assert_int_equal(parse("--colours red,,blue"), STATUS_USAGE);
	assert_int_equal(parse("--colours red,"), STATUS_USAGE);
	assert_int_equal(parse("--colour gren"), STATUS_USAGE);
	assert_string_equal(complaint,
			    "option '--colour': there is no 'gren': did you mean 'green'?");
	assert_int_equal(parse("--colour xxxxxx"), STATUS_USAGE);
	assert_string_equal(complaint,
			    "option '--colour': there is no 'xxxxxx': it takes red, green, blue");
	/* a word without an end, and one that is half a name */
	assert_int_equal(parse("--colour "
			       "greengreengreengreengreengreengreengreengreengreengreengreen"),
			 STATUS_USAGE);
	assert_int_equal(parse("--colour gre"), STATUS_USAGE);
}

static void test_switches(void **state)
{
	static const struct {
		const char *line;
		int value, words;
	} lines[] = {
	    {"-l", 1, 1},           {"-l0", 0, 1},          {"-l1", 1, 1},
	    {"-l=0", 0, 1},         {"-l 0", 0, 1},         {"-l FILE", 1, 2},
	    {"-l on FILE", 1, 2},   {"-loff", 0, 1},        {"-l no", 0, 1},
	    {"--leaks", 1, 1},      {"--leaks=yes", 1, 1},  {"--leaks false", 0, 1},
	    {"--leaks FILE", 1, 2}, {"FILE --leaks", 1, 2}, {"-l true x y", 1, 3},
	    {"-l -l0", 0, 1},       {"-ql0", 0, 1},         {"-lq", 1, 1},
	    {"-l -- 0", 1, 2},      {"-l 2", 1, 2},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		print_message("%s\n", lines[i].line);
		assert_int_equal(parse(lines[i].line), -1);
		assert_int_equal(values.leaks, lines[i].value);
		assert_int_equal(word_count, lines[i].words);
	}
	assert_int_equal(parse("-lq FILE"), -1);
	assert_int_equal(values.quiet, 7);
	assert_string_equal(words[1], "FILE");
	assert_null(words[2]);
}

static void test_values(void **state)
{
	(void)state;
	assert_int_equal(parse("-n5 -z 3k --output=x=y w"), -1);
	assert_int_equal(values.number, 5);
	assert_int_equal(values.size, 3000);
	assert_string_equal(values.text, "x=y");
	assert_int_equal(word_count, 2);
	assert_int_equal(parse("-n=6 --size 2G -o - -"), -1);
	assert_int_equal(values.number, 6);
	assert_int_equal(values.size, 2000000000);
	assert_string_equal(values.text, "-");
	assert_string_equal(words[1], "-");
	assert_int_equal(parse("--number 18446744073709551615"), -1);
	assert_true(values.number == UINT64_MAX);
	assert_int_equal(parse("-qo --number"), -1);
	assert_string_equal(values.text, "--number");
	assert_int_equal(parse("-o ''"), -1);
	assert_string_equal(values.text, "");
}

static void check_complaint(const char *line, const char *expected)
{
	assert_int_equal(parse(line), 2);
	assert_string_equal(complaint, expected);
}

static void test_complaints(void **state)
{
	(void)state;
	check_complaint("--leeks", "unknown option '--leeks': did you mean '--leaks'?");
	check_complaint("--outptu=x", "unknown option '--outptu': did you mean '--output'?");
	check_complaint("--numb 4", "unknown option '--numb': did you mean '--number'?");
	check_complaint("--zebra", "unknown option '--zebra': see mallograph test --help");
	check_complaint("-x", "unknown option '-x': see mallograph test --help");
	check_complaint("-lx", "option '-l' takes 0 or 1, not 'x'");
	check_complaint("--leaks=maybe", "option '--leaks' takes 0 or 1, not 'maybe'");
	check_complaint("--leaks=", "option '--leaks' takes 0 or 1, not ''");
	check_complaint("--plain=1", "option '--plain' takes no value, but got '1'");
	check_complaint("-n", "option '-n' needs a value: VALUE");
	check_complaint("-n -5", "option '-n' takes a number, not '-5'");
	check_complaint("-n ''", "option '-n' takes a number, not ''");
	check_complaint("-n 18446744073709551616",
			"option '-n' takes a number, not '18446744073709551616'");
	check_complaint("--size=k", "option '--size' takes a size like 500k or 2G, not 'k'");
	check_complaint("--size=20000000000G",
			"option '--size' takes a size like 500k or 2G, not '20000000000G'");
}

static void test_program_behind(void **state)
{
	(void)state;
	set.stop_at_word = 1;
	assert_int_equal(parse("-q app -l --leeks -- x"), -1);
	assert_int_equal(word_count, 6);
	assert_int_equal(values.leaks, -1);
	assert_string_equal(words[1], "app");
	assert_string_equal(words[4], "--");
	assert_int_equal(parse("-- -q"), -1);
	assert_int_equal(values.quiet, -1);
	assert_string_equal(words[1], "-q");
	set.stop_at_word = 0;
}

static void test_commands_sorted(void **state)
{
	(void)state;
	for (size_t i = 0; i < command_count; i++) {
		assert_ptr_equal(command_find(commands[i].name), &commands[i]);
		if (i)
			assert_true(strcmp(commands[i - 1].name, commands[i].name) < 0);
	}
	assert_null(command_find("prin"));
	assert_null(command_find(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_lists),           cmocka_unit_test(test_choices),
	    cmocka_unit_test(test_switches),        cmocka_unit_test(test_values),
	    cmocka_unit_test(test_complaints),      cmocka_unit_test(test_program_behind),
	    cmocka_unit_test(test_commands_sorted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
