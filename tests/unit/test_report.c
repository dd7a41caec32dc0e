/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analyzer/model/profile.h"
#include "analyzer/report/text.h"
#include "tests/unit/sample_trace.h"

#define EVERYTHING                                                                                 \
	(REPORT_ALLOCATIONS | REPORT_PEAK | REPORT_LEAKS | REPORT_TEMPORARY | REPORT_SUMMARY)

static char *report_text(const struct sample *sample, const struct report_options *options)
{
	struct profile *profile;
	struct report report;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	assert_int_equal(profile_load(&profile, sample->path), 0);
	assert_int_equal(report_init(&report, profile, NULL, options), 0);
	assert_int_equal(text_report(out, &report), 0);
	fclose(out);
	report_release(&report);
	profile_free(profile);
	return text;
}

static void check_report(const struct sample *sample, const struct report_options *options,
			 const char *expected)
{
	char *text = report_text(sample, options);

	assert_string_equal(text, expected);
	free(text);
}

static const struct report_options defaults = {
    .sections = EVERYTHING,
    .merge = 1,
    .shorten = 1,
    .entries = 10,
    .stacks = 5,
    .sort_by = -1,
};

/*
 * main (app.c:20) calls keep (app.c:10) 3 times for 1000 bytes each, and twice
 * for 40, which are freed at once; keep comes from app.c:21, too, for 72700.
 */
static struct sample *small_program(void)
{
	struct sample *sample = sample_new(TRACE_CODEC_NONE);
	uint32_t app = sample_module(sample, 0x1000, "/bin/app");
	uint32_t main_20 = sample_node(sample, sample_node(sample, 0, app, 0x900, 0), app, 0x20, 0);
	uint32_t main_21 = sample_node(sample, 1, app, 0x21, 0);
	uint32_t keep_20 = sample_node(sample, main_20, app, 0x10, 0);
	uint32_t keep_21 = sample_node(sample, main_21, app, 0x10, 0);

	sample_class(sample, keep_20, 1000);
	sample_class(sample, keep_20, 40);
	sample_class(sample, keep_21, 72700);
	sample_thread(sample, "app");
	for (int i = 0; i < 3; i++)
		sample_allocate(sample, 1);
	for (int i = 0; i < 2; i++)
		sample_deallocate(sample, sample_allocate(sample, 2));
	sample_deallocate(sample, sample_allocate(sample, 3));
	sample->tick = 1840;
	sample_symbol(sample, app, 0x10, "keep<int>(int)", "app.c", 10);
	sample_symbol(sample, app, 0x20, "main", "app.c", 20);
	sample_symbol(sample, app, 0x21, "main", "app.c", 21);
	sample_symbol(sample, app, 0x900, "_start", NULL, 0);
	return sample;
}

