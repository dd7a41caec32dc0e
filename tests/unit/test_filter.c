/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/model/filter.h"
#include "analyzer/model/filtered_scan.h"
#include "formats/error.h"

static void test_ranges(void **state)
{
	static const struct {
		const char *expression;
		uint64_t from, to;
	} cases[] = {
	    {"time=1..2", 1000, 2000},
	    {"time=1s..2m", 1000, 120000},
	    {"time=..2.5s", 0, 2500},
	    {"time=250ms..", 250, UINT64_MAX},
	    {"time=..", 0, UINT64_MAX},
	    {"time=0.5h..1h", 1800000, 3600000},
	    /* at least 1.5 ms is at least 2 ms, less than 2.1 ms is less than 3 ms */
	    {"lifetime=1.5ms..2.1ms", 2, 3},
	    {"lifetime=0..0.0000000001", 0, 1},
	    {"size=16", 16, 17},
	    {"size=0", 0, 1},
	    {"size=1k..1M", 1000, 1000000},
	    {"size=1.5k..2G", 1500, UINT64_C(2000000000)},
	    {"size=1..2", 1, 2},
	    {"size=9223372036854775806..", INT64_MAX - 1, UINT64_MAX},
	};
	char complaint[200];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct filter filter = {0};

		assert_int_equal(
		    filter_add(&filter, cases[i].expression, i % 2, complaint, sizeof(complaint)),
		    0);
		assert_int_equal(filter.count, 1);
		assert_int_equal(filter.terms[0].exclude, i % 2);
		assert_int_equal(filter.terms[0].from, cases[i].from);
		assert_int_equal(filter.terms[0].to, cases[i].to);
		assert_null(filter.terms[0].text);
		filter_release(&filter);
		assert_true(filter_is_empty(&filter));
	}
}

static void test_names(void **state)
{
	struct filter filter = {0};
	char complaint[200];

	(void)state;
	assert_int_equal(filter_add(&filter, "function=a==b..c", 0, complaint, sizeof(complaint)),
			 0);
	assert_int_equal(filter_add(&filter, "thread=12", 1, complaint, sizeof(complaint)), 0);
	assert_int_equal(filter.terms[0].key, FILTER_FUNCTION);
	assert_string_equal(filter.terms[0].text, "a==b..c");
	assert_int_equal(filter.terms[1].key, FILTER_THREAD);
	assert_string_equal(filter.terms[1].text, "12");
	filter_release(&filter);
}

static void test_complaints(void **state)
{
	static const struct {
		const char *expression, *says;
	} cases[] = {
	    {"time", "KEY=VALUE"},
	    {"", "KEY=VALUE"},
	    {"=5", "there are time"},
	    {"tme=1..2", "'time'"},
	    {"fnction=x", "'function'"},
	    {"colour=blue", "there are time, lifetime, size"},
	    {"Time=1..2", "'time'"},
	    {"time=", "1s..2m"},
	    {"thread=", "needs a value"},
	    {"lifetime=5", "a range is A..B, as in 1s..2m"},
	    {"time=a..b", "ms, s, m and h"},
	    {"time=1k..2k", "ms, s, m and h"},
	    {"time=1..2..3", "ms, s, m and h"},
	    {"time=-1..2", "ms, s, m and h"},
	    {"time=1 s..2 s", "ms, s, m and h"},
	    {"time=1,5..2", "ms, s, m and h"},
	    {"time=.5..1", "ms, s, m and h"},
	    {"time=1.ms..", "ms, s, m and h"},
	    {"size=1s..2s", "k, M and G"},
	    {"size=0x10", "k, M and G"},
	    {"size=1.5", "whole number"},
	    {"size=..18446744073709551616", "too large"},
	    {"size=9223372036854775807", "too large"},
	    {"size=10000000000G", "too large"},
	    {"time=2..1", "empty"},
	    {"time=1..1", "empty"},
	    {"time=..0", "empty"},
	};
	char complaint[200];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct filter filter = {0};

		*complaint = '\0';
		assert_int_equal(
		    filter_add(&filter, cases[i].expression, 0, complaint, sizeof(complaint)),
		    ERROR_FOREIGN);
		if (!strstr(complaint, cases[i].says) || !strstr(complaint, cases[i].expression))
			fail_msg("'%s': %s", cases[i].expression, complaint);
		assert_true(filter_is_empty(&filter));
	}
	/* cut off, but whole */
	assert_int_equal(filter_add(&(struct filter){0}, "colour=blue", 0, complaint, 8),
			 ERROR_FOREIGN);
	assert_string_equal(complaint, "colour=");
}

