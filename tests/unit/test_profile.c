/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analyzer/model/profile.h"
#include "analyzer/query/sites.h"
#include "formats/error.h"
#include "tests/unit/sample_trace.h"
#include "tests/unit/seed.h"

static uint64_t seed;

static uint32_t random_below(uint32_t limit)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 11) % limit;
}

static void check_totals(const struct sample *sample, const struct profile *profile)
{
	const struct profile_totals *totals = &profile->totals;

	assert_int_equal(totals->allocations, sample->allocations);
	assert_int_equal(totals->deallocations, sample->deallocations);
	assert_int_equal(totals->reallocations, sample->reallocations);
	assert_int_equal(totals->temporary, sample->temporary);
	assert_int_equal(totals->bytes, sample->bytes);
	assert_int_equal(totals->peak_bytes, sample->peak_bytes);
	assert_int_equal(totals->peak_blocks, sample->peak_blocks);
	assert_int_equal(totals->peak_tick, sample->peak_tick);
	assert_int_equal(totals->leaked_blocks, sample->live_blocks);
	assert_int_equal(totals->leaked_bytes, sample->live_bytes);
}

static void check_classes(const struct sample *sample, const struct profile *profile)
{
	assert_int_equal(profile->class_count, sample->class_count + 1);
	for (uint32_t i = 1; i <= sample->class_count; i++) {
		assert_int_equal(profile->classes[i].size, sample->class_size[i]);
		assert_int_equal(profile->classes[i].allocations, sample->classes[i].allocations);
		assert_int_equal(profile->classes[i].deallocations,
				 sample->classes[i].deallocations);
		assert_int_equal(profile->classes[i].temporary, sample->classes[i].temporary);
		assert_int_equal(profile->classes[i].peak_live, sample->classes[i].peak_live);
	}
	assert_int_equal(profile->thread_count, sample->threads + 1);
	for (uint32_t i = 1; i <= sample->threads; i++) {
		const struct trace_thread_counters *thread = &sample->thread_counters[i];

		assert_int_equal(profile->threads[i].allocations, thread->allocations);
		assert_int_equal(profile->threads[i].deallocations, thread->deallocations);
		assert_int_equal(profile->threads[i].temporary, thread->temporary);
		assert_int_equal(profile->threads[i].bytes, thread->bytes);
	}
}

/* Each figure over the sites, and over their stacks, is the total. */
static void check_sites(const struct profile *profile)
{
	struct sites sites;
	uint64_t leaked[2] = {0}, peak[2] = {0}, allocations[2] = {0}, temporary[2] = {0};
	uint64_t leaked_blocks = 0, bytes = 0;

	assert_int_equal(sites_init(&sites, profile, NULL), 0);
	for (size_t i = 0; i < sites.site_count; i++) {
		const struct cost *cost = &sites.sites[i].cost;

		leaked[0] += cost->leaked_bytes;
		peak[0] += cost->peak_bytes;
		allocations[0] += cost->allocations;
		temporary[0] += cost->temporary;
		leaked_blocks += cost->leaked_blocks;
		bytes += cost->bytes;
	}
	for (size_t i = 0; i < sites.stack_count; i++) {
		const struct cost *cost = &sites.stacks[i].cost;

		leaked[1] += cost->leaked_bytes;
		peak[1] += cost->peak_bytes;
		allocations[1] += cost->allocations;
		temporary[1] += cost->temporary;
	}
	for (int i = 0; i < 2; i++) {
		assert_int_equal(leaked[i], profile->totals.leaked_bytes);
		assert_int_equal(peak[i], profile->totals.peak_bytes);
		assert_int_equal(allocations[i], profile->totals.allocations);
		assert_int_equal(temporary[i], profile->totals.temporary);
	}
	for (uint32_t i = 1; i < profile->class_count; i++)
		allocations[1] -=
		    profile->classes[i].allocations * (sites.stack_of_class[i] < sites.stack_count);
	assert_int_equal(allocations[1], 0);
	assert_int_equal(leaked_blocks, profile->totals.leaked_blocks);
	assert_int_equal(bytes, profile->totals.bytes);
	sites_release(&sites);
}

static void check_both(const struct sample *sample, enum trace_state state, int complete)
{
	struct profile *profile;

	assert_int_equal(profile_load(&profile, sample->path), 0);
	assert_int_equal(profile->state, state);
	assert_int_equal(profile->rebuilt, !complete);
	check_totals(sample, profile);
	check_classes(sample, profile);
	check_sites(profile);
	profile_free(profile);
	assert_int_equal(profile_load_from_events(&profile, sample->path), 0);
	assert_int_equal(profile->state, state);
	assert_true(profile->rebuilt);
	check_totals(sample, profile);
	check_classes(sample, profile);
	check_sites(profile);
	profile_free(profile);
}

