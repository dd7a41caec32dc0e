/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analyzer/model/profile.h"
#include "analyzer/model/select.h"
#include "analyzer/query/timeline.h"
#include "formats/error.h"
#include "tests/unit/sample_trace.h"
#include "tests/unit/seed.h"

#define LOG_EVENTS 32768

static uint64_t seed;

static uint32_t random_below(uint32_t limit)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 11) % limit;
}

/* The slow model: every event is kept, and a state is what all events before it add up to. */
static struct entry {
	uint64_t tick;
	uint32_t class_id;
	int allocation;
} events[LOG_EVENTS];
static size_t event_count;

static void note(const struct sample *sample, uint32_t class_id, int allocation)
{
	assert_true(event_count < LOG_EVENTS);
	events[event_count++] = (struct entry){sample->tick, class_id, allocation};
}

static size_t allocate(struct sample *sample, uint32_t class_id)
{
	note(sample, class_id, 1);
	return sample_allocate(sample, class_id);
}

static void deallocate(struct sample *sample, size_t block)
{
	note(sample, sample->blocks[block].class_id, 0);
	sample_deallocate(sample, block);
}

struct state {
	uint64_t time, tick, heap, extra, blocks;
};

static struct state after(const struct sample *sample, size_t count, enum timeline_axis axis)
{
	struct state state = {0};

	for (size_t i = 0; i < count; i++) {
		uint64_t size = sample->class_size[events[i].class_id];
		uint64_t rounded = (size + 15) / 16 * 16;

		state.tick = events[i].tick;
		state.time = axis == TIMELINE_MS ? events[i].tick
			     : axis == TIMELINE_ALLOCATIONS
				 ? state.time + (events[i].allocation != 0)
				 : state.time + size;
		if (events[i].allocation) {
			state.heap += size;
			state.extra += rounded - size + 8;
			state.blocks++;
		} else {
			state.heap -= size;
			state.extra -= rounded - size + 8;
			state.blocks--;
		}
	}
	return state;
}

static void check_live(const struct timeline *timeline, const struct timeline_snapshot *snapshot,
		       size_t count)
{
	for (uint32_t class_id = 1; class_id < timeline->class_count; class_id++) {
		uint32_t live = 0;

		for (size_t i = 0; i < count; i++)
			if (events[i].class_id == class_id)
				live += events[i].allocation ? 1u : -1u;
		assert_int_equal(snapshot->live[class_id], live);
	}
}

static void check_snapshot(const struct timeline *timeline, size_t index, struct state state,
			   size_t count, unsigned every)
{
	const struct timeline_snapshot *snapshot = &timeline->snapshots[index];
	int detailed = every && index % every == every - 1;

	assert_true(index < timeline->count);
	assert_int_equal(snapshot->time, state.time);
	assert_int_equal(snapshot->tick, state.tick);
	assert_int_equal(snapshot->heap_bytes, state.heap);
	assert_int_equal(snapshot->extra_bytes, state.extra);
	assert_int_equal(snapshot->blocks, state.blocks);
	assert_true((snapshot->live != NULL) == (detailed || snapshot->peak));
	if (snapshot->live)
		check_live(timeline, snapshot, count);
}

static void check_peak(const struct profile *profile, const struct timeline *timeline)
{
	size_t peaks = 0;

	for (size_t i = 0; i < timeline->count; i++) {
		const struct timeline_snapshot *snapshot = &timeline->snapshots[i];

		if (!snapshot->peak)
			continue;
		peaks++;
		assert_int_equal(snapshot->heap_bytes, profile->totals.peak_bytes);
		assert_int_equal(snapshot->blocks, profile->totals.peak_blocks);
		assert_int_equal(snapshot->tick, profile->totals.peak_tick);
		for (uint32_t j = 1; j < profile->class_count; j++)
			assert_int_equal(snapshot->live[j], profile->classes[j].peak_live);
	}
	assert_int_equal(peaks, profile->totals.peak_bytes != 0);
}

/* The largest of interval [from, to), and of the state it begins with; to 0: no end. */
static struct state largest(const struct sample *sample, enum timeline_axis axis, uint64_t from,
			    uint64_t to, size_t *first, size_t *count)
{
	struct state best = after(sample, *first, axis);

	*count = *first;
	best.time = from;
	if (axis == TIMELINE_MS)
		best.tick = from;
	for (; *first < event_count; ++*first) {
		struct state state = after(sample, *first + 1, axis);

		if (to && state.time >= to)
			break;
		if (state.heap <= best.heap)
			continue;
		best = state;
		*count = *first + 1;
	}
	return best;
}

