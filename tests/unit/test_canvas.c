/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tui/canvas.h"

static struct grid grid;

static struct canvas fresh(int rows, int columns)
{
	assert_int_equal(grid_resize(&grid, rows, columns), 0);
	return canvas_of(&grid);
}

static void is(int row, const char *expected)
{
	char *text = grid_text(&grid, row);

	assert_string_equal(text, expected);
	free(text);
}

static void test_text_is_clipped(void **state)
{
	struct canvas canvas = fresh(2, 10), part;

	(void)state;
	assert_int_equal(canvas_text(&canvas, 0, 0, 10, ROLE_NORMAL, "0123456789"), 10);
	is(0, "0123456789");
	assert_int_equal(canvas_text(&canvas, 0, 0, 10, ROLE_NORMAL, "01234567890"), 10);
	is(0, "012345678…");
	grid_clear(&grid);
	assert_int_equal(canvas_text(&canvas, 0, 8, 10, ROLE_NORMAL, "abc"), 2);
	is(0, "        a…");
	assert_int_equal(canvas_text(&canvas, 0, 10, 10, ROLE_NORMAL, "abc"), 0);
	assert_int_equal(canvas_text(&canvas, 2, 0, 10, ROLE_NORMAL, "abc"), 0);
	assert_int_equal(canvas_text(&canvas, -1, 0, 10, ROLE_NORMAL, "abc"), 0);
	assert_int_equal(canvas_text(&canvas, 0, 0, 0, ROLE_NORMAL, "abc"), 0);
	part = canvas_part(&canvas, 1, 3, 5, 4);
	assert_int_equal(part.rows, 1);
	canvas_text(&part, 0, 0, 10, ROLE_NORMAL, "abcdefgh");
	is(1, "   abc…");
	canvas_text_right(&part, 0, 0, 4, ROLE_NORMAL, "12");
	is(1, "   ab12");
	assert_int_equal(canvas_part(&canvas, 5, 5, 5, 5).rows, 0);
}

static void test_scrolled(void **state)
{
	struct canvas canvas = fresh(1, 6);

	(void)state;
	canvas_text_from(&canvas, 0, 0, 6, ROLE_NORMAL, "0123456789", 4);
	is(0, "456789");
	grid_clear(&grid);
	canvas_text_from(&canvas, 0, 0, 6, ROLE_NORMAL, "0123456789", 12);
	is(0, "");
}

static void test_wide_and_combining(void **state)
{
	struct canvas canvas = fresh(1, 6);

	(void)state;
	assert_int_equal(canvas_width(&canvas, "漢字e\u0301"), 5);
	canvas_text(&canvas, 0, 0, 6, ROLE_NORMAL, "漢字e\u0301x");
	is(0, "漢字e\u0301x");
	/* never half of one */
	canvas_text(&canvas, 0, 0, 6, ROLE_NORMAL, "a漢字漢");
	is(0, "a漢字…");
	canvas_text(&canvas, 0, 2, 1, ROLE_NORMAL, "z");
	is(0, "a z字…");
	canvas_text(&canvas, 0, 3, 1, ROLE_NORMAL, "y");
	is(0, "a zy …");
	/* the first character combines with nothing */
	grid_clear(&grid);
	canvas_text(&canvas, 0, 0, 6, ROLE_NORMAL, "\u0301a");
	is(0, "a");
	/* and no cell takes more than it has room for */
	canvas_text(&canvas, 0, 0, 6, ROLE_NORMAL, "e\u0301\u0302\u0303\u0304\u0305\u0306f");
	is(0, "e\u0301\u0302\u0303f");
}

static void test_masked(void **state)
{
	struct canvas canvas = fresh(1, 40);

	(void)state;
	canvas_text(&canvas, 0, 0, 40, ROLE_NORMAL, "\x1b[2J\x07\xff\xc2\x85\x7f\n");
	is(0, "\\x1b[2J\\x07\\xff\\xc2\\x85\\x7f\\x0a");
	grid_clear(&grid);
	grid.ascii = 1;
	canvas_text(&canvas, 0, 0, 4, ROLE_NORMAL, "aé漢bcdef");
	is(0, "a??~");
	canvas_symbol(&canvas, 0, 6, ROLE_NORMAL, L'█', '#');
	is(0, "a??~  #");
	grid.ascii = 0;
}

static void test_bars(void **state)
{
	struct canvas canvas = fresh(1, 8);
	static const struct {
		uint64_t part, whole;
		const char *bar, *plain;
	} cases[] = {
	    {0, 100, "", ""},
	    {100, 100, "████████", "########"},
	    {50, 100, "████", "####"},
	    {1, 64, "▏", ""},
	    {7, 64, "▉", "#"},
	    {12, 64, "█▌", "##"},
	    {11, 64, "█▍", "#"},
	    {1, UINT64_MAX, "▏", ""},
	    {UINT64_MAX, UINT64_MAX, "████████", "########"},
	    {200, 100, "████████", "########"},
	    {1, 0, "▏", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		for (int ascii = 0; ascii < 2; ascii++) {
			grid.ascii = ascii;
			grid_clear(&grid);
			canvas_bar(&canvas, 0, 0, 8, ROLE_BAR, cases[i].part, cases[i].whole);
			is(0, ascii ? cases[i].plain : cases[i].bar);
		}
	grid.ascii = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_text_is_clipped),
	    cmocka_unit_test(test_scrolled),
	    cmocka_unit_test(test_wide_and_combining),
	    cmocka_unit_test(test_masked),
	    cmocka_unit_test(test_bars),
	};
	int failed;

	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		return 77;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	grid_release(&grid);
	return failed;
}
