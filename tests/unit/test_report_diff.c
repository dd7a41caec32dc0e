/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analyzer/model/combine.h"
#include "analyzer/report/json.h"
#include "analyzer/report/text.h"
#include "formats/error.h"
#include "tests/unit/sample_trace.h"

/* main calls keep `kept` times for 100 bytes each, and extra once for extra_bytes. */
static struct sample *program(int kept, const char *extra, uint64_t extra_bytes, const char *path,
			      uint32_t line)
{
	struct sample *sample = sample_new(TRACE_CODEC_NONE);
	uint32_t app = sample_module(sample, 0x1000, path);
	uint32_t root = sample_node(sample, 0, app, 0x20, 0);

	sample_class(sample, sample_node(sample, root, app, 0x10, 0), 100);
	sample_class(sample, sample_node(sample, root, app, 0x11, 0), extra_bytes);
	sample_thread(sample, "app");
	for (int i = 0; i < kept; i++)
		sample_allocate(sample, 1);
	sample_allocate(sample, 2);
	sample->tick = 100;
	sample_symbol(sample, app, 0x10, "keep", "app.c", line);
	sample_symbol(sample, app, 0x11, extra, "app.c", line + 5);
	sample_symbol(sample, app, 0x20, "main", "app.c", line + 10);
	sample_finish(sample);
	return sample;
}

static struct report_options options = {
    .sections = REPORT_PEAK | REPORT_SUMMARY,
    .merge = 1,
    .entries = 10,
    .stacks = 5,
    .sort_by = -1,
    .least = 1,
};

static void check_diff(const struct sample *fresh, const struct sample *base, const char *expected)
{
	const struct lens lens = {.identity = LENS_FUNCTION};
	struct profile *profiles[2], *combined;
	struct report report;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	assert_int_equal(profile_load(&profiles[0], fresh->path), 0);
	assert_int_equal(profile_load(&profiles[1], base->path), 0);
	assert_int_equal(profile_combine(&combined, profiles[0], profiles[1]), 0);
	assert_int_equal(report_init(&report, combined, &lens, &options), 0);
	assert_int_equal(text_report(out, &report), 0);
	fclose(out);
	assert_string_equal(text, expected);
	free(text);
	report_release(&report);
	profile_free(combined);
	profile_free(profiles[0]);
	profile_free(profiles[1]);
}

static void test_lines(void **state)
{
	struct sample *base = program(30, "gone", 7, "/old/app", 10);
	struct sample *fresh = program(40, "new_one", 70000, "/new/app", 50);

	(void)state;
	check_diff(
	    fresh, base,
	    "PEAK MEMORY CONSUMERS\n"
	    "70.00K peak memory consumed over 1 calls from [base 0B, new 70.00K, only in new]\n"
	    "new_one\n"
	    "  at app.c:55\n"
	    "  in /new/app\n"
	    "70.00K consumed over 1 calls from: [base 0B, new 70.00K, only in new]\n"
	    "    main\n"
	    "      at app.c:60\n"
	    "      in /new/app\n"
	    "\n"
	    "1000B peak memory consumed over 10 calls from [base 3.00K, new 4.00K, +33.33%]\n"
	    "keep\n"
	    "  at app.c:50\n"
	    "  in /new/app\n"
	    "1000B consumed over 10 calls from: [base 3.00K, new 4.00K, +33.33%]\n"
	    "    main\n"
	    "      at app.c:60\n"
	    "      in /new/app\n"
	    "\n"
	    "-7B peak memory consumed over -1 calls from [base 7B, new 0B, only in base]\n"
	    "gone\n"
	    "  at app.c:15\n"
	    "  in /old/app\n"
	    "-7B consumed over -1 calls from: [base 7B, new 0B, only in base]\n"
	    "    main\n"
	    "      at app.c:20\n"
	    "      in /old/app\n"
	    "\n"
	    "\n"
	    "total runtime: 0.000s. [base 0.100s, new 0.100s]\n"
	    "calls to allocation functions: 10 (100/s) [base 31, new 41, +32.26%]\n"
	    "temporary memory allocations: 0 (0/s) [base 0, new 0]\n"
	    "peak heap memory consumption: 70.99K [base 3.01K, new 74.00K, +2360.92%]\n"
	    "peak RSS (including mallograph overhead): unknown\n"
	    "total memory leaked: 70.99K [base 3.01K, new 74.00K, +2360.92%]\n"
	    "10 more blocks leaked; --only leaks lists them\n");
	sample_free_all(base);
	sample_free_all(fresh);
}