/* figures: the profile, or the selection from it by the filter */
static void check_against_model(const struct sample *sample, const struct profile *profile,
				const struct profile *figures,
				const struct timeline_options *options)
{
	uint64_t end = options->axis == TIMELINE_MS
			   ? sample->tick
			   : after(sample, event_count, options->axis).time;
	uint64_t intervals = options->snapshots - 2 < end ? options->snapshots - 2 : end ? end : 1;
	struct timeline timeline;
	size_t index = 0, first = 0, count;
	int was_idle = 1;
	struct state last = after(sample, event_count, options->axis);

	assert_int_equal(timeline_collect(&timeline, profile, options), 0);
	assert_int_equal(timeline.end_time, end);
	assert_true(timeline.count <= options->snapshots);
	check_snapshot(&timeline, index++, (struct state){0}, 0, options->detailed_every);
	for (uint64_t i = 0; i < intervals; i++) {
		uint64_t from = (i * end + intervals - 1) / intervals;
		uint64_t to = i + 1 < intervals ? ((i + 1) * end + intervals - 1) / intervals : 0;
		size_t before = first;
		struct state best = largest(sample, options->axis, from, to, &first, &count);
		int idle = first == before;

		if ((i || best.blocks) && !(idle && was_idle))
			check_snapshot(&timeline, index++, best, count, options->detailed_every);
		was_idle = idle;
	}
	last.time = end;
	last.tick = sample->tick;
	check_snapshot(&timeline, index++, last, event_count, options->detailed_every);
	assert_int_equal(timeline.count, index);
	assert_int_equal(last.heap, figures->totals.leaked_bytes);
	check_peak(figures, &timeline);
	timeline_discard(&timeline);
}

static void random_events(struct sample *sample, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		uint32_t what = random_below(100);
		size_t block =
		    sample->block_count ? random_below((uint32_t)sample->block_count) : 0;

		if (what < 8)
			sample->tick += random_below(what ? 5 : 500);
		else if (what < 55 || !sample->block_count)
			allocate(sample, 1 + random_below(sample->class_count));
		else if (sample->blocks[block].live)
			deallocate(sample, block);
	}
}

static void test_random_traces(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 40; round++) {
		struct sample *sample = sample_new(TRACE_CODEC_NONE);
		struct profile *profile;

		event_count = 0;
		for (uint32_t i = 0, classes = 1 + random_below(20); i < classes; i++)
			sample_class(sample, 0, random_below(4) * random_below(100));
		sample_thread(sample, "main");
		random_events(sample, 1u << (round % 11));
		sample_finish(sample);
		assert_int_equal(profile_load(&profile, sample->path), 0);
		for (int axis = TIMELINE_MS; axis <= TIMELINE_BYTES; axis++) {
			struct timeline_options options = {
			    .axis = (enum timeline_axis)axis,
			    .snapshots = 10 + random_below(60),
			    .detailed_every = random_below(4),
			};

			check_against_model(sample, profile, profile, &options);
		}
		profile_free(profile);
		sample_free_all(sample);
	}
}

/* Of the sizes 50 to 99 alone: the model forgets the others. */
static void forget_other_sizes(const struct sample *sample)
{
	size_t kept = 0;

	for (size_t i = 0; i < event_count; i++) {
		uint64_t size = sample->class_size[events[i].class_id];

		if (size >= 50 && size < 100)
			events[kept++] = events[i];
	}
	event_count = kept;
}

static void test_selection(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 20; round++) {
		struct sample *sample = sample_new(TRACE_CODEC_NONE);
		struct profile *profile, *selected;
		struct filter filter = {0};
		char why[100];

		event_count = 0;
		for (uint32_t i = 0, classes = 1 + random_below(20); i < classes; i++)
			sample_class(sample, 0, random_below(150));
		sample_thread(sample, "main");
		random_events(sample, 500);
		sample_finish(sample);
		forget_other_sizes(sample);
		assert_int_equal(profile_load(&profile, sample->path), 0);
		assert_int_equal(filter_add(&filter, "size=50..100", 0, why, sizeof(why)), 0);
		assert_int_equal(profile_select(&selected, profile, &filter, 0, why, sizeof(why)),
				 0);
		for (int axis = TIMELINE_MS; axis <= TIMELINE_BYTES; axis++) {
			struct timeline_options options = {
			    .axis = (enum timeline_axis)axis,
			    .snapshots = 30,
			    .detailed_every = 3,
			    .filter = &filter,
			};

			check_against_model(sample, profile, selected, &options);
			check_against_model(sample, selected, selected, &options);
		}
		filter_release(&filter);
		profile_free(selected);
		profile_free(profile);
		sample_free_all(sample);
	}
}

