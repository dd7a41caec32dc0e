/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analyzer/query/details.h"
#include "tests/unit/select_case.h"

/* --- against the model ------------------------------------------------------------------ */

static void check_totals(const struct profile *selected, const struct model_result *result,
			 const struct sample *sample)
{
	const struct profile_totals *totals = &selected->totals;
	struct profile_totals sum = {0};

	for (uint32_t i = 1; i <= sample->class_count; i++) {
		const struct model_figures *figures = &result->figures[i][0];

		sum.allocations += figures->allocations;
		sum.deallocations += figures->deallocations;
		sum.temporary += figures->temporary;
		sum.bytes += figures->allocations * sample->class_size[i];
	}
	assert_int_equal(totals->allocations, sum.allocations);
	assert_int_equal(totals->deallocations, sum.deallocations);
	assert_int_equal(totals->temporary, sum.temporary);
	assert_int_equal(totals->bytes, sum.bytes);
	assert_int_equal(totals->peak_bytes, result->peak_bytes);
	assert_int_equal(totals->peak_blocks, result->peak_blocks);
	assert_int_equal(totals->peak_tick, result->peak_tick);
	assert_int_equal(totals->leaked_bytes, result->live_bytes);
	assert_int_equal(totals->leaked_blocks, result->live_blocks);
	assert_int_equal(totals->end_tick, selected->whole->totals.end_tick);
}

static void check_class(const struct profile_class *class_, const struct model_figures *figures)
{
	assert_int_equal(class_->allocations, figures->allocations);
	assert_int_equal(class_->deallocations, figures->deallocations);
	assert_int_equal(class_->temporary, figures->temporary);
	assert_int_equal(class_->peak_live, figures->peak_live);
}

static void check_threads(const struct profile *selected, const struct model_result *result,
			  const struct sample *sample)
{
	for (uint32_t thread = 1; thread <= sample->threads; thread++) {
		struct profile_thread sum = {0};

		for (uint32_t i = 1; i <= sample->class_count; i++) {
			const struct model_figures *figures = &result->figures[i][thread];

			sum.allocations += figures->allocations;
			sum.deallocations += figures->deallocations;
			sum.temporary += figures->temporary;
			sum.bytes += figures->allocations * sample->class_size[i];
		}
		assert_int_equal(selected->threads[thread].allocations, sum.allocations);
		assert_int_equal(selected->threads[thread].deallocations, sum.deallocations);
		assert_int_equal(selected->threads[thread].temporary, sum.temporary);
		assert_int_equal(selected->threads[thread].bytes, sum.bytes);
	}
}

static void check_points(const struct model *model, const struct profile *selected,
			 const struct filter *filter)
{
	size_t step = selected->point_count / 8 + 1;

	for (size_t i = 0; i < selected->point_count; i += step) {
		const struct trace_point *point = &selected->points[i];
		struct model_result *then = model_select(model, filter, point->tick);

		assert_int_equal(point->tick, selected->whole->points[i].tick);
		assert_int_equal(point->rss, selected->whole->points[i].rss);
		assert_int_equal(point->live_bytes, then->live_bytes);
		assert_int_equal(point->live_blocks, then->live_blocks);
		free(then);
	}
}

