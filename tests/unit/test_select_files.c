/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <zlib.h>

#include "analyzer/model/health.h"
#include "analyzer/query/details.h"
#include "formats/trace/bytes.h"
#include "tests/unit/select_case.h"

/* Selections of files that are cut off, damaged, changed since, or another tool's; what they do not
 * hold. test_select.c checks the figures. */

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

/* What the profile has read is not read again: nodes that were overwritten since change nothing. */
static void test_damaged_nodes(void **state)
{
	struct profile *profile, *selected;
	struct model *model = random_model(28, &profile);
	struct filter filter = WITH("size=0..", "!function=nothing of that name");
	size_t size = (size_t)trace_writer_size(model->sample->writer), at = TRACE_HEADER_BYTES;
	uint8_t *bytes = malloc(size);
	int fd = open(model->sample->path, O_RDWR);

	(void)state;
	assert_int_equal(profile->state, TRACE_COMPLETE);
	assert_int_equal(pread(fd, bytes, size, 0), (ssize_t)size);
	while (bytes[at + 4] != TRACE_BLOCK_NODES)
		at += TRACE_BLOCK_HEADER_BYTES + trace_get_u32(bytes + at + 8);
	assert_int_equal(pwrite(fd, "?", 1, (off_t)at + TRACE_BLOCK_HEADER_BYTES), 1);
	selected = selection(profile, &filter, 0);
	assert_int_equal(selected->totals.allocations, model->sample->allocations);
	assert_int_equal(selected->totals.peak_bytes, model->sample->peak_bytes);
	close(fd);
	free(bytes);
	profile_free(selected);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_grown),          cmocka_unit_test(test_other_files),
	    cmocka_unit_test(test_stopped_events), cmocka_unit_test(test_damaged_events),
	    cmocka_unit_test(test_damaged_nodes),  cmocka_unit_test(test_wrong_contents),
	    cmocka_unit_test(test_heaptrack),      cmocka_unit_test(test_remarks),
	};

	set_seed();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