static void test_sections(void **state)
{
	struct sample *sample = small_program();

	(void)state;
	sample_finish(sample);
	check_report(sample, &defaults,
		     "MOST CALLS TO ALLOCATION FUNCTIONS\n"
		     "6 calls to allocation functions with 75.70K peak consumption from\n"
		     "keep<>(int)\n"
		     "  at app.c:10\n"
		     "  in /bin/app\n"
		     "5 calls with 3.00K peak consumption from:\n"
		     "    main\n"
		     "      at app.c:20\n"
		     "      in /bin/app\n"
		     "1 calls with 72.70K peak consumption from:\n"
		     "    main\n"
		     "      at app.c:21\n"
		     "      in /bin/app\n"
		     "\n"
		     "\n"
		     "PEAK MEMORY CONSUMERS\n"
		     "75.70K peak memory consumed over 6 calls from\n"
		     "keep<>(int)\n"
		     "  at app.c:10\n"
		     "  in /bin/app\n"
		     "72.70K consumed over 1 calls from:\n"
		     "    main\n"
		     "      at app.c:21\n"
		     "      in /bin/app\n"
		     "3.00K consumed over 5 calls from:\n"
		     "    main\n"
		     "      at app.c:20\n"
		     "      in /bin/app\n"
		     "\n"
		     "\n"
		     "MEMORY LEAKS\n"
		     "3.00K leaked over 6 calls from\n"
		     "keep<>(int)\n"
		     "  at app.c:10\n"
		     "  in /bin/app\n"
		     "3.00K leaked over 5 calls from:\n"
		     "    main\n"
		     "      at app.c:20\n"
		     "      in /bin/app\n"
		     "\n"
		     "\n"
		     "MOST TEMPORARY ALLOCATIONS\n"
		     "3 temporary allocations of 6 allocations in total (50.00%) from\n"
		     "keep<>(int)\n"
		     "  at app.c:10\n"
		     "  in /bin/app\n"
		     "2 temporary allocations of 5 allocations in total (40.00%) from:\n"
		     "    main\n"
		     "      at app.c:20\n"
		     "      in /bin/app\n"
		     "1 temporary allocations of 1 allocations in total (100.00%) from:\n"
		     "    main\n"
		     "      at app.c:21\n"
		     "      in /bin/app\n"
		     "\n"
		     "\n"
		     "total runtime: 1.84s.\n"
		     "calls to allocation functions: 6 (3/s)\n"
		     "temporary memory allocations: 3 (1/s)\n"
		     "peak heap memory consumption: 75.70K\n"
		     "peak RSS (including mallograph overhead): unknown\n"
		     "total memory leaked: 3.00K\n");
	sample_free_all(sample);
}

static void test_options(void **state)
{
	struct sample *sample = small_program();
	struct report_options options = defaults;

	(void)state;
	sample_finish(sample);
	options.sections = REPORT_PEAK | REPORT_ALLOCATIONS;
	options.plain_bytes = 1;
	options.stacks = 1;
	options.shorten = 0;
	check_report(sample, &options,
		     "MOST CALLS TO ALLOCATION FUNCTIONS\n"
		     "6 calls to allocation functions with 75700 peak consumption from\n"
		     "keep<int>(int)\n"
		     "  at app.c:10\n"
		     "  in /bin/app\n"
		     "5 calls with 3000 peak consumption from:\n"
		     "    main\n"
		     "      at app.c:20\n"
		     "      in /bin/app\n"
		     "  and 1 from 1 other places\n"
		     "\n"
		     "\n"
		     "PEAK MEMORY CONSUMERS\n"
		     "75700 peak memory consumed over 6 calls from\n"
		     "keep<int>(int)\n"
		     "  at app.c:10\n"
		     "  in /bin/app\n"
		     "72700 consumed over 1 calls from:\n"
		     "    main\n"
		     "      at app.c:21\n"
		     "      in /bin/app\n"
		     "  and 3000 from 1 other places\n"
		     "\n"
		     "\n");
	options = defaults;
	options.sections = REPORT_PEAK;
	options.merge = 0;
	options.entries = 1;
	check_report(sample, &options,
		     "PEAK MEMORY CONSUMERS\n"
		     "72.70K peak memory consumed over 1 calls from\n"
		     "  keep<>(int)\n"
		     "    at app.c:10\n"
		     "    in /bin/app\n"
		     "  main\n"
		     "    at app.c:21\n"
		     "    in /bin/app\n"
		     "\n"
		     "\n");
	options.sections = REPORT_LEAKS;
	options.entries = 0;
	check_report(sample, &options, "MEMORY LEAKS\n\n");
	sample_free_all(sample);
}

static void test_one_leak(void **state)
{
	struct sample *sample = small_program();
	struct report_options options = defaults;

	(void)state;
	options.sections = REPORT_SUMMARY;
	for (size_t block = 0; block < 2; block++)
		sample_deallocate(sample, block);
	sample_finish(sample);
	check_report(sample, &options,
		     "total runtime: 1.84s.\n"
		     "calls to allocation functions: 6 (3/s)\n"
		     "temporary memory allocations: 3 (1/s)\n"
		     "peak heap memory consumption: 75.70K\n"
		     "peak RSS (including mallograph overhead): unknown\n"
		     "total memory leaked: 1000B\n"
		     "1 block leaked; --only leaks lists it\n");
	sample_free_all(sample);
}

