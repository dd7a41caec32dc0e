/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <zlib.h>

#include "analyzer/model/health.h"
#include "analyzer/model/select.h"
#include "analyzer/query/details.h"
#include "formats/error.h"
#include "formats/trace/bytes.h"
#include "tests/unit/select_model.h"

static uint64_t seed;

static struct filter with(const char *const *expressions)
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

static struct profile *selection(const struct profile *profile, const struct filter *filter,
				 unsigned flags)
{
	struct profile *selected;
	char complaint[200];
	int error = profile_select(&selected, profile, filter, flags, complaint, sizeof(complaint));

	if (error)
		fail_msg("%s: %s", error_text(error), complaint);
	return selected;
}

/* --- against the model ------------------------------------------------------------------ */

static void add_range(struct model *model, struct filter *filter, enum filter_key key,
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

static void add_name(struct model *model, struct filter *filter, enum filter_key key)
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

static struct filter random_filter(struct model *model)
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

static struct model *random_model(unsigned round, struct profile **profile)
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

/* --- files ------------------------------------------------------------------------------ */

/* What was written after the profile was read is not in its selections either. */
static void test_grown(void **state)
{
	struct model *model = model_new(seed, TRACE_CODEC_NONE);
	struct filter filter = WITH("size=0..");
	struct profile *profile, *selected;

	(void)state;
	model_define(model, 20, 2);
	model_calls(model, 2000);
	assert_int_equal(trace_writer_flush(model->sample->writer), 0);
	assert_int_equal(profile_load(&profile, model->sample->path), 0);
	for (unsigned round = 0; round < 3; round++) {
		model_calls(model, 300);
		if (round == 1)
			sample_class(model->sample, 1, 64);
		if (round == 1)
			sample_thread(model->sample, "late");
		assert_int_equal(trace_writer_flush(model->sample->writer), 0);
		selected = selection(profile, &filter, 0);
		assert_memory_equal(&selected->totals, &profile->totals, sizeof(profile->totals));
		profile_free(selected);
	}
	profile_free(profile);
	filter_release(&filter);
	model_free_all(model);
}

static int select_error(const struct profile *profile, const struct filter *filter, char *complaint,
			size_t size)
{
	struct profile *selected;
	int error = profile_select(&selected, profile, filter, 0, complaint, size);

	assert_int_equal(error == 0, selected != NULL);
	profile_free(selected);
	return error;
}

static void test_other_files(void **state)
{
	struct profile *profile, *other_profile;
	struct model *model, *other;
	struct filter filter = WITH("size=0..");
	char complaint[200], *path;

	(void)state;
	model = random_model(7, &profile);
	other = random_model(8, &other_profile);
	path = profile->path;
	profile->path = other_profile->path;
	assert_int_equal(select_error(profile, &filter, complaint, sizeof(complaint)),
			 ERROR_FOREIGN);
	profile->path = NULL;
	assert_int_equal(select_error(profile, &filter, complaint, sizeof(complaint)),
			 ERROR_UNSUPPORTED);
	assert_non_null(strstr(complaint, "pipe"));
	profile->path = path;
	assert_int_equal(truncate(path, 100), 0);
	assert_int_equal(select_error(profile, &filter, complaint, sizeof(complaint)),
			 ERROR_FOREIGN);
	unlink(path);
	assert_int_equal(select_error(profile, &filter, complaint, sizeof(complaint)),
			 ERROR_SYSTEM);
	profile_free(profile);
	profile_free(other_profile);
	filter_release(&filter);
	model_free_all(model);
	model_free_all(other);
}

/* Counters went on when events had stopped; the peak came later. */
static void test_stopped_events(void **state)
{
	struct sample *sample = sample_new(TRACE_CODEC_NONE);
	struct profile *profile, *selected;
	struct filter filter = WITH("size=0..");
	char complaint[200] = "", line[200] = "";
	int found = 0;

	(void)state;
	sample_class(sample, 0, 100);
	sample_thread(sample, "main");
	sample->tick = 10;
	sample_allocate(sample, 1);
	sample->classes[1] = (struct trace_class_counters){.allocations = 5, .peak_live = 5};
	sample->thread_counters[1] = (struct trace_thread_counters){.allocations = 5, .bytes = 500};
	sample->allocations = sample->live_blocks = sample->peak_blocks = 5;
	sample->bytes = sample->live_bytes = sample->peak_bytes = 500;
	sample->tick = sample->peak_tick = 2000;
	trace_writer_end_number(sample->writer, TRACE_END_EVENTS_STOPPED, 11);
	sample_finish(sample);
	assert_int_equal(profile_load(&profile, sample->path), 0);
	assert_int_equal(profile->state, TRACE_COMPLETE);
	assert_int_equal(profile->totals.allocations, 5);
	selected = selection(profile, &filter, 0);
	assert_int_equal(selected->totals.allocations, 1);
	for (const struct health_item *item = health_items; item->label; item++)
		if (item->is_tick && health_misleads(selected, item) &&
		    health_item_text(selected, item, line, sizeof(line))) {
			found++;
			assert_string_equal(line,
					    "filtered figures end at: 0.010 s (the size limit)");
		}
	assert_int_equal(found, 1);
	profile_free(selected);
	filter_release(&filter);
	filter = (struct filter){.instant = FILTER_AT_PEAK};
	assert_int_equal(select_error(profile, &filter, complaint, sizeof(complaint)),
			 ERROR_UNSUPPORTED);
	assert_non_null(strstr(complaint, "peak"));
	profile_free(profile);
	sample_free_all(sample);
}

/* A byte of an event is wrong, and the counters are right. */
static void test_damaged_events(void **state)
{
	struct profile *profile;
	struct model *model = random_model(28, &profile);
	struct filter filter = WITH("size=0..");
	char complaint[200];
	unsigned damaged = 0;
	off_t size = (off_t)trace_writer_size(model->sample->writer);
	int fd = open(model->sample->path, O_RDWR);

	(void)state;
	for (off_t at = TRACE_HEADER_BYTES; at < size; at += 97) {
		struct profile *again;
		unsigned char byte;

		assert_int_equal(pread(fd, &byte, 1, at), 1);
		byte ^= 1;
		assert_int_equal(pwrite(fd, &byte, 1, at), 1);
		if (!profile_load(&again, model->sample->path)) {
			if (again->state == TRACE_COMPLETE) {
				assert_int_equal(
				    select_error(again, &filter, complaint, sizeof(complaint)),
				    ERROR_DAMAGED);
				damaged++;
			} else {
				assert_int_equal(
				    select_error(again, &filter, complaint, sizeof(complaint)), 0);
			}
			profile_free(again);
		}
		byte ^= 1;
		assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	}
	assert_true(damaged > 0);
	close(fd);
	profile_free(profile);
	filter_release(&filter);
	model_free_all(model);
}

/* Changes a byte of the payload of a random block, and makes its checksums right again. */
static void change_payload(struct model *model, uint8_t *bytes, size_t size)
{
	size_t at = TRACE_HEADER_BYTES, stored = 0;

	for (uint32_t blocks = model_random(model, 40);; blocks--) {
		stored = trace_get_u32(bytes + at + 8);
		if (stored && !blocks)
			break;
		blocks += !blocks;
		at += TRACE_BLOCK_HEADER_BYTES + stored;
		if (size - at < TRACE_BLOCK_HEADER_BYTES)
			at = TRACE_HEADER_BYTES;
	}
	bytes[at + TRACE_BLOCK_HEADER_BYTES + model_random(model, (uint32_t)stored)] ^=
	    (uint8_t)(1u << model_random(model, 8));
	trace_put_u32(bytes + at + 24,
		      (uint32_t)crc32(0, bytes + at + TRACE_BLOCK_HEADER_BYTES, (uInt)stored));
	trace_put_u32(bytes + at + 28, (uint32_t)crc32(0, bytes + at, 28));
}

static void select_all_ways(struct model *model, const struct profile *profile)
{
	for (unsigned i = 0; i < 4; i++) {
		struct filter filter = random_filter(model);
		uint32_t *group_of = calloc(profile->class_count, sizeof(*group_of));
		struct profile *selected;
		struct details *details;
		char complaint[200];

		if (!profile_select(&selected, profile, &filter, i % 2 ? SELECT_BY_THREAD : 0,
				    complaint, sizeof(complaint)))
			for (size_t j = 1; j < selected->class_count; j++) {
				assert_true(selected->classes[j].deallocations <=
					    selected->classes[j].allocations);
				assert_true(selected->classes[j].peak_live <=
					    selected->classes[j].allocations);
			}
		profile_free(selected);
		details_collect(&details, profile, &filter, group_of, 1);
		free(details);
		free(group_of);
		filter_release(&filter);
	}
}

/* Wrong contents behind right checksums: errors maybe, but nothing worse. */
static void test_wrong_contents(void **state)
{
	struct profile *profile;
	struct model *model = random_model(28, &profile); /* not compressed */
	size_t size = (size_t)trace_writer_size(model->sample->writer);
	uint8_t *bytes = malloc(size), *changed = malloc(size);
	int fd = open(model->sample->path, O_RDWR);

	(void)state;
	assert_int_equal(pread(fd, bytes, size, 0), (ssize_t)size);
	profile_free(profile);
	for (unsigned round = 0; round < 400; round++) {
		memcpy(changed, bytes, size);
		for (uint32_t i = 0; i <= model_random(model, 3); i++)
			change_payload(model, changed, size);
		assert_int_equal(pwrite(fd, changed, size, 0), (ssize_t)size);
		if (profile_load(&profile, model->sample->path))
			continue;
		select_all_ways(model, profile);
		profile_free(profile);
	}
	close(fd);
	free(bytes);
	free(changed);
	model_free_all(model);
}

/* --- heaptrack's files -------------------------------------------------------------------- */

static void check_unsupported(const struct profile *profile, const char *expression,
			      const char *says)
{
	struct filter filter = WITH(expression);
	char complaint[200] = "";

	assert_int_equal(select_error(profile, &filter, complaint, sizeof(complaint)),
			 ERROR_UNSUPPORTED);
	assert_non_null(strstr(complaint, says));
	filter_release(&filter);
}

/*
 *              live   of 16 bytes
 *   + 16         16   16
 *   + 32         48
 *   10 ms
 *   + 16         64   32: the peaks, at 10 ms
 *   - 32         32
 *   - 16         16   16
 *   20 ms
 *   + 16         32   32
 *   40 ms
 */
static const char heaptrack_text[] = "v 10400 3\nX ./x\nI 1000 fffff\n"
				     "s 6 /bin/x\ns 4 main\ns 3 x.c\ni 401000 1 2 3 5\nt 1 0\n"
				     "a 10 1\na 20 1\n"
				     "c 0\n+ 0\n+ 1\nc a\n+ 0\n- 1\n- 0\nc 14\n+ 0\nc 28\n";

static void test_heaptrack(void **state)
{
	char path[] = "/tmp/mallograph-test-XXXXXX", complaint[200];
	int fd = mkstemp(path);
	struct profile *profile, *selected;
	struct filter filter;

	(void)state;
	assert_int_equal(write(fd, heaptrack_text, sizeof(heaptrack_text) - 1),
			 sizeof(heaptrack_text) - 1);
	close(fd);
	assert_int_equal(profile_load(&profile, path), 0);

	filter = WITH("size=..20", "function=mai", "file=x.c", "module=bin");
	selected = selection(profile, &filter, 0);
	assert_int_equal(selected->totals.allocations, 3);
	assert_int_equal(selected->totals.leaked_bytes, 32);
	assert_int_equal(selected->totals.peak_bytes, 32);
	assert_int_equal(selected->totals.peak_tick, 10);
	profile_free(selected);
	filter_release(&filter);

	filter = WITH("size=0..");
	selected = selection(profile, &filter, 0);
	assert_memory_equal(&selected->totals, &profile->totals, sizeof(profile->totals));
	assert_int_equal(selected->point_count, profile->point_count);
	assert_memory_equal(selected->points, profile->points,
			    profile->point_count * sizeof(*profile->points));
	profile_free(selected);
	filter_release(&filter);

	filter = (struct filter){.instant = FILTER_AT_PEAK};
	selected = selection(profile, &filter, 0);
	assert_int_equal(selected->totals.allocations, 3);
	assert_int_equal(selected->totals.leaked_bytes, 64);
	profile_free(selected);

	check_unsupported(profile, "time=0..1", "lifetimes");
	check_unsupported(profile, "!lifetime=0..1", "lifetimes");
	check_unsupported(profile, "thread=x", "threads");
	filter = (struct filter){.temporary_threshold = 1};
	assert_int_equal(select_error(profile, &filter, complaint, sizeof(complaint)),
			 ERROR_UNSUPPORTED);
	filter = (struct filter){0};
	assert_int_equal(profile_select(&selected, profile, &filter, SELECT_BY_THREAD, complaint,
					sizeof(complaint)),
			 ERROR_UNSUPPORTED);
	assert_non_null(strstr(complaint, "threads"));
	unlink(path);
	profile_free(profile);
}

/* A term that can match nothing is told, and no error. */
static void test_remarks(void **state)
{
	static const struct {
		const char *expression, *says;
	} cases[] = {
	    {"thread=nobody", "no thread is called 'nobody'"},
	    {"!function=small99", "'small99'"},
	    {"module=\033", "'\\x1b'"},
	    {"file=head", ""},
	    {"thread=1001", ""},
	};
	struct profile *profile, *selected;
	struct model *model = random_model(8, &profile);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct filter filter = WITH(cases[i].expression);
		char remark[200] = "before";

		assert_int_equal(
		    profile_select(&selected, profile, &filter, 0, remark, sizeof(remark)), 0);
		if (*cases[i].says ? !strstr(remark, cases[i].says) : *remark)
			fail_msg("%s: '%s'", cases[i].expression, remark);
		profile_free(selected);
		filter_release(&filter);
	}
	profile_free(profile);
	model_free_all(model);
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
	    cmocka_unit_test(test_random_filters),
	    cmocka_unit_test(test_everything),
	    cmocka_unit_test(test_partitions),
	    cmocka_unit_test(test_range_by_hand),
	    cmocka_unit_test(test_grown),
	    cmocka_unit_test(test_other_files),
	    cmocka_unit_test(test_stopped_events),
	    cmocka_unit_test(test_damaged_events),
	    cmocka_unit_test(test_wrong_contents),
	    cmocka_unit_test(test_heaptrack),
	    cmocka_unit_test(test_remarks),
	    cmocka_unit_test(test_details),
	    cmocka_unit_test(test_details_by_thread),
	};
	const char *given = getenv("SEED");

	seed = given ? strtoull(given, NULL, 10) : (uint64_t)getpid() * 2654435761u + 1;
	print_message("SEED=%llu\n", (unsigned long long)seed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
