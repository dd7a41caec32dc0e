/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analyzer/model/select.h"
#include "analyzer/query/curve.h"
#include "formats/error.h"
#include "tests/unit/sample_trace.h"
#include "tests/unit/seed.h"

#define TICKS 3000

static uint64_t seed;

static uint32_t random_below(uint32_t limit)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 11) % limit;
}

/* The slow model: each tick's highest instant, and what is behind it. */
static struct {
	uint64_t high, bytes, blocks;
} ticks[TICKS];

static void begin_tick(const struct sample *sample, uint64_t tick)
{
	assert_true(tick < TICKS);
	ticks[tick].high = ticks[tick].bytes = sample->live_bytes;
	ticks[tick].blocks = sample->live_blocks;
}

static void go_to(struct sample *sample, uint64_t tick)
{
	while (sample->tick < tick)
		begin_tick(sample, ++sample->tick);
}

static void note(const struct sample *sample)
{
	if (sample->live_bytes > ticks[sample->tick].high)
		ticks[sample->tick].high = sample->live_bytes;
	ticks[sample->tick].bytes = sample->live_bytes;
	ticks[sample->tick].blocks = sample->live_blocks;
}

static struct sample *random_trace(unsigned events)
{
	struct sample *sample = sample_new(TRACE_CODEC_NONE);

	for (uint32_t i = 0, classes = 1 + random_below(20); i < classes; i++)
		sample_class(sample, 0, random_below(4) * random_below(100));
	sample_thread(sample, "main");
	begin_tick(sample, 0);
	for (unsigned i = 0; i < events; i++) {
		uint32_t what = random_below(100);
		size_t block =
		    sample->block_count ? random_below((uint32_t)sample->block_count) : 0;

		if (what < 8 && sample->tick + 300 < TICKS)
			go_to(sample, sample->tick + random_below(what ? 5 : 300));
		else if (what < 55 || !sample->block_count)
			sample_allocate(sample, 1 + random_below(sample->class_count));
		else if (sample->blocks[block].live)
			sample_deallocate(sample, block);
		note(sample);
	}
	sample_finish(sample);
	return sample;
}

static void check_interval(const struct curve *curve, size_t i)
{
	const struct curve_interval *interval = &curve->intervals[i];
	uint64_t to = i + 1 < curve->count ? interval[1].from : curve->to;
	uint64_t high = interval->from ? ticks[interval->from - 1].bytes : 0;
	uint64_t best = interval->from;

	assert_true(to > interval->from);
	for (uint64_t tick = interval->from; tick < to; tick++) {
		high = ticks[tick].high > high ? ticks[tick].high : high;
		best = ticks[tick].bytes > ticks[best].bytes ? tick : best;
		assert_int_equal(curve_find(curve, tick), i);
	}
	assert_int_equal(interval->high, high);
	assert_int_equal(interval->tick, best);
	assert_int_equal(interval->bytes, ticks[best].bytes);
	assert_int_equal(interval->blocks, ticks[best].blocks);
}

/* Columns take each interval once, in order; narrower than these, they repeat one. */
static void check_columns(const struct curve *curve, uint64_t from, uint64_t to, size_t count)
{
	struct curve_column *columns = calloc(count, sizeof(*columns));

	assert_non_null(columns);
	curve_columns(curve, from, to, columns, count);
	for (size_t i = 0; i < count; i++) {
		uint64_t start = curve_column_tick(from, to, i, count);
		uint64_t end = curve_column_tick(from, to, i + 1, count);
		size_t first = SIZE_MAX, found = 0, before = 0;
		uint64_t high = 0, bytes = 0;

		for (size_t k = 0; k < curve->count; k++) {
			uint64_t begins = curve->intervals[k].from;

			before = begins < start ? k : before;
			if (begins < start || begins >= end)
				continue;
			first = found++ ? first : k;
		}
		if (!found) {
			first = before;
			found = 1;
		}
		assert_int_equal(columns[i].first, first);
		assert_int_equal(columns[i].count, found);
		for (size_t k = first; k < first + found; k++) {
			const struct curve_interval *interval = &curve->intervals[k];

			high = interval->high > high ? interval->high : high;
			bytes = interval->bytes > bytes ? interval->bytes : bytes;
		}
		assert_int_equal(curve->intervals[columns[i].highest].high, high);
		assert_int_equal(curve->intervals[columns[i].best].bytes, bytes);
	}
	free(columns);
}