/* What is missing is said without any section, too. */
static void test_health(void **state)
{
	struct sample *sample = small_program();
	struct report_options options = defaults;

	(void)state;
	options.sections = REPORT_SUMMARY;
	trace_writer_end_number(sample->writer, TRACE_END_PEAK_RSS, 3970000);
	trace_writer_end_number(sample->writer, TRACE_END_LOST_SIGNAL, 12);
	trace_writer_end_number(sample->writer, TRACE_END_UNKNOWN_FREES, 3);
	trace_writer_end_number(sample->writer, TRACE_END_STACKS_FALLBACK, 6);
	sample_finish(sample);
	check_report(sample, &options,
		     "total runtime: 1.84s.\n"
		     "calls to allocation functions: 6 (3/s)\n"
		     "temporary memory allocations: 3 (1/s)\n"
		     "peak heap memory consumption: 75.70K\n"
		     "peak RSS (including mallograph overhead): 3.97M\n"
		     "total memory leaked: 3.00K\n"
		     "frees of unknown blocks: 3\n"
		     "lost events: 12 (in signal handlers)\n"
		     "3 blocks leaked; --only leaks lists them\n");
	options.sections = REPORT_TEMPORARY;
	options.entries = 0;
	check_report(sample, &options,
		     "MOST TEMPORARY ALLOCATIONS\n\n"
		     "frees of unknown blocks: 3\n"
		     "lost events: 12 (in signal handlers)\n");
	sample_free_all(sample);
}

static void test_cut(void **state)
{
	struct sample *sample = small_program();
	struct report_options options = defaults;
	char expected[256];

	(void)state;
	options.sections = REPORT_LEAKS;
	options.entries = 0;
	trace_writer_flush(sample->writer);
	snprintf(expected, sizeof(expected),
		 "MEMORY LEAKS\n\ntrace cut off: figures up to 0.000 s, from all %llu bytes\n",
		 (unsigned long long)trace_writer_size(sample->writer));
	check_report(sample, &options, expected);
	sample_free_all(sample);
}

/* One allocation in a stack of one node; the report of that stack alone. */
static void check_leaf(struct sample *sample, uint32_t node, const char *expected,
		       const char *health)
{
	struct report_options options = defaults;
	char all[2048];

	sample_class(sample, node, 8);
	sample_thread(sample, "app");
	sample_allocate(sample, 1);
	trace_writer_flush(sample->writer);
	sample_finish(sample);
	options.sections = REPORT_PEAK;
	snprintf(all, sizeof(all),
		 "PEAK MEMORY CONSUMERS\n8B peak memory consumed over 1 calls from\n%s\n\n%s",
		 expected, health);
	check_report(sample, &options, all);
	sample_free_all(sample);
}

static void test_no_symbols(void **state)
{
	struct sample *sample = sample_new(TRACE_CODEC_NONE);
	uint32_t library = sample_module(sample, 0x1000, "/lib/libfoo.so.1");
	uint32_t node = sample_node(sample, 0, 0, 0, TRACE_NODE_INCOMPLETE);

	(void)state;
	node = sample_node(sample, node, 0, 0x7f0012345678, TRACE_NODE_GUESSED);
	check_leaf(sample, sample_node(sample, node, library, 0x1234, 0),
		   "libfoo.so.1+0x1234\n"
		   "  in /lib/libfoo.so.1\n"
		   "8B consumed over 1 calls from:\n"
		   "    0x7f0012345678 [guessed]\n"
		   "      in ??\n"
		   "    [stack not walked to its end]\n",
		   "no function names in /lib/libfoo.so.1 (1 of 1 places): its debug symbols bring "
		   "them, or --debuginfod\n");
}

static void test_no_stack(void **state)
{
	(void)state;
	check_leaf(sample_new(TRACE_CODEC_NONE), 0,
		   "[stack unknown]\n8B consumed over 1 calls from:\n", "");
}

