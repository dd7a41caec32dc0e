/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analyzer/model/combine.h"
#include "analyzer/model/profile.h"
#include "analyzer/report/folded.h"
#include "analyzer/report/histogram.h"
#include "analyzer/report/massif.h"
#include "analyzer/report/timeline.h"
#include "formats/error.h"
#include "tests/unit/sample_trace.h"

static struct profile *load(const struct sample *sample)
{
	struct profile *profile;

	assert_int_equal(profile_load(&profile, sample->path), 0);
	return profile;
}

static struct output {
	char *text;
	size_t size;
	FILE *out;
} output;

static FILE *open_output(void)
{
	free(output.text);
	output.out = open_memstream(&output.text, &output.size);
	assert_non_null(output.out);
	return output.out;
}

static void check_output(const char *expected)
{
	fclose(output.out);
	assert_string_equal(output.text, expected);
}

static void check_folded(const struct profile *profile, enum cost_kind kind, const char *expected)
{
	assert_int_equal(folded_write(open_output(), profile, NULL, kind, 1), 0);
	check_output(expected);
}

/*
 * main (a.c) calls, from two lines of it, grow (a.c) for 1000 bytes, 3 times in all, one given
 * back at once; what main calls from a third line is inlined into it. Of two threads that start
 * in run (b.c) one is known from there on only, the other stops in an address of libfoo.
 */
enum { NODES = 8 };
static struct sample *small_program(void)
{
	static const int lines[] = {10, 11, 12};
	struct sample *sample = sample_new(TRACE_CODEC_NONE);
	uint32_t app = sample_module(sample, 0x1000, "/bin/app");
	uint32_t foo = sample_module(sample, 0x500000, "/lib/libfoo.so.1");
	struct trace_frame inlined[2] = {{.line = 30}, {.line = 12}};
	uint32_t mains[3], run, grow[2];

	for (int i = 0; i < 3; i++) {
		mains[i] = sample_node(sample, 0, app, 0x10 + i, 0);
		if (i < 2)
			sample_symbol(sample, app, 0x10 + i, "main", "/src/a.c",
				      (uint32_t)lines[i]);
	}
	inlined[0].function = sample_string(sample, "tiny");
	inlined[0].file = sample_string(sample, "/src/tiny.h");
	inlined[1].function = sample_string(sample, "main");
	inlined[1].file = sample_string(sample, "/src/a.c");
	trace_writer_symbol(sample->writer, app, 0x12, inlined, 2);
	for (int i = 0; i < 2; i++)
		grow[i] = sample_node(sample, mains[i], app, 0x50, 0);
	sample_symbol(sample, app, 0x50, "grow", "/src/a.c", 40);
	run = sample_node(sample, 0, app, 0x60, 0);
	sample_symbol(sample, app, 0x60, "run", "/src/b.c", 50);
	sample_class(sample, grow[0], 1000);
	sample_class(sample, grow[1], 1000);
	sample_class(sample, mains[2], 24);
	sample_class(sample, run, 100);
	sample_class(sample, sample_node(sample, run, foo, 0x44, 0), 10);
	sample_class(sample, 0, 1);
	sample_thread(sample, "main");
	sample_allocate(sample, 1);
	sample_deallocate(sample, sample_allocate(sample, 2));
	sample_allocate(sample, 2);
	sample->tick = 40;
	for (uint32_t i = 3; i <= 6; i++)
		sample_allocate(sample, i);
	sample->tick = 80;
	sample_deallocate(sample, 0);
	sample->tick = 100;
	sample_finish(sample);
	return sample;
}

static void test_folded(void **state)
{
	struct sample *sample = small_program();
	struct profile *profile = load(sample);

	(void)state;
	check_folded(profile, COST_ALLOCATIONS,
		     "[stack unknown] 1\n"
		     "main (a.c);grow (a.c) 3\n"
		     "main (a.c);tiny (tiny.h) 1\n"
		     "run (b.c) 1\n"
		     "run (b.c);libfoo.so.1+0x44 1\n");
	check_folded(profile, COST_TEMPORARY, "main (a.c);grow (a.c) 1\n");
	check_folded(profile, COST_LEAKED,
		     "[stack unknown] 1\n"
		     "main (a.c);grow (a.c) 1000\n"
		     "main (a.c);tiny (tiny.h) 24\n"
		     "run (b.c) 100\n"
		     "run (b.c);libfoo.so.1+0x44 10\n");
	check_folded(profile, COST_PEAK,
		     "[stack unknown] 1\n"
		     "main (a.c);grow (a.c) 2000\n"
		     "main (a.c);tiny (tiny.h) 24\n"
		     "run (b.c) 100\n"
		     "run (b.c);libfoo.so.1+0x44 10\n");
	assert_int_equal(histogram_write(open_output(), profile), 0);
	check_output("1\t1\n10\t1\n24\t1\n100\t1\n1000\t3\n");
	profile_free(profile);
	sample_free_all(sample);
}

