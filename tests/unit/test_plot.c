/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/seed.h"
#include "tui/plot.h"

#define MOST_COLUMNS 40
#define MOST_ROWS    12

static uint64_t seed;

static uint32_t random_below(uint32_t limit)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 11) % limit;
}

/* The dots of a cell as Unicode's chart of braille patterns has them, from the top left one. */
static int is_set(wchar_t symbol, int row, int column)
{
	static const int bit[4][2] = {{0, 3}, {1, 4}, {2, 5}, {6, 7}};

	if (symbol == L' ')
		return 0;
	assert_true(symbol > 0x2800 && symbol <= 0x28ff);
	return ((int)symbol - 0x2800) >> bit[row][column] & 1;
}

static int dot(const struct plot *plot, int height, int column)
{
	int row = plot->rows * 4 - 1 - height;

	return is_set(plot_symbol(plot, row / 4, column / 2), row % 4, column % 2);
}

static void test_heights(void **state)
{
	(void)state;
	assert_int_equal(plot_height(0, 100, 20), 0);
	assert_int_equal(plot_height(1, 1000000, 20), 1);
	assert_int_equal(plot_height(50, 100, 20), 10);
	assert_int_equal(plot_height(52, 100, 20), 10);
	assert_int_equal(plot_height(53, 100, 20), 11);
	assert_int_equal(plot_height(100, 100, 20), 20);
	assert_int_equal(plot_height(1000, 100, 20), 20);
	assert_int_equal(plot_height(5, 0, 20), 0);
	assert_int_equal(plot_height(UINT64_MAX / 2, UINT64_MAX - 1, 8), 4);
}

static void test_areas(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 200; round++) {
		uint64_t values[MOST_COLUMNS * 2], top = 1 + random_below(1000);
		int columns = 1 + (int)random_below(MOST_COLUMNS);
		struct plot plot;

		assert_int_equal(plot_init(&plot, 1 + (int)random_below(MOST_ROWS), columns), 0);
		for (int i = 0; i < columns * 2; i++)
			values[i] = random_below(3) ? random_below(1100) : 0;
		plot_area(&plot, values, top);
		for (int i = 0; i < columns * 2; i++) {
			int height = 0, dots = plot.rows * 4;

			while (height < dots && dot(&plot, height, i))
				height++;
			assert_int_equal(height, plot_height(values[i], top, dots));
			for (int k = height; k < dots; k++)
				assert_false(dot(&plot, k, i));
		}
		plot_release(&plot);
	}
}

/* Each value has its dot, and neighbours touch. */
static void test_lines(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 200; round++) {
		uint64_t values[MOST_COLUMNS * 2], top = 1 + random_below(1000);
		int columns = 1 + (int)random_below(MOST_COLUMNS), before = -1;
		struct plot plot;

		assert_int_equal(plot_init(&plot, 1 + (int)random_below(MOST_ROWS), columns), 0);
		for (int i = 0; i < columns * 2; i++)
			values[i] = random_below(4) ? random_below(1100) : PLOT_NOTHING;
		plot_line(&plot, values, top);
		for (int i = 0; i < columns * 2; i++) {
			int dots = plot.rows * 4, at = plot_height(values[i], top, dots);
			int count = 0, low, high;

			at = values[i] == PLOT_NOTHING ? -1 : at ? at - 1 : 0;
			low = before >= 0 && before < at ? before : at;
			high = before > at ? before : at;
			for (int k = 0; k < dots; k++)
				count += dot(&plot, k, i);
			if (at < 0) {
				assert_int_equal(count, 0);
			} else {
				for (int k = low; k <= high; k++)
					assert_true(dot(&plot, k, i));
				assert_int_equal(count, high - low + 1);
			}
			before = at;
		}
		plot_release(&plot);
	}
}

/* Full, three dots, one, none; a line alone, a line over an area. */
static void test_plain(void **state)
{
	uint64_t area[] = {8, 8, 4, 2, 1, 0, 0, 0, 0, 0, 8, 8};
	uint64_t line[] = {PLOT_NOTHING,
			   PLOT_NOTHING,
			   PLOT_NOTHING,
			   PLOT_NOTHING,
			   PLOT_NOTHING,
			   PLOT_NOTHING,
			   PLOT_NOTHING,
			   PLOT_NOTHING,
			   3,
			   3,
			   3,
			   3};
	const char *expected = "#:. -+";
	struct plot plot;

	(void)state;
	assert_int_equal(plot_init(&plot, 1, 6), 0);
	plot_area(&plot, area, 8);
	plot_line(&plot, line, 8);
	for (int i = 0; i < 6; i++)
		assert_int_equal(plot_plain(&plot, 0, i), expected[i]);
	plot_release(&plot);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_heights),
	    cmocka_unit_test(test_areas),
	    cmocka_unit_test(test_lines),
	    cmocka_unit_test(test_plain),
	};

	seed = seed_choose();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