static void define_stacks(struct sample *sample, uint32_t classes)
{
	uint32_t module = sample_module(sample, 0x1000, "/bin/app");

	for (uint32_t i = 0; i < 40; i++)
		sample_node(sample, i ? random_below(i + 1) : 0, i % 5 ? module : 0,
			    random_below(20), i % 7 ? 0 : TRACE_NODE_GUESSED);
	for (uint32_t i = 0; i < classes; i++)
		sample_class(sample, random_below(41), random_below(6) * random_below(100));
}

static void random_events(struct sample *sample, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		uint32_t what = random_below(100);
		size_t block =
		    sample->block_count ? random_below((uint32_t)sample->block_count) : 0;
		uint32_t class_id = 1 + random_below(sample->class_count);

		if (what < 5)
			sample->tick += random_below(30);
		else if (what < 10)
			sample->thread = 1 + random_below(sample->threads);
		else if (what < 50 || !sample->block_count)
			sample_allocate(sample, class_id);
		else if (what < 60 && sample->blocks[sample->block_count - 1].live)
			sample_deallocate(sample, sample->block_count - 1);
		else if (what < 90 && sample->blocks[block].live)
			sample_deallocate(sample, block);
		else if (sample->blocks[block].live)
			sample_reallocate(sample, block, class_id);
	}
}

static void test_random_traces(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 60; round++) {
		struct sample *sample = sample_new(round % 2 ? TRACE_CODEC_ZLIB : TRACE_CODEC_NONE);
		int complete = round % 3 != 0;

		define_stacks(sample, 1 + random_below(200));
		for (unsigned i = 0; i <= round % 4; i++)
			sample_thread(sample, "worker");
		random_events(sample, 1u << (round % 14));
		if (complete)
			sample_finish(sample);
		else
			assert_int_equal(trace_writer_flush(sample->writer), 0);
		check_both(sample, complete ? TRACE_COMPLETE : TRACE_CUT, complete);
		sample_free_all(sample);
	}
}

/* By hand: 100 + 50, free 100, 120: the peak is 170, of the classes 2 and 3. */
static void test_peak_by_hand(void **state)
{
	struct sample *sample = sample_new(TRACE_CODEC_NONE);
	struct profile *profile;
	uint32_t module = sample_module(sample, 0, "/bin/app");
	uint32_t node = sample_node(sample, 0, module, 1, 0);
	size_t first;

	(void)state;
	sample_class(sample, node, 100);
	sample_class(sample, node, 50);
	sample_class(sample, node, 120);
	sample_thread(sample, "main");
	first = sample_allocate(sample, 1);
	sample_allocate(sample, 2);
	sample->tick = 5;
	sample_deallocate(sample, first);
	sample_allocate(sample, 3);
	sample->tick = 9;
	sample_deallocate(sample, 1);
	sample_allocate(sample, 2); /* 170 again: the first instant stays the peak */
	trace_writer_flush(sample->writer);
	assert_int_equal(profile_load(&profile, sample->path), 0);
	assert_int_equal(profile->totals.peak_bytes, 170);
	assert_int_equal(profile->totals.peak_blocks, 2);
	assert_int_equal(profile->totals.peak_tick, 5);
	assert_int_equal(profile->classes[1].peak_live, 0);
	assert_int_equal(profile->classes[2].peak_live, 1);
	assert_int_equal(profile->classes[3].peak_live, 1);
	assert_int_equal(profile->totals.leaked_bytes, 170);
	assert_int_equal(profile->totals.temporary, 0);
	assert_int_equal(profile->totals.end_tick, 9);
	profile_free(profile);
	sample_free_all(sample);
}

/* Only blocks of 0 bytes: no peak, but leaks. */
static void test_zero_sizes(void **state)
{
	struct sample *sample = sample_new(TRACE_CODEC_NONE);

	(void)state;
	sample_class(sample, 0, 0);
	sample_thread(sample, "main");
	for (int i = 0; i < 10; i++)
		sample_allocate(sample, 1);
	sample_deallocate(sample, 9);
	assert_int_equal(sample->temporary, 1);
	assert_int_equal(sample->live_blocks, 9);
	sample_finish(sample);
	check_both(sample, TRACE_COMPLETE, 1);
	sample_free_all(sample);
}

static void test_large_sizes(void **state)
{
	struct sample *sample = sample_new(TRACE_CODEC_NONE);

	(void)state;
	sample_class(sample, 0, UINT64_C(5000000000));
	sample_class(sample, 0, UINT64_C(1) << 60);
	sample_thread(sample, "main");
	sample_deallocate(sample, sample_allocate(sample, 2));
	for (int i = 0; i < 1000; i++)
		sample_allocate(sample, 1);
	sample_finish(sample);
	check_both(sample, TRACE_COMPLETE, 1);
	sample_free_all(sample);
}