static void check_selection(const struct model *model, const struct profile *profile,
			    const struct filter *filter)
{
	const struct sample *sample = model->sample;
	struct profile *selected = selection(profile, filter, 0);
	struct model_result *result = model_select(model, filter, UINT64_MAX);

	check_totals(selected, result, sample);
	check_threads(selected, result, sample);
	assert_int_equal(selected->class_count, sample->class_count + 1);
	for (uint32_t i = 1; i <= sample->class_count; i++)
		check_class(&selected->classes[i], &result->figures[i][0]);
	if (!filter_is_empty(filter))
		check_points(model, selected, filter);
	profile_free(selected);

	selected = selection(profile, filter, SELECT_BY_THREAD);
	check_totals(selected, result, sample);
	check_threads(selected, result, sample);
	for (size_t i = 1; i < selected->class_count; i++) {
		const struct profile_class *class_ = &selected->classes[i];

		assert_int_equal(class_->size, sample->class_size[class_->whole]);
		assert_int_equal(class_->node, model->class_node[class_->whole]);
		check_class(class_, &result->figures[class_->whole][class_->thread]);
		/* no part is there twice */
		memset(&result->figures[class_->whole][class_->thread], 0xff,
		       sizeof(struct model_figures));
	}
	for (uint32_t i = 1; i <= sample->class_count; i++)
		for (uint32_t j = 1; j <= sample->threads; j++)
			assert_true(!result->figures[i][j].allocations ||
				    result->figures[i][j].allocations == UINT64_MAX);
	profile_free(selected);
	free(result);
}

static void test_random_filters(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 60; round++) {
		struct profile *profile;
		struct model *model = random_model(round, &profile);

		for (unsigned i = 0; i < 12; i++) {
			struct filter filter = random_filter(model);

			check_selection(model, profile, &filter);
			filter_release(&filter);
		}
		profile_free(profile);
		model_free_all(model);
	}
}

/* --- what must add up ------------------------------------------------------------------- */

/* A filter that everything passes, but that is not empty. */
static void test_everything(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 20; round++) {
		struct profile *profile, *selected;
		struct model *model = random_model(round, &profile);
		struct filter filter = WITH("time=0..", "!size=1G..");

		selected = selection(profile, &filter, 0);
		for (size_t i = 0; i < profile->class_count; i++)
			assert_memory_equal(&selected->classes[i], &profile->classes[i],
					    sizeof(*selected->classes));
		for (size_t i = 0; i < profile->thread_count; i++)
			assert_memory_equal(&selected->threads[i], &profile->threads[i],
					    sizeof(*selected->threads));
		/* the random calls have no reallocations */
		assert_memory_equal(&selected->totals, &profile->totals, sizeof(profile->totals));
		if (profile->rebuilt)
			assert_memory_equal(selected->end, profile->end, sizeof(profile->end));
		profile_free(selected);
		filter_release(&filter);
		profile_free(profile);
		model_free_all(model);
	}
}

static void add_figures(struct profile_totals *sum, const struct profile *profile,
			const char *expression)
{
	struct filter filter = WITH(expression);
	struct profile *selected = selection(profile, &filter, 0);

	sum->allocations += selected->totals.allocations;
	sum->bytes += selected->totals.bytes;
	sum->temporary += selected->totals.temporary;
	sum->leaked_blocks += selected->totals.leaked_blocks;
	sum->leaked_bytes += selected->totals.leaked_bytes;
	profile_free(selected);
	filter_release(&filter);
}

static void check_sum(const struct profile_totals *sum, const struct profile *profile, int leaked)
{
	assert_int_equal(sum->allocations, profile->totals.allocations);
	assert_int_equal(sum->bytes, profile->totals.bytes);
	assert_int_equal(sum->temporary, profile->totals.temporary);
	if (leaked) {
		assert_int_equal(sum->leaked_blocks, profile->totals.leaked_blocks);
		assert_int_equal(sum->leaked_bytes, profile->totals.leaked_bytes);
	}
}

/* Slices of a key from 0, cut at random places. */
static void check_slices(struct model *model, const struct profile *profile, const char *key,
			 const char *unit, uint32_t limit, int leaked)
{
	struct profile_totals sum = {0};
	uint32_t from = 0, to;
	char expression[64];

	do {
		to = from + 1 + model_random(model, limit / 3 + 1);
		if (to <= limit)
			snprintf(expression, sizeof(expression), "%s=%u%s..%u%s", key, from, unit,
				 to, unit);
		else
			snprintf(expression, sizeof(expression), "%s=%u%s..", key, from, unit);
		add_figures(&sum, profile, expression);
		from = to;
	} while (to <= limit);
	check_sum(&sum, profile, leaked);
}

