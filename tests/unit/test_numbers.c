/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The text of numbers and names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <locale.h>
#include <string.h>

#include "formats/numbers.h"

static void test_bytes(void **state)
{
	static const struct {
		int64_t value;
		const char *text;
	} cases[] = {
	    {0, "0B"},
	    {1, "1B"},
	    {999, "999B"},
	    {1000, "1000B"},
	    {1001, "1.00K"},
	    {1004, "1.00K"},
	    {1005, "1.01K"},
	    {1015, "1.02K"},
	    {72704, "72.70K"},
	    {999994, "999.99K"},
	    {999995, "1000.00K"},
	    {1000000, "1000.00K"},
	    {1000001, "1.00M"},
	    {1010000, "1.01M"},
	    {1000000000, "1000.00M"},
	    {1000000001, "1.00G"},
	    {4294967296, "4.29G"},
	    {1000000000000, "1000.00G"},
	    {1000000000001, "1.00T"},
	    {1000000000000000, "1000.00T"},
	    {1234567890123456, "1234.57T"},
	    {INT64_MAX, "9223372.04T"},
	    {INT64_MIN, "-9223372.04T"},
	    {-1, "-1B"},
	    {-1000, "-1000B"},
	    {-1005, "-1.01K"},
	    {-1000000, "-1000.00K"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(number_bytes(cases[i].value).text, cases[i].text);
}

static void test_plain_and_fixed(void **state)
{
	(void)state;
	assert_string_equal(number_plain(0).text, "0");
	assert_string_equal(number_plain(-319347).text, "-319347");
	assert_string_equal(number_plain(INT64_MIN).text, "-9223372036854775808");
	assert_string_equal(number_plain(INT64_MAX).text, "9223372036854775807");
	assert_string_equal(number_fixed(1840, 1000, 2).text, "1.84");
	assert_string_equal(number_fixed(1203, 1000, 3).text, "1.203");
	assert_string_equal(number_fixed(1, 2, 0).text, "1");
	assert_string_equal(number_fixed(-1, 2, 0).text, "-1");
	assert_string_equal(number_fixed(-4, 1000, 2).text, "0.00");
	assert_string_equal(number_fixed(-5, 1000, 2).text, "-0.01");
	assert_string_equal(number_fixed(5, 0, 1).text, "0.0");
	assert_string_equal(number_fixed(2, 3, 12).text, "0.666666667");
	assert_string_equal(number_fixed(INT64_MIN, 1, 9).text, "-9223372036854775808.000000000");
	assert_string_equal(number_fixed(1, UINT64_MAX, 9).text, "0.000000000");
}

static void test_percent(void **state)
{
	(void)state;
	assert_string_equal(number_percent(0, 5).text, "0.00%");
	assert_string_equal(number_percent(5, 0).text, "0.00%");
	assert_string_equal(number_percent(68, 319347).text, "0.02%");
	assert_string_equal(number_percent(1, 3).text, "33.33%");
	assert_string_equal(number_percent(2, 3).text, "66.67%");
	assert_string_equal(number_percent(1000, 1000).text, "100.00%");
	assert_string_equal(number_percent(-500, 1000).text, "-50.00%");
	assert_string_equal(number_percent(500, -1000).text, "50.00%");
	assert_string_equal(number_percent(INT64_MIN, INT64_MIN).text, "-100.00%");
	assert_string_equal(number_percent(INT64_MAX, 1).text, "922337203685477580700.00%");
}

static void test_locale(void **state)
{
	(void)state;
	/* Where it does not exist, nothing changes either. */
	setlocale(LC_ALL, "de_DE.UTF-8");
	assert_string_equal(number_bytes(72704).text, "72.70K");
	assert_string_equal(number_percent(1, 8).text, "12.50%");
	setlocale(LC_ALL, "C");
}

static void assert_escaped(const char *bytes, size_t count, const char *text)
{
	char out[200];

	assert_int_equal(text_escape(out, sizeof(out), bytes, count), strlen(text));
	assert_string_equal(out, text);
}

static void test_escape(void **state)
{
	(void)state;
	assert_escaped("", 0, "");
	assert_escaped("main()", 6, "main()");
	assert_escaped("a\0b", 3, "a\\x00b");
	assert_escaped("\x1b[2J\t\n\x7f", 7, "\\x1b[2J\\x09\\x0a\\x7f");
	assert_escaped("\\", 1, "\\");
	assert_escaped("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 9,
		       "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80");
	/* C1 */
	assert_escaped("\xc2\x80\xc2\x9b\xc2\xa0", 6, "\\xc2\\x80\\xc2\\x9b\xc2\xa0");
	/* the direction of text, and its neighbours; line separators */
	assert_escaped("\xd8\x9c\xd8\x9b", 4, "\\xd8\\x9c\xd8\x9b");
	assert_escaped("\xe2\x80\x8d\xe2\x80\x8e\xe2\x80\x8f\xe2\x80\x90", 12,
		       "\xe2\x80\x8d\\xe2\\x80\\x8e\\xe2\\x80\\x8f\xe2\x80\x90");
	assert_escaped("\xe2\x80\xa7\xe2\x80\xa8\xe2\x80\xaa\xe2\x80\xae\xe2\x80\xaf", 15,
		       "\xe2\x80\xa7\\xe2\\x80\\xa8\\xe2\\x80\\xaa\\xe2\\x80\\xae\xe2\x80\xaf");
	assert_escaped("\xe2\x81\xa5\xe2\x81\xa6\xe2\x81\xa9\xe2\x81\xaa", 12,
		       "\xe2\x81\xa5\\xe2\\x81\\xa6\\xe2\\x81\\xa9\xe2\x81\xaa");
	/* alone, overlong, surrogate, too high, cut off */
	assert_escaped("\x9b\xff", 2, "\\x9b\\xff");
	assert_escaped("\xc0\xaf", 2, "\\xc0\\xaf");
	assert_escaped("\xe0\x9f\xbf", 3, "\\xe0\\x9f\\xbf");
	assert_escaped("\xed\xa0\x80", 3, "\\xed\\xa0\\x80");
	assert_escaped("\xf4\x90\x80\x80", 4, "\\xf4\\x90\\x80\\x80");
	assert_escaped("\xf8\x88\x80\x80\x80", 5, "\\xf8\\x88\\x80\\x80\\x80");
	assert_escaped("\xe2\x82", 2, "\\xe2\\x82");
	assert_escaped("\xe2\x82z", 3, "\\xe2\\x82z");
	assert_escaped("\xf0\x8f\xbf\xbf", 4, "\\xf0\\x8f\\xbf\\xbf");
}

static void test_escape_into_little_room(void **state)
{
	const char source[] = "ab\x01\xc3\xa4z";
	const char whole[] = "ab\\x01\xc3\xa4z";
	/* What fits: never half an escape or half a character. */
	static const size_t fits[] = {0, 0, 1, 2, 2, 2, 2, 6, 6, 8, 9, 9};
	char out[16];

	(void)state;
	assert_int_equal(text_escape(NULL, 0, source, 6), 9);
	for (size_t size = 1; size < sizeof(fits) / sizeof(fits[0]); size++) {
		memset(out, '#', sizeof(out));
		assert_int_equal(text_escape(out, size, source, 6), 9);
		assert_int_equal(strlen(out), fits[size]);
		assert_memory_equal(out, whole, fits[size]);
		assert_int_equal(out[size], '#');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_bytes),   cmocka_unit_test(test_plain_and_fixed),
	    cmocka_unit_test(test_percent), cmocka_unit_test(test_locale),
	    cmocka_unit_test(test_escape),  cmocka_unit_test(test_escape_into_little_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
