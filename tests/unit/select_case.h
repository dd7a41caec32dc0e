/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_TEST_SELECT_CASE_H
#define MALLOGRAPH_TEST_SELECT_CASE_H

/*
 * What the tests of selections begin with: random traces, random filters, and filters as users
 * write them. Header only: every unit test is one file. Include cmocka.h first.
 */

#include "analyzer/model/select.h"
#include "formats/error.h"
#include "tests/unit/seed.h"
#include "tests/unit/select_model.h"

static uint64_t seed; /* that main() sets with set_seed() */

static inline struct filter with(const char *const *expressions)
{
	struct filter filter = {0};
	char complaint[200];

	for (; *expressions; expressions++) {
		int exclude = **expressions == '!';

		assert_int_equal(filter_add(&filter, *expressions + exclude, exclude, complaint,
					    sizeof(complaint)),
				 0);
	}
	return filter;
}
#define WITH(...) with((const char *const[]){__VA_ARGS__, NULL})

static inline struct profile *selection(const struct profile *profile, const struct filter *filter,
					unsigned flags)
{
	struct profile *selected;
	char complaint[200];
	int error = profile_select(&selected, profile, filter, flags, complaint, sizeof(complaint));

	if (error)
		fail_msg("%s: %s", error_text(error), complaint);
	return selected;
}

static inline void add_range(struct model *model, struct filter *filter, enum filter_key key,
			     uint32_t limit)
{
	struct filter_term *term = &filter->terms[filter->count++];

	*term = (struct filter_term){.key = key, .to = UINT64_MAX};
	term->exclude = model_random(model, 4) == 0;
	if (model_random(model, 4))
		term->from = model_random(model, limit);
	if (model_random(model, 4))
		term->to = term->from + 1 + model_random(model, limit);
}

static inline void add_name(struct model *model, struct filter *filter, enum filter_key key)
{
	static const char *const names[][4] = {
	    [FILTER_THREAD] = {"worker", "1001", "main", "nobody"},
	    [FILTER_FUNCTION] = {"fn1", "small", "fn3", "all1"},
	    [FILTER_FILE] = {"src2", "head", ".c", "none"},
	    [FILTER_MODULE] = {"lib", "two", "/bin/app", "libone.so"},
	};
	struct filter_term *term = &filter->terms[filter->count++];

	*term = (struct filter_term){.key = key};
	term->exclude = model_random(model, 3) == 0;
	term->text = strdup(names[key][model_random(model, 4)]);
}

static inline struct filter random_filter(struct model *model)
{
	struct filter filter = {.terms = calloc(6, sizeof(*filter.terms))};
	uint32_t end = (uint32_t)model->sample->tick + 2;

	for (uint32_t terms = model_random(model, 5); terms--;) {
		enum filter_key key = (enum filter_key)model_random(model, FILTER_MODULE + 1);

		if (key == FILTER_TIME || key == FILTER_LIFETIME)
			add_range(model, &filter, key, key == FILTER_TIME ? end : end / 8 + 1);
		else if (key == FILTER_SIZE)
			add_range(model, &filter, key, 300);
		else
			add_name(model, &filter, key);
	}
	filter.instant = model_random(model, 2) ? FILTER_END : model_random(model, 3);
	filter.tick = filter.instant == FILTER_AT_TICK ? model_random(model, end) : 0;
	filter.temporary_threshold = model_random(model, 3) ? 0 : model_random(model, 5);
	return filter;
}

static inline struct model *random_model(unsigned round, struct profile **profile)
{
	struct model *model = model_new(seed + round * UINT64_C(0x9e3779b97f4a7c15) + 1,
					round % 2 ? TRACE_CODEC_ZLIB : TRACE_CODEC_NONE);

	model_define(model, 1 + model_random(model, 100), 1 + round % 6);
	for (unsigned i = 0; i < 8; i++) {
		model_calls(model, 1u << (round % 10));
		if (model_random(model, 2)) /* so that there are blocks of an earlier one */
			assert_int_equal(trace_writer_flush(model->sample->writer), 0);
	}
	if (round % 3)
		model_finish(model);
	else
		assert_int_equal(trace_writer_flush(model->sample->writer), 0);
	assert_int_equal(profile_load(profile, model->sample->path), 0);
	return model;
}

/* SEED=NUMBER in the environment repeats a run. */
static inline void set_seed(void)
{
	seed = seed_choose();
}

#endif