/*
 * By hand, 100 ms in 8 intervals of 12.5: 100 bytes at 0, 50 more at 1 ms for a moment; then
 * nothing until 30 ms, where the 100 go; 40 at 99, in the last one. RSS is sampled at 10 and 40 ms.
 */
static void test_by_hand(void **state)
{
	static const uint64_t times[] = {0, 1, 13, 25, 38, 99, 100};
	static const uint64_t heaps[] = {0, 150, 100, 100, 0, 40, 40};
	static const uint64_t rss[] = {0, 0, 7000, 7000, 7000, 9000, 9000};
	struct timeline_options options = {.axis = TIMELINE_MS, .snapshots = 10};
	struct sample *sample = sample_new(TRACE_CODEC_NONE);
	struct timeline timeline;
	struct profile *profile;
	size_t hundred, fifty;

	(void)state;
	sample_class(sample, 0, 100);
	sample_class(sample, 0, 50);
	sample_class(sample, 0, 40);
	sample_thread(sample, "main");
	hundred = sample_allocate(sample, 1);
	sample->tick = 1;
	fifty = sample_allocate(sample, 2);
	sample_deallocate(sample, fifty);
	trace_writer_timeline(sample->writer, 10, 100, 1, 7000);
	sample->tick = 30;
	sample_deallocate(sample, hundred);
	trace_writer_timeline(sample->writer, 40, 0, 0, 9000);
	sample->tick = 99;
	sample_allocate(sample, 3);
	sample->tick = 100;
	sample_finish(sample);
	assert_int_equal(profile_load(&profile, sample->path), 0);
	assert_int_equal(timeline_collect(&timeline, profile, &options), 0);
	assert_int_equal(timeline.count, 7);
	for (size_t i = 0; i < 7; i++) {
		assert_int_equal(timeline.snapshots[i].time, times[i]);
		assert_int_equal(timeline.snapshots[i].heap_bytes, heaps[i]);
		assert_int_equal(timeline.snapshots[i].rss, rss[i]);
		assert_int_equal(timeline.snapshots[i].peak, i == 1);
	}
	/* 8 for each block, and 12 and 14 to reach 112 and 64 */
	assert_int_equal(timeline.snapshots[1].extra_bytes, 8 + 12 + 8 + 14);
	assert_int_equal(timeline.snapshots[1].live[1], 1);
	assert_int_equal(timeline.snapshots[1].live[2], 1);
	assert_int_equal(timeline.snapshots[1].live[3], 0);
	timeline_discard(&timeline);
	profile_free(profile);
	sample_free_all(sample);
}

/* A block at 0, 20, 40 ... ms: what a time range or an instant leaves out, the axis does, too. */
static void test_selection_ends(void **state)
{
	static const struct {
		const char *range, *at;
		uint64_t end, heap;
	} cases[] = {
	    {NULL, NULL, 100, 60},          {"time=..50ms", NULL, 50, 30},
	    {"time=30ms..", NULL, 100, 40}, {NULL, "60ms", 60, 40},
	    {NULL, "10%", 10, 10},          {"time=..50ms", "20ms", 20, 20},
	    {"time=..9s", "end", 100, 60},
	};
	struct sample *sample = sample_new(TRACE_CODEC_NONE);
	struct profile *profile;

	(void)state;
	sample_class(sample, 0, 10);
	sample_thread(sample, "main");
	for (sample->tick = 0; sample->tick < 100; sample->tick += 20)
		sample_allocate(sample, 1);
	sample_allocate(sample, 1);
	sample_finish(sample);
	assert_int_equal(profile_load(&profile, sample->path), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct filter filter = {0};
		struct timeline_options options = {.snapshots = 20, .filter = &filter};
		struct timeline timeline;
		char why[100];

		if (cases[i].range)
			assert_int_equal(filter_add(&filter, cases[i].range, 0, why, sizeof(why)),
					 0);
		if (cases[i].at)
			assert_int_equal(
			    filter_set_instant(&filter, cases[i].at, 100, why, sizeof(why)), 0);
		assert_int_equal(timeline_collect(&timeline, profile, &options), 0);
		assert_int_equal(timeline.end_time, cases[i].end);
		assert_int_equal(timeline.snapshots[timeline.count - 1].time, cases[i].end);
		assert_int_equal(timeline.snapshots[timeline.count - 1].heap_bytes, cases[i].heap);
		timeline_discard(&timeline);
		filter_release(&filter);
	}
	profile_free(profile);
	sample_free_all(sample);
}

