/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analyzer/model/lifetimes.h"
#include "formats/error.h"
#include "tests/unit/select_case.h"

/* Selections by lifetime for which more events must wait than memory is spent on, against
 * arithmetic; test_select.c has what fits. */

enum {
	START = 100,     /* ticks with temporary blocks only */
	TICKS = 1200,    /* those behind, in which blocks are kept, too */
	PER_TICK = 1000, /* of each kind */
	END = 2000,      /* tick at which the kept ones are given back */
	TEMPORARY = 8,   /* bytes of the one kind */
	KEPT = 16
};

/* Every tick has PER_TICK blocks of class 1, temporary. From START on one of class 2 comes before
 * each; all are given back at END, in order. */
static struct sample *many_blocks(void)
{
	struct sample *sample = sample_new(TRACE_CODEC_ZLIB);
	struct trace_writer *writer = sample->writer;

	sample_class(sample, 0, TEMPORARY);
	sample_class(sample, 0, KEPT);
	sample_thread(sample, "main");
	for (uint64_t tick = 0; tick < START + TICKS; tick++)
		for (unsigned i = 0; i < PER_TICK; i++) {
			if (tick >= START)
				assert_int_equal(trace_writer_allocation(writer, tick, 1, 2, 0), 0);
			assert_int_equal(trace_writer_temporary(writer, tick, 1, 1, 0), 0);
		}
	for (uint64_t tick = START; tick < START + TICKS; tick++)
		for (unsigned i = 0; i < PER_TICK; i++) {
			struct trace_deallocation dies = {.class_id = 2,
							  .allocating_thread = 1,
							  .age_ticks = END - tick,
							  .age_allocations = TRACE_RECENT};

			assert_int_equal(trace_writer_deallocation(writer, END, 1, &dies), 0);
		}
	assert_int_equal(trace_writer_flush(writer), 0);
	return sample;
}

static void check(const struct profile *profile, const char *expression, uint64_t kept_ticks,
		  int temporary)
{
	struct filter filter = WITH(expression);
	struct profile *selected = selection(profile, &filter, 0);
	const uint64_t kept = kept_ticks * PER_TICK;
	const uint64_t others = temporary ? (uint64_t)(START + TICKS) * PER_TICK : 0;

	assert_int_equal(selected->classes[1].allocations, others);
	assert_int_equal(selected->classes[1].temporary, others);
	assert_int_equal(selected->classes[2].allocations, kept);
	assert_int_equal(selected->classes[2].deallocations, kept);
	assert_int_equal(selected->classes[2].peak_live, kept);
	assert_int_equal(selected->totals.bytes, others * TEMPORARY + kept * KEPT);
	/* each temporary block lives beside all that were kept until then */
	assert_int_equal(selected->totals.peak_bytes, kept * KEPT + (temporary ? TEMPORARY : 0));
	assert_int_equal(selected->totals.leaked_blocks, 0);
	profile_free(selected);
	filter_release(&filter);
}

/* Up to a tick: what is kept then was not given back yet. */
static void check_at(const struct profile *profile, const char *expression, uint64_t tick,
		     uint64_t kept_ticks)
{
	struct filter filter = WITH(expression);
	struct profile *selected;

	filter.instant = FILTER_AT_TICK;
	filter.tick = tick;
	selected = selection(profile, &filter, 0);
	assert_int_equal(selected->totals.temporary, (tick + 1) * PER_TICK);
	assert_int_equal(selected->totals.leaked_bytes, kept_ticks * PER_TICK * KEPT);
	profile_free(selected);
	filter_release(&filter);
}

/* What was kept from tick B on lives for END - B ticks. */
static void test_long_line(void **state)
{
	struct sample *sample = many_blocks();
	struct profile *profile;

	(void)state;
	assert_int_equal(profile_load(&profile, sample->path), 0);
	/* from tick 1001 on; those of tick 100 to 1000 keep all waiting until they are a second old
	 */
	check(profile, "lifetime=..1s", START + TICKS - 1001, 1);
	/* tick 500 to 1000 */
	check(profile, "lifetime=1s..1501ms", 501, 0);
	check_at(profile, "lifetime=..1s", 1150, 150);
	/* nothing waits: no bound can come */
	check(profile, "lifetime=..1m", TICKS, 1);
	check(profile, "lifetime=1ms..1m", TICKS, 0);
	profile_free(profile);
	sample_free_all(sample);
}

static int count_given(void *context, const struct trace_event *events, size_t count)
{
	(void)events;
	*(size_t *)context += count;
	return 0;
}

/* A file of which the second scan finds more than the first. */
static void test_other_file(void **state)
{
	enum { SLICE = 256, SLICES = (1 << 22) / SLICE };
	const struct profile profile = {.thread_count = 2};
	struct range from_two = {.from = 2, .length = END};
	const struct ranges ranges = {.list = &from_two, .count = 1};
	static struct trace_event events[SLICE];
	uint8_t verdict[SLICE];
	struct lifetimes *lifetimes;
	size_t given = 0;
	int again = 0;

	(void)state;
	memset(verdict, 1, sizeof(verdict));
	for (unsigned i = 0; i < SLICE; i++)
		events[i] = (struct trace_event){.operation = TRACE_OPERATION_ALLOCATION,
						 .thread = 1,
						 .allocating_thread = 1,
						 .class_id = 1,
						 .tick = 1};
	assert_int_equal(lifetimes_new(&lifetimes, &profile, &ranges, END, count_given, &given), 0);
	for (int i = 0; i < SLICES; i++)
		assert_int_equal(lifetimes_take(lifetimes, events, SLICE, verdict, 0), 0);
	assert_int_equal(lifetimes_finish(lifetimes, &again), 0);
	assert_int_equal(again, 1);
	assert_int_equal(given, 0);
	for (int i = 0; i < SLICES; i++)
		assert_int_equal(lifetimes_take(lifetimes, events, SLICE, verdict, 0), 0);
	assert_int_equal(given, SLICES * SLICE);
	assert_int_equal(lifetimes_take(lifetimes, events, SLICE, verdict, 0), ERROR_FOREIGN);
	lifetimes_free(lifetimes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_long_line),
					   cmocka_unit_test(test_other_file)};

	set_seed();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