static void test_partitions(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 20; round++) {
		struct profile *profile;
		struct model *model = random_model(round, &profile);
		struct profile_totals sum = {0};

		for (uint32_t i = 1; i <= model->sample->threads; i++) {
			char expression[32];

			snprintf(expression, sizeof(expression), "thread=%u", 1000 + i);
			add_figures(&sum, profile, expression);
		}
		check_sum(&sum, profile, 1);
		check_slices(model, profile, "size", "", 500, 1);
		check_slices(model, profile, "time", "ms", (uint32_t)model->end, 0);
		check_slices(model, profile, "lifetime", "ms", (uint32_t)model->end, 1);
		profile_free(profile);
		model_free_all(model);
	}
}

/* --- by hand ---------------------------------------------------------------------------- */

/*
 * 1 s: a (100, temporary but freed at 3 s), 2 s: b (50), 3 s: a freed, c (200), 4 s: b freed,
 * 5 s: the end. Between 1 s and 3 s: a and b, both alive then.
 */
static void test_range_by_hand(void **state)
{
	struct sample *sample = sample_new(TRACE_CODEC_NONE);
	struct profile *profile, *selected;
	struct filter filter;
	size_t a, b;

	(void)state;
	sample_class(sample, 0, 100);
	sample_class(sample, 0, 50);
	sample_class(sample, 0, 200);
	sample_thread(sample, "other");
	sample_thread(sample, "main");
	sample->tick = 1000;
	a = sample_allocate(sample, 1);
	sample->tick = 2000;
	sample->thread = 1;
	b = sample_allocate(sample, 2);
	sample->thread = 2;
	sample->tick = 3000;
	sample_deallocate(sample, a);
	sample_allocate(sample, 3);
	sample->tick = 4000;
	sample_deallocate(sample, b);
	sample->tick = 5000;
	sample_finish(sample);
	assert_int_equal(profile_load(&profile, sample->path), 0);

	filter = WITH("time=1s..3s");
	selected = selection(profile, &filter, 0);
	assert_int_equal(selected->totals.allocations, 2);
	assert_int_equal(selected->totals.deallocations, 0);
	assert_int_equal(selected->totals.temporary, 2);
	assert_int_equal(selected->totals.leaked_bytes, 150);
	assert_int_equal(selected->totals.peak_bytes, 150);
	assert_int_equal(selected->totals.peak_tick, 2000);
	profile_free(selected);
	filter_release(&filter);

	/* what is never given back lives until the end: c for 2 s, as a and b did */
	filter = WITH("lifetime=2s..2001ms");
	selected = selection(profile, &filter, 0);
	assert_int_equal(selected->totals.allocations, 3);
	assert_int_equal(selected->totals.leaked_blocks, 1);
	profile_free(selected);
	filter_release(&filter);

	filter = (struct filter){.instant = FILTER_AT_PEAK};
	selected = selection(profile, &filter, 0);
	assert_int_equal(selected->totals.allocations, 3);
	assert_int_equal(selected->totals.leaked_bytes, 250);
	assert_int_equal(selected->totals.temporary, 1);
	profile_free(selected);

	filter = (struct filter){.instant = FILTER_AT_TICK, .tick = 2999};
	selected = selection(profile, &filter, 0);
	assert_int_equal(selected->totals.leaked_bytes, 150);
	assert_int_equal(selected->totals.temporary, 0);
	profile_free(selected);
	profile_free(profile);
	sample_free_all(sample);
}

/* --- details ---------------------------------------------------------------------------- */

struct slow_details {
	struct details details;
	uint64_t live, by_thread[SAMPLE_THREADS];
};

