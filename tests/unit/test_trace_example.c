/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The worked example of docs/mallograph-trace.5 is what the writer writes. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/trace_sample.h"

static int write_example(struct trace_writer *writer)
{
	static const struct {
		enum trace_end_tag tag;
		uint64_t value;
	} totals[] = {
	    {TRACE_END_HOW, TRACE_ENDING_EXITED},
	    {TRACE_END_TICK, 3},
	    {TRACE_END_PEAK_BYTES, 124},
	    {TRACE_END_PEAK_BLOCKS, 2},
	    {TRACE_END_PEAK_TICK, 3},
	    {TRACE_END_ALLOCATIONS, 3},
	    {TRACE_END_DEALLOCATIONS, 1},
	    {TRACE_END_TEMPORARY, 1},
	    {TRACE_END_BYTES, 148},
	    {TRACE_END_LEAKED_BLOCKS, 2},
	    {TRACE_END_LEAKED_BYTES, 124},
	};
	struct trace_deallocation gone = {.class_id = 2, .allocating_thread = 1, .sequence = 2};
	struct trace_class_counters large = {1, 0, 0, 1}, small = {2, 1, 1, 1};
	struct trace_thread_counters thread = {3, 1, 1, 148};
	struct trace_frame frame = {.function = 1};
	int error = 0;

	error |= trace_writer_meta_bytes(writer, TRACE_META_PROGRAM, "/bin/a", 6);
	error |= trace_writer_meta_number(writer, TRACE_META_PID, 4242);
	error |= trace_writer_module(writer, 0x401000, 0x402000, 0, "/bin/a", 6, "\xbe\xef", 2);
	error |= trace_writer_node(writer, 0, 1, 0x50, 0);
	error |= trace_writer_node(writer, 1, 1, 0x12c, 0);
	error |= trace_writer_class(writer, 2, 100, TRACE_FUNCTION_MALLOC);
	error |= trace_writer_class(writer, 1, 24, TRACE_FUNCTION_CALLOC);
	error |= trace_writer_thread(writer, 1, 4242, "a", 1);
	error |= trace_writer_allocation(writer, 0, 1, 1, 0);
	error |= trace_writer_allocation(writer, 3, 1, 2, 0);
	error |= trace_writer_deallocation(writer, 3, 1, &gone);
	error |= trace_writer_allocation(writer, 3, 1, 2, 0);
	error |= trace_writer_timeline(writer, 3, 124, 2, 0);
	error |= trace_writer_string(writer, "main", 4);
	error |= trace_writer_symbol(writer, 1, 0x12c, &frame, 1);
	error |= trace_writer_class_counters(writer, &large);
	error |= trace_writer_class_counters(writer, &small);
	error |= trace_writer_thread_counters(writer, &thread);
	for (size_t i = 0; i < sizeof(totals) / sizeof(totals[0]); i++)
		error |= trace_writer_end_number(writer, totals[i].tag, totals[i].value);
	return error ? error : trace_writer_finish(writer);
}

/* The bytes of the lines "0000  89 4d ..." of the page, whose offsets must fit. */
static size_t read_page(uint8_t *bytes, size_t capacity)
{
	const char *tests = getenv("TESTS");
	char path[4096], line[512];
	size_t size = 0;
	FILE *page;

	snprintf(path, sizeof(path), "%s/../docs/mallograph-trace.5", tests ? tests : "tests");
	page = fopen(path, "r");
	if (!page)
		fail_msg("cannot open %s", path);
	while (fgets(line, sizeof(line), page)) {
		unsigned offset, byte;
		int skip = 0, used;

		if (sscanf(line, "%4x  %n", &offset, &skip) != 1 || skip != 6 || offset != size)
			continue;
		while (size < capacity && sscanf(line + skip, "%2x%n", &byte, &used) == 1) {
			bytes[size++] = (uint8_t)byte;
			skip += used;
		}
	}
	fclose(page);
	return size;
}

static void test_example(void **state)
{
	int fd = memfd_create("trace", 0);
	struct trace_writer *writer = trace_writer_new(fd, TRACE_CODEC_NONE, 0);
	uint8_t page[2048], *bytes;
	size_t size;

	(void)state;
	assert_int_equal(write_example(writer), 0);
	bytes = sample_bytes(fd, &size);
	assert_int_equal(read_page(page, sizeof(page)), size);
	assert_memory_equal(page, bytes, size);
	free(bytes);
	trace_writer_free(writer);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_example)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