static void test_random_traces(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 60; round++) {
		struct sample *sample = random_trace(1u << (round % 11));
		uint64_t end = sample->tick + 1;
		struct profile *profile;

		assert_int_equal(profile_load(&profile, sample->path), 0);
		for (unsigned i = 0; i < 6; i++) {
			struct curve_options options = {.to = end,
							.intervals = 1 + random_below(400)};
			struct curve curve;

			if (i) {
				options.from = random_below((uint32_t)end);
				options.to =
				    options.from + 1 + random_below((uint32_t)(end - options.from));
			}
			assert_int_equal(curve_collect(&curve, profile, &options), 0);
			assert_int_equal(curve.intervals[0].from, options.from);
			assert_true(curve.count <= options.intervals);
			assert_int_equal(curve.exact_to, options.to);
			for (size_t k = 0; k < curve.count; k++)
				check_interval(&curve, k);
			check_columns(&curve, options.from, options.to, 1 + random_below(300));
			curve_release(&curve);
		}
		profile_free(profile);
		sample_free_all(sample);
	}
}

/* An interval's tick is one that profile_select() gives the same figures for. */
static void test_as_select(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 10; round++) {
		struct sample *sample = random_trace(400);
		struct curve_options options = {.to = sample->tick + 1, .intervals = 7};
		struct profile *profile, *selected;
		struct filter size = {0};
		struct curve curve;
		char why[100];

		assert_int_equal(profile_load(&profile, sample->path), 0);
		if (round % 2) {
			assert_int_equal(filter_add(&size, "size=50..", 0, why, sizeof(why)), 0);
			options.filter = &size;
		}
		assert_int_equal(curve_collect(&curve, profile, &options), 0);
		for (size_t i = 0; i < curve.count; i++) {
			struct filter at = size;

			at.instant = FILTER_AT_TICK;
			at.tick = curve.intervals[i].tick;
			assert_int_equal(
			    profile_select(&selected, profile, &at, 0, why, sizeof(why)), 0);
			assert_int_equal(selected->totals.leaked_bytes, curve.intervals[i].bytes);
			assert_int_equal(selected->totals.leaked_blocks, curve.intervals[i].blocks);
			profile_free(selected);
		}
		curve_release(&curve);
		filter_release(&size);
		profile_free(profile);
		sample_free_all(sample);
	}
}

static struct sample *with_points(int stop)
{
	struct sample *sample = sample_new(TRACE_CODEC_NONE);
	size_t block;

	sample_class(sample, 0, 100);
	sample_class(sample, 0, 50);
	sample_thread(sample, "main");
	sample_allocate(sample, 1);
	trace_writer_timeline(sample->writer, 10, 100, 1, 7000);
	sample->tick = 15;
	block = sample_allocate(sample, 2);
	sample_deallocate(sample, block);
	trace_writer_timeline(sample->writer, 20, 100, 1, 0);
	if (stop) {
		trace_writer_end_number(sample->writer, TRACE_END_EVENTS_STOPPED, 1 + 30);
		trace_writer_flush(sample->writer);
		trace_writer_limit(sample->writer, 1);
	}
	sample->tick = 35;
	sample_allocate(sample, 1);
	trace_writer_timeline(sample->writer, 40, 200, 2, 9000);
	sample->tick = 50;
	sample_finish(sample);
	return sample;
}