static void test_instants(void **state)
{
	static const struct {
		const char *text;
		enum filter_instant instant;
		uint64_t tick;
	} cases[] = {
	    {"peak", FILTER_AT_PEAK, 0},     {"end", FILTER_END, 0},
	    {"1.5", FILTER_AT_TICK, 1500},   {"1500ms", FILTER_AT_TICK, 1500},
	    {"1.9ms", FILTER_AT_TICK, 1}, /* events up to then: those of tick 2 are later */
	    {"2h", FILTER_AT_TICK, 7200000}, {"0%", FILTER_AT_TICK, 0},
	    {"50%", FILTER_AT_TICK, 2500},   {"33.33%", FILTER_AT_TICK, 1666},
	    {"100%", FILTER_AT_TICK, 5001},
	};
	static const char *const wrong[] = {
	    "",    "now",   "-1",    "1..2", "101%", "100.000000001%",      "%",
	    "5 %", "peak ", "1.5.5", "0x1",  "1e3",  "99999999999999999999"};
	char complaint[200];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct filter filter = {.instant = FILTER_AT_PEAK, .tick = 7};

		assert_int_equal(
		    filter_set_instant(&filter, cases[i].text, 5001, complaint, sizeof(complaint)),
		    0);
		assert_int_equal(filter.instant, cases[i].instant);
		assert_int_equal(filter.tick, cases[i].tick);
		assert_int_equal(filter_is_empty(&filter), cases[i].instant == FILTER_END);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct filter filter = {0};

		*complaint = '\0';
		assert_int_equal(
		    filter_set_instant(&filter, wrong[i], 5001, complaint, sizeof(complaint)),
		    ERROR_FOREIGN);
		assert_non_null(strstr(complaint, wrong[i]));
		assert_true(filter_is_empty(&filter));
	}
}

static void check_text(const char *const *expressions, const struct filter *start, const char *says)
{
	struct filter filter = *start;
	char complaint[100], text[200], few[6];

	for (; *expressions; expressions++)
		assert_int_equal(filter_add(&filter, *expressions + (**expressions == '!'),
					    **expressions == '!', complaint, sizeof(complaint)),
				 0);
	assert_int_equal(filter_text(&filter, text, sizeof(text)), strlen(says));
	assert_string_equal(text, says);
	assert_int_equal(filter_text(&filter, few, sizeof(few)), strlen(says));
	assert_memory_equal(few, says, strnlen(says, sizeof(few) - 1));
	filter_release(&filter);
}

static void test_text(void **state)
{
	static const struct filter none,
	    peak = {.instant = FILTER_AT_PEAK},
	    tick = {.instant = FILTER_AT_TICK, .tick = 90500, .temporary_threshold = 3};

	(void)state;
	check_text((const char *const[]){NULL}, &none, "");
	check_text((const char *const[]){"time=1000ms..2", "!module=libc", NULL}, &none,
		   "time=1s..2s, not module=libc");
	check_text((const char *const[]){"time=..2.5", "lifetime=60..3600", "time=0..2ms", NULL},
		   &none, "time=..2.5s, lifetime=1m..1h, time=..2ms");
	check_text((const char *const[]){"time=0..", "size=0", "size=1000000..", "size=16", NULL},
		   &none, "time=0s.., size=0, size=1M.., size=16");
	check_text((const char *const[]){"function=a\033[1m", NULL}, &peak,
		   "function=a\\x1b[1m, at the peak");
	check_text((const char *const[]){NULL}, &tick,
		   "at 90.5s, temporary up to 3 allocations apart");
}

static void test_range_end(void **state)
{
	static const struct {
		const char *expressions[4];
		uint64_t end;
	} cases[] = {
	    {{NULL}, UINT64_MAX},
	    {{"size=1..2", NULL}, UINT64_MAX},
	    {{"time=1..2", NULL}, 2000},
	    {{"time=1..2", "time=4..5", NULL}, 5000},
	    {{"time=1..", "!time=3..", NULL}, 3000},
	    {{"!time=3..4", NULL}, UINT64_MAX},
	    {{"time=1..4", "!time=3..9", NULL}, 3000},
	    {{"time=1..2", "!time=..3", NULL}, 0},
	};
	char complaint[100];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct filter filter = {0};

		for (const char *const *word = cases[i].expressions; *word; word++)
			assert_int_equal(filter_add(&filter, *word + (**word == '!'), **word == '!',
						    complaint, sizeof(complaint)),
					 0);
		assert_int_equal(filter_range_end(&filter), cases[i].end);
		filter_release(&filter);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_ranges),     cmocka_unit_test(test_names),
	    cmocka_unit_test(test_complaints), cmocka_unit_test(test_instants),
	    cmocka_unit_test(test_text),       cmocka_unit_test(test_range_end),
	};

	/* nothing depends on it */
	setlocale(LC_ALL, "de_DE.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