static void test_nothing_happens(void **state)
{
	struct timeline_options options = {.axis = TIMELINE_BYTES, .snapshots = 10};
	struct sample *sample = sample_new(TRACE_CODEC_NONE);
	struct timeline timeline;
	struct profile *profile;

	(void)state;
	sample_thread(sample, "main");
	sample_finish(sample);
	assert_int_equal(profile_load(&profile, sample->path), 0);
	assert_int_equal(timeline_collect(&timeline, profile, &options), 0);
	assert_int_equal(timeline.count, 2);
	assert_int_equal(timeline.end_time, 0);
	assert_int_equal(timeline.snapshots[1].heap_bytes, 0);
	assert_int_equal(timeline.snapshots[1].peak, 0);
	timeline_discard(&timeline);
	profile_free(profile);
	sample_free_all(sample);
}

/* Counters that agree among themselves, of one allocation more than the events have. */
static void test_contradiction(void **state)
{
	struct timeline_options options = {.axis = TIMELINE_MS, .snapshots = 10};
	struct sample *sample = sample_new(TRACE_CODEC_NONE);
	struct timeline timeline;
	struct profile *profile;

	(void)state;
	sample_class(sample, 0, 10);
	sample_thread(sample, "main");
	sample_deallocate(sample, sample_allocate(sample, 1));
	sample->allocations++;
	sample->bytes += 10;
	sample->live_blocks++;
	sample->live_bytes += 10;
	sample->classes[1].allocations++;
	sample->thread_counters[1].allocations++;
	sample->thread_counters[1].bytes += 10;
	sample_finish(sample);
	assert_int_equal(profile_load(&profile, sample->path), 0);
	assert_int_equal(profile->state, TRACE_COMPLETE);
	assert_int_equal(timeline_collect(&timeline, profile, &options), ERROR_DAMAGED);
	timeline_discard(&timeline);
	profile_free(profile);
	sample_free_all(sample);
}

/* Events stop at 50 ms, where 30 bytes live; the counters go on to a peak of 70. */
static void test_events_stopped(void **state)
{
	static const uint64_t ends[] = {50, 3, 30};
	struct sample *sample = sample_new(TRACE_CODEC_NONE);
	struct profile *profile;

	(void)state;
	sample_class(sample, 0, 10);
	sample_class(sample, 0, 40);
	sample_thread(sample, "main");
	for (int i = 0; i < 3; i++)
		sample_allocate(sample, 1);
	sample->tick = 50;
	trace_writer_end_number(sample->writer, TRACE_END_EVENTS_STOPPED, 1 + sample->tick);
	trace_writer_end_number(sample->writer, TRACE_END_EVENTS_STOPPED_BY,
				TRACE_STOPPED_BY_LIMIT);
	trace_writer_flush(sample->writer);
	trace_writer_limit(sample->writer, 1);
	sample->tick = 60;
	sample_allocate(sample, 2);
	sample->tick = 100;
	sample_finish(sample);
	assert_int_equal(profile_load(&profile, sample->path), 0);
	assert_int_equal(profile->totals.peak_bytes, 70);
	for (int axis = TIMELINE_MS; axis <= TIMELINE_BYTES; axis++) {
		struct timeline_options options = {.axis = (enum timeline_axis)axis,
						   .snapshots = 10};
		struct timeline timeline;

		assert_int_equal(timeline_collect(&timeline, profile, &options), 0);
		assert_int_equal(timeline.end_time, ends[axis]);
		assert_int_equal(timeline.snapshots[timeline.count - 1].tick, 50);
		assert_int_equal(timeline.snapshots[timeline.count - 1].heap_bytes, 30);
		timeline_discard(&timeline);
	}
	profile_free(profile);
	sample_free_all(sample);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_random_traces),   cmocka_unit_test(test_selection),
	    cmocka_unit_test(test_by_hand),         cmocka_unit_test(test_selection_ends),
	    cmocka_unit_test(test_nothing_happens), cmocka_unit_test(test_contradiction),
	    cmocka_unit_test(test_events_stopped),
	};

	seed = seed_choose();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