static struct sample *one_stack(const char *function, const char *file, uint64_t size)
{
	struct sample *sample = sample_new(TRACE_CODEC_NONE);
	uint32_t app = sample_module(sample, 0x1000, "/bin/app");

	sample_class(sample, sample_node(sample, 0, app, 0x10, 0), size);
	sample_symbol(sample, app, 0x10, function, file, 1);
	sample_thread(sample, "main");
	return sample;
}

static void test_names(void **state)
{
	static const struct {
		const char *function, *file, *folded, *massif;
	} names[] = {
	    {"a;b", NULL, "a:b 1\n", "a;b (in /bin/app)"},
	    {"a\nb\x01", "x;y.c", "a\\x0ab\\x01 (x:y.c) 1\n", "a\\x0ab\\x01 (x;y.c:1)"},
	    {"f()::{lambda(int)#1}::operator()", "#.c",
	     "f()::{lambda(int)#1}::operator() (#.c) 1\n",
	     "f()::{lambda(int)@1}::operator() (@.c:1)"},
	    {"thunk 12", NULL, "thunk_12 1\n", "thunk 12 (in /bin/app)"},
	    {"thunk 1.5", NULL, "thunk_1.5 1\n", "thunk 1.5 (in /bin/app)"},
	    {"thunk 1", "t.c", "thunk 1 (t.c) 1\n", "thunk 1 (t.c:1)"},
	    {"12", NULL, "12 1\n", "12 (in /bin/app)"},
	    {"v<int, char>::at(%d)", NULL, "v<>::at(%d) 1\n", "v<>::at(%d) (in /bin/app)"},
	};
	struct timeline_view view = {.threshold = TIMELINE_PERCENT, .shorten = 1};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct sample *sample = one_stack(names[i].function, names[i].file, 7);
		struct profile *profile;
		char line[200];

		sample_allocate(sample, 1);
		sample_finish(sample);
		profile = load(sample);
		check_folded(profile, COST_ALLOCATIONS, names[i].folded);
		assert_int_equal(massif_write(open_output(), profile, &view), 0);
		fclose(output.out);
		snprintf(line, sizeof(line), "\n n0: 7 0x1010: %s\n", names[i].massif);
		assert_non_null(strstr(output.text, line));
		profile_free(profile);
		sample_free_all(sample);
	}
}

/* A cost for base and one for fresh; in the histogram, what there is more of. */
static void test_difference(void **state)
{
	struct sample *samples[2];
	struct profile *profiles[2], *combined;

	(void)state;
	for (int i = 0; i < 2; i++) {
		samples[i] = one_stack("same", "a.c", 8);
		sample_class(samples[i],
			     sample_node(samples[i], 0, samples[i]->modules, 0x20 + i, 0), 64);
		sample_symbol(samples[i], samples[i]->modules, 0x20 + i, i ? "gone" : "new", "a.c",
			      2);
		sample_allocate(samples[i], 1);
		sample_allocate(samples[i], 2);
		if (!i)
			sample_allocate(samples[i], 2);
		sample_finish(samples[i]);
		profiles[i] = load(samples[i]);
	}
	assert_int_equal(profile_combine(&combined, profiles[0], profiles[1]), 0);
	check_folded(combined, COST_ALLOCATIONS,
		     "gone (a.c) 1 0\n"
		     "new (a.c) 0 2\n"
		     "same (a.c) 1 1\n");
	assert_int_equal(histogram_write(open_output(), combined), 0);
	check_output("64\t1\n");
	profile_free(combined);
	for (int i = 0; i < 2; i++) {
		profile_free(profiles[i]);
		sample_free_all(samples[i]);
	}
}