/* Counts with two decimals, bytes with them below 1000 of a unit; limits are per request. */
static void test_per(void **state)
{
	struct sample *base = program(30, "extra", 7, "/app", 10);
	struct sample *fresh = program(40, "extra", 10, "/app", 10);
	struct report_options before = options;

	(void)state;
	options.per = 8;
	check_diff(fresh, base,
		   "counts and bytes are divided by 8 (--per)\n"
		   "\n"
		   "PEAK MEMORY CONSUMERS\n"
		   "125.00B peak memory consumed over 1.25 calls from "
		   "[base 375.00B, new 500.00B, +33.33%]\n"
		   "keep\n"
		   "  at app.c:10\n"
		   "  in /app\n"
		   "125.00B consumed over 1.25 calls from: [base 375.00B, new 500.00B, +33.33%]\n"
		   "    main\n"
		   "      at app.c:20\n"
		   "      in /app\n"
		   "\n"
		   "1 smaller changes are left out (--min-change 1)\n"
		   "\n"
		   "total runtime: 0.000s. [base 0.100s, new 0.100s]\n"
		   "calls to allocation functions: 1.25 (100/s) [base 3.88, new 5.13, +32.26%]\n"
		   "temporary memory allocations: 0.00 (0/s) [base 0.00, new 0.00]\n"
		   "peak heap memory consumption: 125.38B [base 375.88B, new 501.25B, +33.36%]\n"
		   "peak RSS (including mallograph overhead): unknown\n"
		   "total memory leaked: 125.38B [base 375.88B, new 501.25B, +33.36%]\n"
		   "1.25 more blocks leaked; --only leaks lists them\n");
	options = before;
	sample_free_all(base);
	sample_free_all(fresh);
}

static void check_number(int64_t bytes, uint64_t per, int plain, const char *expected)
{
	const struct report_options one = {.per = per, .plain_bytes = plain};

	assert_string_equal(report_bytes_text(&one, bytes).text, expected);
}

static void test_bytes(void **state)
{
	(void)state;
	check_number(72700, 0, 0, "72.70K");
	check_number(72700, 1, 1, "72700");
	check_number(72700, 10, 1, "7270.00");
	check_number(9999, 10, 0, "999.90B");
	check_number(10000, 10, 0, "1000B");
	check_number(-72705, 10, 0, "-7.27K");
	check_number(-15, 10, 0, "-1.50B");
	check_number(INT64_MIN, 2, 0, "-4611686.02T");
	check_number(INT64_MAX, UINT64_MAX, 0, "0.50B");
}

static void check_json(const char *text, const char *expected)
{
	struct json json = {0};
	char *found = NULL;
	size_t size;

	json.out = open_memstream(&found, &size);
	assert_non_null(json.out);
	json_text(&json, NULL, text);
	fclose(json.out);
	assert_string_equal(found, expected);
	free(found);
}

static void test_json_text(void **state)
{
	(void)state;
	check_json(NULL, "null");
	check_json("", "\"\"");
	check_json("a \"b\" \\c/", "\"a \\\"b\\\" \\\\c/\"");
	check_json("\n\t\x1b\x7f", "\"\\u000a\\u0009\\u001b\\u007f\"");
	check_json("\xc3\xa9 \xe2\x82\xac \xf0\x9f\x99\x82",
		   "\"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x99\x82\"");
	/* alone, overlong, a surrogate, beyond the last, cut off, a C1 control */
	check_json("\xff", "\"\\\\xff\"");
	check_json("\xc0\x80", "\"\\\\xc0\\\\x80\"");
	check_json("\xed\xa0\x80", "\"\\\\xed\\\\xa0\\\\x80\"");
	check_json("\xf4\x90\x80\x80", "\"\\\\xf4\\\\x90\\\\x80\\\\x80\"");
	check_json("\xe2\x82", "\"\\\\xe2\\\\x82\"");
	check_json("\xc2\x9b", "\"\\u009b\"");
	check_json("a\xe2\x80\xaeZ", "\"a\\u202eZ\"");
}

static void test_json_shape(void **state)
{
	struct json json = {0};
	char *found = NULL;
	size_t size;

	(void)state;
	json.out = open_memstream(&found, &size);
	assert_non_null(json.out);
	json_open(&json, NULL, '{');
	json_number(&json, "least", INT64_MIN);
	json_number(&json, "most", INT64_MAX);
	json_count(&json, "count", 7);
	json_count(&json, "beyond", UINT64_MAX);
	json_number_if(&json, "known", 1, 0);
	json_number_if(&json, "unknown", 0, 0);
	json_open(&json, "none", '[');
	json_close(&json, ']');
	json_open(&json, "some", '[');
	json_flag(&json, NULL, 0);
	json_text(&json, NULL, "x");
	json_close(&json, ']');
	json_close(&json, '}');
	fclose(json.out);
	assert_string_equal(found, "{\n"
				   " \"least\": -9223372036854775808,\n"
				   " \"most\": 9223372036854775807,\n"
				   " \"count\": 7,\n"
				   " \"beyond\": 9223372036854775807,\n"
				   " \"known\": 0,\n"
				   " \"unknown\": null,\n"
				   " \"none\": [],\n"
				   " \"some\": [\n"
				   "  false,\n"
				   "  \"x\"\n"
				   " ]\n"
				   "}\n");
	free(found);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_lines),      cmocka_unit_test(test_per),
	    cmocka_unit_test(test_bytes),      cmocka_unit_test(test_json_text),
	    cmocka_unit_test(test_json_shape),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