static void count_slowly(struct slow_details *slow, const struct model *model,
			 const struct model_call *call, int late)
{
	const struct sample_block *block = &model->sample->blocks[call->block];
	struct details *details = &slow->details;
	uint64_t size = model->sample->class_size[block->class_id];
	uint64_t age = call->tick - block->tick;

	if (call->is_free) {
		slow->live -= late ? 0 : size;
		if (!details->lifetime_count++ || age < details->lifetime_least)
			details->lifetime_least = age;
		details->lifetime_sum += age;
		if (age > details->lifetime_most)
			details->lifetime_most = age;
		return;
	}
	slow->live += size;
	if (slow->live > details->own_peak_bytes) {
		details->own_peak_bytes = slow->live;
		details->own_peak_tick = call->tick;
	}
	if (!details->threads)
		details->first_tick = call->tick;
	details->last_tick = call->tick;
	details->threads += !slow->by_thread[block->thread]++;
}

static void check_details(struct model *model, const struct profile *profile,
			  const struct filter *filter)
{
	uint32_t groups = 1 + model_random(model, 8), group_of[SAMPLE_CLASSES];
	struct slow_details *slow = calloc(groups, sizeof(*slow));
	uint64_t range_end = model_range_end(model, filter);
	size_t count = model_calls_until(model, filter);
	struct details *details;

	for (size_t i = 0; i < profile->class_count; i++)
		group_of[i] = i % 7 ? model_random(model, groups) : UINT32_MAX;
	for (size_t i = 0; i < count; i++) {
		const struct model_call *call = &model->calls[i];
		uint32_t group = group_of[model->sample->blocks[call->block].class_id];

		if (group != UINT32_MAX && model_selects(model, call->block, filter))
			count_slowly(&slow[group], model, call, call->tick >= range_end);
	}
	assert_int_equal(details_collect(&details, profile, filter, group_of, groups), 0);
	for (uint32_t i = 0; i < groups; i++) {
		struct details *wanted = &slow[i].details;

		for (uint32_t j = 1; j < SAMPLE_THREADS; j++)
			if (slow[i].by_thread[j] > wanted->thread_allocations) {
				wanted->thread_allocations = slow[i].by_thread[j];
				wanted->thread = j;
			}
		assert_memory_equal(wanted, &details[i], sizeof(*wanted));
	}
	free(details);
	free(slow);
}

static void test_details(void **state)
{
	static const struct filter everything;

	(void)state;
	for (unsigned round = 0; round < 30; round++) {
		struct profile *profile;
		struct model *model = random_model(round, &profile);

		check_details(model, profile, &everything);
		for (unsigned i = 0; i < 5; i++) {
			struct filter filter = random_filter(model);

			check_details(model, profile, &filter);
			filter_release(&filter);
		}
		profile_free(profile);
		model_free_all(model);
	}
}

/* Of a selection by thread groups are made of its parts. */
static void test_details_by_thread(void **state)
{
	static const struct filter everything;

	(void)state;
	for (unsigned round = 0; round < 20; round++) {
		struct profile *profile, *split;
		struct model *model = random_model(round, &profile);
		struct details *details;
		uint32_t *group_of;

		split = selection(profile, &everything, SELECT_BY_THREAD);
		group_of = calloc(split->class_count, sizeof(*group_of));
		for (size_t i = 1; i < split->class_count; i++)
			group_of[i] = split->classes[i].thread;
		assert_int_equal(
		    details_collect(&details, split, &everything, group_of, split->thread_count),
		    0);
		for (uint32_t i = 1; i < split->thread_count; i++) {
			const struct profile_thread *thread = &profile->threads[i];

			assert_int_equal(details[i].threads, thread->allocations != 0);
			assert_int_equal(details[i].thread, thread->allocations ? i : 0);
			assert_int_equal(details[i].thread_allocations, thread->allocations);
			assert_int_equal(details[i].lifetime_count, thread->deallocations);
		}
		free(details);
		free(group_of);
		profile_free(split);
		profile_free(profile);
		model_free_all(model);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_random_filters), cmocka_unit_test(test_everything),
	    cmocka_unit_test(test_partitions),     cmocka_unit_test(test_range_by_hand),
	    cmocka_unit_test(test_details),        cmocka_unit_test(test_details_by_thread),
	};

	set_seed();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