static void test_only_cut(void **state)
{
	struct sample *sample = sample_new(TRACE_CODEC_NONE);

	(void)state;
	check_leaf(sample, sample_node(sample, 0, 0, 0, TRACE_NODE_CUT),
		   "[deeper frames cut]\n8B consumed over 1 calls from:\n", "");
}

/* operator new, inlined or not, is not the one who allocates. */
static void test_operator_new(void **state)
{
	struct sample *sample = sample_new(TRACE_CODEC_NONE);
	uint32_t app = sample_module(sample, 0x1000, "/bin/app");
	uint32_t node = sample_node(sample, 0, app, 0x10, 0);
	struct trace_frame frames[3];

	(void)state;
	frames[0].function = sample_string(sample, "operator new(unsigned long, std::align_val_t)");
	frames[0].file = frames[0].line = 0;
	frames[1].function = sample_string(sample, "make");
	frames[1].file = sample_string(sample, "/src/make.cc");
	frames[1].line = 5;
	frames[2].function = sample_string(sample, "main");
	frames[2].file = sample_string(sample, "/src/main.cc");
	frames[2].line = 9;
	trace_writer_symbol(sample->writer, app, 0x10, frames, 3);
	sample_symbol(sample, app, 0x50, "operator new[](unsigned long)", NULL, 0);
	check_leaf(sample, sample_node(sample, node, app, 0x50, 0),
		   "make\n"
		   "  at /src/make.cc:5\n"
		   "  in /bin/app\n"
		   "main\n"
		   "  at /src/main.cc:9\n"
		   "8B consumed over 1 calls from:\n",
		   "");
}

/* One function inlined into two others is one site; what differs is below. */
static void test_inlined_twice(void **state)
{
	struct sample *sample = sample_new(TRACE_CODEC_NONE);
	struct report_options options = defaults;
	uint32_t app = sample_module(sample, 0x1000, "/bin/app");
	uint32_t root = sample_node(sample, 0, app, 0x90, 0);
	struct trace_frame frames[2];

	(void)state;
	frames[0].function = sample_string(sample, "inl");
	frames[0].file = frames[1].file = sample_string(sample, "a.c");
	frames[0].line = 1;
	for (uint32_t i = 0; i < 2; i++) {
		frames[1].function = sample_string(sample, i ? "second" : "first");
		frames[1].line = 2 + i;
		sample_class(sample, sample_node(sample, root, app, 0x10 + i, 0), 8 - i);
		trace_writer_symbol(sample->writer, app, 0x10 + i, frames, 2);
	}
	sample_symbol(sample, app, 0x90, "thread\x1b[31m", NULL, 0);
	sample_thread(sample, "app");
	sample_allocate(sample, 1);
	sample_allocate(sample, 2);
	sample_finish(sample);
	options.sections = REPORT_PEAK;
	check_report(sample, &options,
		     "PEAK MEMORY CONSUMERS\n"
		     "15B peak memory consumed over 2 calls from\n"
		     "inl\n"
		     "  at a.c:1\n"
		     "  in /bin/app\n"
		     "8B consumed over 1 calls from:\n"
		     "    first\n"
		     "      at a.c:2\n"
		     "      in /bin/app\n"
		     "    thread\\x1b[31m\n"
		     "      in /bin/app\n"
		     "7B consumed over 1 calls from:\n"
		     "    second\n"
		     "      at a.c:3\n"
		     "      in /bin/app\n"
		     "    thread\\x1b[31m\n"
		     "      in /bin/app\n"
		     "\n"
		     "\n");
	sample_free_all(sample);
}