/* Deeper than a C stack: frames in a row, and the last of them allocates. */
static void test_deep(void **state)
{
	enum { DEPTH = 200000 };
	struct timeline_view view = {.threshold = TIMELINE_PERCENT, .detailed_every = 1};
	struct sample *sample = sample_new(TRACE_CODEC_NONE);
	uint32_t app = sample_module(sample, 0x1000, "/bin/app"), node = 0;
	struct profile *profile;
	size_t frames = 0;

	(void)state;
	for (int i = 0; i < DEPTH; i++)
		node = sample_node(sample, node, app, 0x10, 0);
	sample_symbol(sample, app, 0x10, "f", NULL, 0);
	sample_class(sample, node, 5);
	sample_thread(sample, "main");
	sample_allocate(sample, 1);
	sample_finish(sample);
	profile = load(sample);
	assert_int_equal(folded_write(open_output(), profile, NULL, COST_PEAK, 1), 0);
	fclose(output.out);
	for (const char *at = output.text; *at; at++)
		frames += *at == 'f';
	assert_int_equal(frames, DEPTH);
	assert_int_equal(massif_write(open_output(), profile, &view), 0);
	fclose(output.out);
	assert_non_null(strstr(output.text, "\nn1: 5 (heap"));
	assert_int_equal(timeline_report(open_output(), profile, &view), 0);
	fclose(output.out);
	assert_non_null(strstr(output.text, "f (in /bin/app) ...\n"));
	profile_free(profile);
	sample_free_all(sample);
}

/*
 * 2135 bytes at the peak, in 6 blocks: 1000 and 1000 (24 and 8 come with each as extra), 24 (8
 * to 32, and 8), 100 (12 and 8), 10 (6 and 8), 1 (15 and 8): 16 + 16 + 16 + 20 + 14 + 23. Ten
 * percent of 2135 and 105 is 224.
 */
static void test_massif(void **state)
{
	struct sample *sample = small_program();
	struct profile *profile = load(sample);
	struct timeline_view view = {.threshold = 10 * TIMELINE_PERCENT, .shorten = 1};

	(void)state;
	assert_int_equal(massif_write(open_output(), profile, &view), 0);
	check_output("desc: mallograph\n"
		     "cmd: ./app 'a b'\n"
		     "time_unit: ms\n"
		     "#-----------\nsnapshot=0\n#-----------\ntime=0\nmem_heap_B=0\n"
		     "mem_heap_extra_B=0\nmem_stacks_B=0\nheap_tree=empty\n"
		     "#-----------\nsnapshot=1\n#-----------\ntime=0\nmem_heap_B=2000\n"
		     "mem_heap_extra_B=32\nmem_stacks_B=0\nheap_tree=empty\n"
		     "#-----------\nsnapshot=2\n#-----------\ntime=2\nmem_heap_B=2000\n"
		     "mem_heap_extra_B=32\nmem_stacks_B=0\nheap_tree=empty\n"
		     "#-----------\nsnapshot=3\n#-----------\ntime=40\nmem_heap_B=2135\n"
		     "mem_heap_extra_B=105\nmem_stacks_B=0\nheap_tree=peak\n"
		     "n2: 2135 (heap allocation functions) malloc/new/new[], --alloc-fns, etc.\n"
		     " n2: 2000 0x1050: grow (a.c:40)\n"
		     "  n0: 1000 0x1010: main (a.c:10)\n"
		     "  n0: 1000 0x1011: main (a.c:11)\n"
		     " n0: 135 in 4 places, all below massif's threshold (10.00%)\n"
		     "#-----------\nsnapshot=4\n#-----------\ntime=41\nmem_heap_B=2135\n"
		     "mem_heap_extra_B=105\nmem_stacks_B=0\nheap_tree=empty\n"
		     "#-----------\nsnapshot=5\n#-----------\ntime=80\nmem_heap_B=2135\n"
		     "mem_heap_extra_B=105\nmem_stacks_B=0\nheap_tree=empty\n"
		     "#-----------\nsnapshot=6\n#-----------\ntime=81\nmem_heap_B=1135\n"
		     "mem_heap_extra_B=89\nmem_stacks_B=0\nheap_tree=empty\n"
		     "#-----------\nsnapshot=7\n#-----------\ntime=100\nmem_heap_B=1135\n"
		     "mem_heap_extra_B=89\nmem_stacks_B=0\nheap_tree=empty\n");
	view.axis = TIMELINE_ALLOCATIONS;
	assert_int_equal(massif_write(open_output(), profile, &view), ERROR_UNSUPPORTED);
	fclose(output.out);
	profile_free(profile);
	sample_free_all(sample);
}

/*
 * The same program in 71 columns of 100/71 ms. 2000 bytes fill 18 of 20 rows of 2135/20, 1135
 * fill 10. Something happens in the columns 0, 28 (at 40 ms) and 56 (at 80); the one behind each
 * has a snapshot of its own, too, and so has the last. From there to the next a line goes on.
 */
