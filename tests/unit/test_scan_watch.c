/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analyzer/model/scan.h"
#include "analyzer/model/select.h"
#include "formats/error.h"
#include "tests/unit/sample_trace.h"

enum { BLOCKS = 20000 };

static struct profile *profile;

static int make(void **state)
{
	struct sample *sample = sample_new(TRACE_CODEC_ZLIB);
	uint32_t module = sample_module(sample, 0, "/bin/app");
	uint32_t node = sample_node(sample, 0, module, 1, 0);

	sample_class(sample, node, 100);
	sample_thread(sample, "main");
	for (int i = 0; i < BLOCKS; i++)
		sample_deallocate(sample, sample_allocate(sample, 1));
	sample_finish(sample);
	*state = sample;
	return profile_load(&profile, sample->path);
}

static int clean_up(void **state)
{
	profile_free(profile);
	sample_free_all(*state);
	return 0;
}

static int count(void *context, const struct trace_event *events, size_t events_count)
{
	(void)events;
	*(uint64_t *)context += events_count;
	return 0;
}

static void test_tells_how_far_it_is(void **state)
{
	struct scan_watch watch = {0};
	uint64_t counted = 0;

	(void)state;
	scan_watch_set(&watch);
	assert_int_equal(profile_scan(profile, count, &counted), 0);
	assert_int_equal(counted, watch.done);
	assert_true(counted >= 2 * BLOCKS);
	/* each scan begins with 0 */
	counted = 0;
	assert_int_equal(profile_scan(profile, count, &counted), 0);
	assert_int_equal(counted, watch.done);
	scan_watch_set(NULL);
	assert_int_equal(profile_scan(profile, count, &counted), 0);
	assert_int_equal(counted, 2 * watch.done);
}

static int stop(void *context, const struct trace_event *events, size_t events_count)
{
	struct scan_watch *watch = context;

	(void)events;
	(void)events_count;
	atomic_store(&watch->cancel, 1);
	return 0;
}

static void test_stops(void **state)
{
	struct scan_watch watch = {0};
	struct filter filter = {0};
	struct profile *selected;
	char complaint[200];

	(void)state;
	scan_watch_set(&watch);
	assert_int_equal(profile_scan(profile, stop, &watch), ERROR_CANCELLED);
	assert_true(watch.done < 2 * BLOCKS);
	/* so does whatever scans: by what comes first, and by what needs a scan ahead */
	assert_int_equal(filter_add(&filter, "time=0s..1s", 0, complaint, sizeof(complaint)), 0);
	assert_int_equal(
	    profile_select(&selected, profile, &filter, 0, complaint, sizeof(complaint)),
	    ERROR_CANCELLED);
	assert_int_equal(filter_add(&filter, "lifetime=..1ms", 0, complaint, sizeof(complaint)), 0);
	assert_int_equal(profile_select(&selected, profile, &filter, SELECT_BY_THREAD, complaint,
					sizeof(complaint)),
			 ERROR_CANCELLED);
	atomic_store(&watch.cancel, 0);
	assert_int_equal(
	    profile_select(&selected, profile, &filter, 0, complaint, sizeof(complaint)), 0);
	profile_free(selected);
	filter_release(&filter);
	scan_watch_set(NULL);
}

static void *scan_beside(void *context)
{
	uint64_t counted = 0;

	*(int *)context = profile_scan(profile, count, &counted);
	return NULL;
}

/* A watch is the thread's own. */
static void test_other_threads_go_on(void **state)
{
	struct scan_watch watch = {.cancel = 1};
	int result = -1;
	pthread_t thread;

	(void)state;
	scan_watch_set(&watch);
	assert_int_equal(pthread_create(&thread, NULL, scan_beside, &result), 0);
	pthread_join(thread, NULL);
	assert_int_equal(result, 0);
	scan_watch_set(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_tells_how_far_it_is),
	    cmocka_unit_test(test_stops),
	    cmocka_unit_test(test_other_threads_go_on),
	};

	return cmocka_run_group_tests(tests, make, clean_up);
}