/* Two addresses of one line, and one stack behind them: printed once. */
static void test_same_to_the_reader(void **state)
{
	struct sample *sample = sample_new(TRACE_CODEC_NONE);
	struct report_options options = defaults;
	uint32_t app = sample_module(sample, 0x1000, "/bin/app");
	uint32_t again = sample_module(sample, 0x900000, "/bin/app");

	(void)state;
	for (uint32_t i = 0; i < 4; i++) {
		uint32_t caller = sample_node(sample, 0, i & 1 ? app : again, 0x90 + i, 0);

		sample_class(sample, sample_node(sample, caller, app, 0x10 + i, 0), 8);
		sample_symbol(sample, app, 0x10 + i, "leaf", "a.c", 1);
		sample_symbol(sample, i & 1 ? app : again, 0x90 + i, "caller", "a.c", 2);
	}
	sample_thread(sample, "app");
	for (uint32_t i = 1; i <= 4; i++)
		sample_allocate(sample, i);
	sample_finish(sample);
	options.sections = REPORT_LEAKS;
	check_report(sample, &options,
		     "MEMORY LEAKS\n"
		     "32B leaked over 4 calls from\n"
		     "leaf\n"
		     "  at a.c:1\n"
		     "  in /bin/app\n"
		     "32B leaked over 4 calls from:\n"
		     "    caller\n"
		     "      at a.c:2\n"
		     "      in /bin/app\n"
		     "\n"
		     "\n");
	sample_free_all(sample);
}

static void test_info(void **state)
{
	struct sample *sample = small_program();
	struct profile *profile;
	char *text = NULL, expected[2048];
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	sample_thread(sample, "idle\n");
	trace_writer_end_number(sample->writer, TRACE_END_STACKS_CUT, 2);
	trace_writer_end_number(sample->writer, TRACE_END_EVENTS_STOPPED, 1501);
	sample_finish(sample);
	snprintf(
	    expected, sizeof(expected),
	    "trace           %s\n"
	    "program         /bin/app\n"
	    "command         ./app 'a b'\n"
	    "process         77, parent 0\n"
	    "origin          started by mallograph record\n"
	    "ended           exit status 0, after 1.84 s\n"
	    "\n"
	    "allocations     6 (3/s)\n"
	    "deallocations   3\n"
	    "reallocations   0\n"
	    "temporary       3 (50.00%%)\n"
	    "requested       75.78K (12630.0 bytes per allocation)\n"
	    "peak            75.70K in 4 blocks, at 0.000 s\n"
	    "peak RSS        unknown\n"
	    "leaked          3.00K in 3 blocks\n"
	    "\n"
	    "threads         2\n"
	    "  1001          6 allocations, 75.78K requested, 3 temporary  app\n"
	    "  1002          0 allocations, 0B requested, 0 temporary  idle\\x0a\n"
	    "modules         1\n"
	    "stacks          2, of 5 nodes\n"
	    "classes         3 (stack, size and function)\n"
	    "timeline        0 points\n"
	    "file size       %lluB (%llu.%02llu bytes per allocation)\n"
	    "\n"
	    "state           complete\n"
	    "missing         stacks cut by the depth limit: 2 allocations\n"
	    "                  allocations whose outer frames were left out (record "
	    "--max-depth)\n"
	    "                events recorded up to: 1.500 s (the size limit)\n"
	    "                  the totals and the peak went on; what needs events ends there\n",
	    sample->path, (unsigned long long)trace_writer_size(sample->writer),
	    (unsigned long long)trace_writer_size(sample->writer) / 6,
	    ((unsigned long long)trace_writer_size(sample->writer) % 6 * 200 + 6) / 12);
	assert_int_equal(profile_load(&profile, sample->path), 0);
	assert_int_equal(text_info(out, profile, sample->path, 0), 0);
	fclose(out);
	assert_string_equal(text, expected);
	free(text);
	profile_free(profile);
	sample_free_all(sample);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_sections),
	    cmocka_unit_test(test_options),
	    cmocka_unit_test(test_one_leak),
	    cmocka_unit_test(test_health),
	    cmocka_unit_test(test_cut),
	    cmocka_unit_test(test_no_symbols),
	    cmocka_unit_test(test_no_stack),
	    cmocka_unit_test(test_only_cut),
	    cmocka_unit_test(test_operator_new),
	    cmocka_unit_test(test_inlined_twice),
	    cmocka_unit_test(test_same_to_the_reader),
	    cmocka_unit_test(test_info),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