struct expected {
	uint64_t from, high, bytes;
};

static void check_by_hand(const struct curve *curve, const struct expected *expected, size_t count)
{
	assert_int_equal(curve->count, count);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(curve->intervals[i].from, expected[i].from);
		assert_int_equal(curve->intervals[i].tick, expected[i].from);
		assert_int_equal(curve->intervals[i].high, expected[i].high);
		assert_int_equal(curve->intervals[i].bytes, expected[i].bytes);
	}
}

/* The second allocation of 100 bytes at 35 is the peak; the point behind it comes at 40. */
static void test_points(void **state)
{
	static const struct expected expected[] = {
	    {0, 0, 0}, {10, 100, 100}, {20, 200, 100}, {40, 200, 200}, {50, 200, 200}};
	struct sample *sample = with_points(0);
	struct profile *profile;
	struct curve curve;

	(void)state;
	assert_int_equal(profile_load(&profile, sample->path), 0);
	assert_int_equal(curve_from_points(&curve, profile), 0);
	check_by_hand(&curve, expected, 5);
	assert_int_equal(curve.exact_to, 0);
	check_columns(&curve, 0, curve.to, 7);
	assert_int_equal(curve_rss(profile, 0, 10), 0);
	assert_int_equal(curve_rss(profile, 0, 11), 7000);
	assert_int_equal(curve_rss(profile, 20, 21), 7000);
	assert_int_equal(curve_rss(profile, 10, 41), 9000);
	assert_int_equal(curve_rss(profile, 90, 91), 9000);
	curve_release(&curve);
	profile_free(profile);
	sample_free_all(sample);
}

static void test_events_stopped(void **state)
{
	static const struct expected all[] = {{0, 100, 100},
					      {15, 150, 100},
					      {30, 200, 100},
					      {40, 200, 200}},
				     behind[] = {{38, 100, 100}, {40, 200, 200}};
	struct sample *sample = with_points(1);
	struct curve_options options = {.to = 45, .intervals = 3};
	struct profile *profile;
	struct curve curve;

	(void)state;
	assert_int_equal(profile_load(&profile, sample->path), 0);
	assert_int_equal(curve_collect(&curve, profile, &options), 0);
	assert_int_equal(curve.exact_to, 30);
	check_by_hand(&curve, all, 4);
	curve_release(&curve);
	options.from = 38;
	assert_int_equal(curve_collect(&curve, profile, &options), 0);
	assert_int_equal(curve.exact_to, 38);
	check_by_hand(&curve, behind, 2);
	curve_release(&curve);
	profile_free(profile);
	sample_free_all(sample);
}

static void test_nothing_happens(void **state)
{
	struct sample *sample = sample_new(TRACE_CODEC_NONE);
	struct curve_options options = {.to = 1, .intervals = 10};
	struct curve_column columns[3];
	struct profile *profile;
	struct curve curve;

	(void)state;
	sample_thread(sample, "main");
	sample_finish(sample);
	assert_int_equal(profile_load(&profile, sample->path), 0);
	assert_int_equal(curve_collect(&curve, profile, &options), 0);
	assert_int_equal(curve.count, 1);
	assert_int_equal(curve.intervals[0].high, 0);
	curve_columns(&curve, 0, 1, columns, 3);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(columns[i].count, 1);
	curve_release(&curve);
	assert_int_equal(curve_from_points(&curve, profile), 0);
	assert_int_equal(curve.count, 1);
	curve_release(&curve);
	options.to = 0;
	assert_int_equal(curve_collect(&curve, profile, &options), 0);
	assert_int_equal(curve.count, 0);
	curve_release(&curve);
	profile_free(profile);
	sample_free_all(sample);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_random_traces),   cmocka_unit_test(test_as_select),
	    cmocka_unit_test(test_points),          cmocka_unit_test(test_events_stopped),
	    cmocka_unit_test(test_nothing_happens),
	};

	seed = seed_choose();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