static void put_graph(FILE *out)
{
	for (int row = 20; row > 0; row--) {
		fputs(row == 20 ? "   2.14K^" : "        |", out);
		fputs(row <= 18 ? "::" : "  ", out);
		fputs(row == 18 ? "::::::::::::::::::::::::::" : "                          ", out);
		fputs("#:", out);
		fputs(row == 20 ? "::::::::::::::::::::::::::" : "                          ", out);
		fputs(":", out);
		fputs(row == 10 ? "::::::::::::::" : row < 10 ? ":            :" : "", out);
		fputc('\n', out);
	}
	fputs("       0+----------------------------------------------------------------------"
	      ">\n"
	      "        0                                                                  "
	      "100ms\n\n"
	      "# peak, @ with its parts below, : other\n\n",
	      out);
}

static void test_timeline_text(void **state)
{
	struct sample *sample = small_program();
	struct profile *profile = load(sample);
	struct timeline_view view = {.threshold = TIMELINE_PERCENT, .shorten = 1};
	struct output expected = {0};

	(void)state;
	expected.out = open_memstream(&expected.text, &expected.size);
	fputs("HEAP OVER TIME\n", expected.out);
	put_graph(expected.out);
	fputs("   n       time(ms)          heap(B)      extra(B)        blocks         RSS(B)\n"
	      "  0               0                0             0             0              -\n"
	      "  1               0            2,000            32             2              -\n"
	      "  2               2            2,000            32             2              -\n"
	      "  3#             40            2,135           105             6              -\n"
	      "100.00% (2,135B) of the heap, by who allocated\n"
	      "->93.68% (2,000B) grow (a.c:40)\n"
	      "| ->46.84% (1,000B) main (a.c:10)\n"
	      "| |\n"
	      "| ->46.84% (1,000B) main (a.c:11)\n"
	      "|\n"
	      "->4.68% (100B) run (b.c:50)\n"
	      "|\n"
	      "->1.12% (24B) tiny (tiny.h:30)\n"
	      "| main (a.c:12)\n"
	      "|\n"
	      "->0.52% (11B) in 2 places, all below 1.00%\n"
	      "\n"
	      "   n       time(ms)          heap(B)      extra(B)        blocks         RSS(B)\n"
	      "  4              41            2,135           105             6              -\n"
	      "  5              79            2,135           105             6              -\n"
	      "  6              81            1,135            89             5              -\n"
	      "  7             100            1,135            89             5              -\n"
	      "\n",
	      expected.out);
	fclose(expected.out);
	assert_int_equal(timeline_report(open_output(), profile, &view), 0);
	check_output(expected.text);
	free(expected.text);
	profile_free(profile);
	sample_free_all(sample);
}

/* One has 20 bytes from the half of its run on, the other always 10. */
static void test_timeline_difference(void **state)
{
	struct timeline_view view = {.axis = TIMELINE_MS};
	struct sample *samples[2];
	struct profile *profiles[2], *combined, *same;
	const char *table;

	(void)state;
	for (int i = 0; i < 2; i++) {
		samples[i] = one_stack("f", "a.c", 10);
		sample_allocate(samples[i], 1);
		samples[i]->tick = i ? 1000 : 500;
		if (!i)
			sample_allocate(samples[i], 1);
		samples[i]->tick = i ? 2000 : 1000;
		sample_finish(samples[i]);
		profiles[i] = load(samples[i]);
	}
	assert_int_equal(profile_combine(&combined, profiles[0], profiles[1]), 0);
	assert_int_equal(timeline_report(open_output(), combined, &view), 0);
	fclose(output.out);
	table = strstr(output.text, "  of run ");
	assert_non_null(table);
	table = strchr(table, '\n') + 1;
	for (int i = 10; i < 20; i++) {
		char line[100];
		int length = snprintf(line, sizeof(line), "%3d-%3d%% %22d %22d %22d\n", i * 5,
				      i * 5 + 5, 20, 10, 10);

		assert_memory_equal(table, line, (size_t)length);
		table += length;
	}
	assert_string_equal(table, "\n");
	assert_int_equal(profile_combine(&same, profiles[0], profiles[0]), 0);
	assert_int_equal(timeline_report(open_output(), same, &view), 0);
	check_output("HEAP OVER TIME\nnothing changed\n\n");
	profile_free(same);
	profile_free(combined);
	for (int i = 0; i < 2; i++) {
		profile_free(profiles[i]);
		sample_free_all(samples[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_folded),
	    cmocka_unit_test(test_names),
	    cmocka_unit_test(test_difference),
	    cmocka_unit_test(test_deep),
	    cmocka_unit_test(test_massif),
	    cmocka_unit_test(test_timeline_text),
	    cmocka_unit_test(test_timeline_difference),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	free(output.text);
	return failed;
}