/* Counters that do not add up are not believed: the events are. */
static void test_contradiction(void **state)
{
	struct sample *sample = sample_new(TRACE_CODEC_NONE);
	struct profile *profile;

	(void)state;
	sample_class(sample, 0, 10);
	sample_thread(sample, "main");
	sample_allocate(sample, 1);
	sample->peak_bytes = 11;
	sample_finish(sample);
	assert_int_equal(profile_load(&profile, sample->path), 0);
	assert_int_equal(profile->state, TRACE_DAMAGED);
	assert_non_null(profile->fault);
	assert_int_equal(profile->totals.peak_bytes, 10);
	profile_free(profile);
	sample_free_all(sample);
}

/* Whatever a file ends with, what is before the cut is there and adds up. */
static void test_cut_anywhere(void **state)
{
	struct sample *sample = sample_new(TRACE_CODEC_ZLIB);
	struct profile *profile;
	uint64_t size, allocations;

	(void)state;
	define_stacks(sample, 20);
	sample_thread(sample, "main");
	for (int i = 0; i < 10; i++) {
		random_events(sample, 100);
		trace_writer_flush(sample->writer);
	}
	sample_finish(sample);
	size = trace_writer_size(sample->writer);
	allocations = sample->allocations;
	while (size--) {
		int error;

		assert_int_equal(truncate(sample->path, (off_t)size), 0);
		error = profile_load(&profile, sample->path);
		if (size < TRACE_HEADER_BYTES) {
			assert_int_equal(error, size ? ERROR_CUT_OFF : ERROR_EMPTY);
			continue;
		}
		assert_int_equal(error, 0);
		assert_int_equal(profile->state, TRACE_CUT);
		assert_true(profile->totals.allocations <= allocations);
		allocations = profile->totals.allocations;
		check_sites(profile);
		profile_free(profile);
	}
	sample_free_all(sample);
}

static void test_what_is_said_of_it(void **state)
{
	struct sample *sample = sample_new(TRACE_CODEC_NONE);
	struct profile *profile;
	char *command;

	(void)state;
	sample_module(sample, 0, "/bin/app");
	sample_node(sample, 0, 1, 8, 0);
	sample_node(sample, 0, 0, 0, TRACE_NODE_CUT);
	sample_node(sample, 2, 1, 8, 0);
	sample_class(sample, 3, 10);
	sample_thread(sample, "one");
	trace_writer_thread(sample->writer, 1, 1001, "two", 3);
	sample_allocate(sample, 1);
	trace_writer_unknown_free(sample->writer, 3, 1, 0);
	trace_writer_unknown_free(sample->writer, 4, 1, 1);
	trace_writer_timeline(sample->writer, 20, 10, 1, 4096);
	trace_writer_flush(sample->writer);
	assert_int_equal(profile_load(&profile, sample->path), 0);
	command = profile_command(profile);
	assert_string_equal(command, "./app 'a b'");
	free(command);
	assert_int_equal(profile->pid, 77);
	assert_string_equal(profile->threads[1].name, "two");
	assert_int_equal(profile->nodes[1].location, profile->nodes[3].location);
	assert_int_not_equal(profile->nodes[1].location, profile->nodes[2].location);
	assert_int_equal(profile->end[TRACE_END_UNKNOWN_FREES], 1);
	assert_int_equal(profile->end[TRACE_END_INHERITED_FREES], 1);
	assert_int_equal(profile->end[TRACE_END_STACKS_CUT], 1);
	assert_int_equal(profile->end[TRACE_END_STACKS_UNKNOWN], 0);
	assert_int_equal(profile->totals.peak_rss, 4096);
	assert_int_equal(profile->totals.end_tick, 20);
	profile_free(profile);
	sample_free_all(sample);
}

static void test_not_traces(void **state)
{
	struct profile *profile;

	(void)state;
	assert_int_equal(profile_load(&profile, "/nonexistent"), ERROR_SYSTEM);
	assert_null(profile);
	assert_int_equal(profile_load(&profile, "/"), ERROR_DIRECTORY);
	assert_int_equal(profile_load(&profile, "/dev/null"), ERROR_EMPTY);
	assert_int_equal(profile_load(&profile, "/proc/self/exe"), ERROR_FOREIGN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_random_traces),      cmocka_unit_test(test_peak_by_hand),
	    cmocka_unit_test(test_zero_sizes),         cmocka_unit_test(test_large_sizes),
	    cmocka_unit_test(test_contradiction),      cmocka_unit_test(test_cut_anywhere),
	    cmocka_unit_test(test_what_is_said_of_it), cmocka_unit_test(test_not_traces),
	};

	seed = seed_choose();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
