/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the writer is given, the reader gives back: every thing, every codec, across blocks. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "formats/trace/codec.h"
#include "libcollect/ring.h"
#include "tests/unit/trace_sample.h"

_Static_assert((int)TRACE_FUNCTION_MALLOC == (int)FUNCTION_MALLOC, "malloc");
_Static_assert((int)TRACE_FUNCTION_CALLOC == (int)FUNCTION_CALLOC, "calloc");
_Static_assert((int)TRACE_FUNCTION_REALLOC == (int)FUNCTION_REALLOC, "realloc");
_Static_assert((int)TRACE_FUNCTION_REALLOCARRAY == (int)FUNCTION_REALLOCARRAY, "reallocarray");
_Static_assert((int)TRACE_FUNCTION_POSIX_MEMALIGN == (int)FUNCTION_POSIX_MEMALIGN,
	       "posix_memalign");
_Static_assert((int)TRACE_FUNCTION_ALIGNED_ALLOC == (int)FUNCTION_ALIGNED_ALLOC, "aligned_alloc");
_Static_assert((int)TRACE_FUNCTION_MEMALIGN == (int)FUNCTION_MEMALIGN, "memalign");
_Static_assert((int)TRACE_FUNCTION_VALLOC == (int)FUNCTION_VALLOC, "valloc");
_Static_assert((int)TRACE_FUNCTION_PVALLOC == (int)FUNCTION_PVALLOC, "pvalloc");
_Static_assert((int)TRACE_FUNCTION_NEW == (int)FUNCTION_NEW, "new");
_Static_assert((int)TRACE_FUNCTION_NEW_ARRAY == (int)FUNCTION_NEW_ARRAY, "new[]");
_Static_assert((int)TRACE_FUNCTION_NEW_NOTHROW == (int)FUNCTION_NEW_NOTHROW, "nothrow");
_Static_assert((int)TRACE_FUNCTION_NEW_ARRAY_NOTHROW == (int)FUNCTION_NEW_ARRAY_NOTHROW,
	       "[] nothrow");
_Static_assert((int)TRACE_FUNCTION_NEW_ALIGNED == (int)FUNCTION_NEW_ALIGNED, "aligned");
_Static_assert((int)TRACE_FUNCTION_NEW_ARRAY_ALIGNED == (int)FUNCTION_NEW_ARRAY_ALIGNED,
	       "[] aligned");
_Static_assert((int)TRACE_FUNCTION_NEW_ALIGNED_NOTHROW == (int)FUNCTION_NEW_ALIGNED_NOTHROW,
	       "aligned nothrow");
_Static_assert((int)TRACE_FUNCTION_NEW_ARRAY_ALIGNED_NOTHROW ==
		   (int)FUNCTION_NEW_ARRAY_ALIGNED_NOTHROW,
	       "[] aligned nothrow");
_Static_assert((int)TRACE_FUNCTION_COUNT == (int)FUNCTION_COUNT, "count");
_Static_assert((int)TRACE_NODE_GUESSED == (int)NODE_GUESSED, "guessed");
_Static_assert((int)TRACE_NODE_CUT == (int)NODE_CUT, "cut");
_Static_assert((int)TRACE_NODE_INCOMPLETE == (int)NODE_INCOMPLETE, "incomplete");

static struct trace_writer *open_writer(enum trace_codec codec, int *fd)
{
	struct trace_writer *writer;

	*fd = memfd_create("trace", 0);
	assert_true(*fd >= 0);
	writer = trace_writer_new(*fd, codec, 0);
	assert_non_null(writer);
	return writer;
}

static void read_back(struct sample_reading *reading, int fd)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	sample_read(reading, path);
	assert_int_equal(reading->open_error, 0);
	assert_int_equal(reading->read_error, 0);
}

static void every_thing(enum trace_codec codec)
{
	struct sample_reading reading;
	int fd;
	struct trace_writer *writer = open_writer(codec, &fd);

	assert_int_equal(sample_write_start(writer), 0);
	assert_int_equal(sample_write_end(writer), 0);
	assert_int_equal(trace_writer_finish(writer), 0);
	assert_int_equal(trace_writer_flush(writer), ERROR_LIMIT);
	read_back(&reading, fd);
	assert_int_equal(reading.state, TRACE_COMPLETE);
	assert_int_equal(reading.complete, 1);
	assert_int_equal(reading.used, reading.size);
	assert_int_equal(reading.used, trace_writer_size(writer));
	assert_string_equal(reading.text, SAMPLE_START SAMPLE_END);
	free(reading.text);
	trace_writer_free(writer);
	close(fd);
}

static void test_every_thing(void **state)
{
	(void)state;
	for (int codec = TRACE_CODEC_NONE; codec <= TRACE_CODEC_ZSTD; codec++)
		if (trace_codec_supported((enum trace_codec)codec))
			every_thing((enum trace_codec)codec);
}

/* What the recorder has flushed is there, what it has not yet isn't. */
static void test_before_the_end(void **state)
{
	struct sample_reading reading;
	int fd;
	struct trace_writer *writer = open_writer(TRACE_CODEC_ZLIB, &fd);

	(void)state;
	assert_int_equal(sample_write_start(writer), 0);
	assert_int_equal(sample_write_end(writer), 0);
	read_back(&reading, fd);
	assert_int_equal(reading.state, TRACE_CUT);
	assert_int_equal(reading.complete, 0);
	assert_string_equal(reading.text, SAMPLE_START);
	free(reading.text);
	trace_writer_free(writer);
	close(fd);
}

/* The text comes before what refers to it. */
static void test_suppressions(void **state)
{
	struct sample_reading reading;
	int fd;
	struct trace_writer *writer = open_writer(TRACE_CODEC_NONE, &fd);

	(void)state;
	assert_int_equal(sample_write_start(writer), 0);
	assert_int_equal(trace_writer_suppressions(writer, 2, 0), 0);
	assert_int_equal(trace_writer_string(writer, "leak:a", 6), 0);
	assert_int_equal(trace_writer_suppressions(writer, 1, 1), 0);
	assert_int_equal(trace_writer_suppressions(writer, 1, 2), ERROR_DAMAGED);
	assert_int_equal(trace_writer_suppressions(writer, 3, 1), ERROR_DAMAGED);
	assert_int_equal(trace_writer_suppressions(writer, 0, 1), ERROR_DAMAGED);
	assert_int_equal(trace_writer_flush(writer), 0);
	read_back(&reading, fd);
	assert_int_equal(reading.state, TRACE_CUT);
	assert_string_equal(reading.text, SAMPLE_START "meta 13 \"\\x02\\x00\" 0\n"
						       "suppressions 2 0\n"
						       "string 1 \"leak:a\"\n"
						       "meta 13 \"\\x01\\x01\" 0\n"
						       "suppressions 1 1\n");
	free(reading.text);
	trace_writer_free(writer);
	close(fd);
}

static void test_nothing_at_all(void **state)
{
	struct sample_reading reading;
	int fd;
	struct trace_writer *writer = open_writer(TRACE_CODEC_ZLIB, &fd);

	(void)state;
	assert_int_equal(trace_writer_flush(writer), 0);
	assert_int_equal(trace_writer_size(writer), TRACE_HEADER_BYTES);
	assert_int_equal(trace_writer_finish(writer), 0);
	read_back(&reading, fd);
	assert_int_equal(reading.state, TRACE_COMPLETE);
	assert_string_equal(reading.text, "");
	free(reading.text);
	trace_writer_free(writer);
	close(fd);
}

/* The symbolizer's blocks, taken over by the recorder's writer. */
static void test_borrowed_blocks(void **state)
{
	struct trace_frame frame = {1, 0, 9};
	struct trace_class_counters class_ = {2, 1, 0, 2};
	struct trace_thread_counters thread = {2, 0, 0, 0};
	struct sample_reading reading;
	int fd, symbols_fd = memfd_create("symbols", 0);
	struct trace_writer *writer = open_writer(TRACE_CODEC_NONE, &fd);
	struct trace_writer *symbols = trace_writer_new_blocks(symbols_fd, TRACE_CODEC_ZLIB, 0);
	size_t size, taken;
	uint8_t *bytes;

	(void)state;
	assert_int_equal(sample_write_start(writer), 0);
	assert_int_equal(trace_writer_string(symbols, "f", 1), 0);
	assert_int_equal(trace_writer_symbol(symbols, 2, -3, &frame, 1), 0);
	assert_int_equal(trace_writer_flush(symbols), 0);
	assert_int_equal(trace_writer_meta_bytes(symbols, TRACE_META_HOST, "no", 2), 0);
	assert_int_equal(trace_writer_flush(symbols), 0);
	assert_int_equal(trace_writer_string(symbols, "cut", 3), 0);
	assert_int_equal(trace_writer_flush(symbols), 0);
	bytes = sample_bytes(symbols_fd, &size);
	assert_int_equal(size, trace_writer_size(symbols));
	assert_int_equal(trace_writer_blocks(writer, bytes, size - 1, &taken), 0);
	assert_true(taken > 0 && taken < size);
	assert_int_equal(trace_writer_string(writer, "x", 1), ERROR_LIMIT);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(trace_writer_class_counters(writer, &class_), 0);
		assert_int_equal(trace_writer_thread_counters(writer, &thread), 0);
	}
	assert_int_equal(trace_writer_finish(writer), 0);
	read_back(&reading, fd);
	assert_int_equal(reading.state, TRACE_COMPLETE);
	assert_non_null(strstr(reading.text, "string 1 \"f\"\nsymbol 2 -3 (1 0 9)\nclass-"));
	assert_null(strstr(reading.text, "\"no\""));
	free(reading.text);
	free(bytes);
	trace_writer_free(symbols);
	trace_writer_free(writer);
	close(symbols_fd);
	close(fd);
}

#define MANY_CLASSES 50000u
#define MANY_EVENTS  700000u

struct many {
	uint64_t seen;
	uint32_t nodes, classes, class_counters;
};

/* The same sequence for writing and for checking what was read. */
static uint32_t class_of(uint64_t event)
{
	return (uint32_t)(event * 2654435761u % MANY_CLASSES) + 1;
}

static int many_node(void *context, uint32_t id, const struct trace_node *node)
{
	struct many *many = context;

	many->nodes++;
	return id == many->nodes && node->parent == id / 2 && node->offset == (int64_t)id * -1000
		   ? 0
		   : 99;
}

static int many_class(void *context, uint32_t id, const struct trace_class *class_)
{
	struct many *many = context;

	many->classes++;
	return class_->node == id && class_->size == id % 1000 ? 0 : 99;
}

static int many_event(void *context, const struct trace_event *event)
{
	struct many *many = context;
	uint64_t i = many->seen++;

	if (event->operation !=
		(i % 2 ? TRACE_OPERATION_DEALLOCATION : TRACE_OPERATION_ALLOCATION) ||
	    event->class_id != class_of(i / 2) || event->thread != i / 1000 % 3 + 1 ||
	    event->tick != i / 5000)
		return 99;
	return i % 2 == 0 ||
		       event->age_allocations == (i % 300 < TRACE_RECENT ? i % 300 : TRACE_RECENT)
		   ? 0
		   : 99;
}

static int many_events(void *context, const struct trace_event *events, size_t count)
{
	int result = 0;

	for (size_t i = 0; i < count && !result; i++)
		result = many_event(context, &events[i]);
	return result;
}

static int many_counters(void *context, uint32_t id, const struct trace_class_counters *counters)
{
	struct many *many = context;

	many->class_counters++;
	return id == many->class_counters && counters->allocations == 1000000u + id ? 0 : 99;
}

static int write_many(struct trace_writer *writer)
{
	int error = trace_writer_module(writer, 0, 0, 0, "m", 1, "", 0);

	for (uint32_t i = 1; i <= MANY_CLASSES; i++) {
		error |= trace_writer_node(writer, i / 2, 1, (int64_t)i * -1000, 0);
		error |= trace_writer_class(writer, i, i % 1000, TRACE_FUNCTION_MALLOC);
	}
	for (uint32_t i = 1; i <= 3; i++)
		error |= trace_writer_thread(writer, i, i, "t", 1);
	for (uint64_t i = 0; i < MANY_EVENTS; i++) {
		struct trace_deallocation deallocation = {class_of(i / 2), 1, 0, i % 300, 0, 0};

		if (i % 2)
			error |= trace_writer_deallocation(
			    writer, i / 5000, (uint32_t)(i / 1000 % 3) + 1, &deallocation);
		else
			error |= trace_writer_allocation(
			    writer, i / 5000, (uint32_t)(i / 1000 % 3) + 1, class_of(i / 2), 0);
	}
	for (uint32_t i = 1; i <= MANY_CLASSES; i++) {
		struct trace_class_counters counters = {1000000u + i, i, i, 1000000u};

		error |= trace_writer_class_counters(writer, &counters);
	}
	for (uint32_t i = 1; i <= 3; i++)
		error |= trace_writer_thread_counters(writer,
						      &(struct trace_thread_counters){1, 1, 1, 1});
	return error ? error : trace_writer_finish(writer);
}

/* Raw bytes of the largest block. */
static uint32_t largest_block(int fd, unsigned *blocks)
{
	size_t size, at = TRACE_HEADER_BYTES;
	uint8_t *bytes = sample_bytes(fd, &size);
	uint32_t largest = 0, stored, raw;

	for (*blocks = 0; at < size; ++*blocks) {
		memcpy(&stored, bytes + at + 8, 4);
		memcpy(&raw, bytes + at + 12, 4);
		if (raw > largest)
			largest = raw;
		at += TRACE_BLOCK_HEADER_BYTES + stored;
	}
	free(bytes);
	return largest;
}

static void test_many_blocks(void **state)
{
	const struct trace_visitor visitor = {.node = many_node,
					      .class_ = many_class,
					      .events = many_events,
					      .class_counters = many_counters};
	struct trace_reader *reader;
	enum trace_state how;
	unsigned blocks;
	char path[64];
	int fd;

	(void)state;
	for (int codec = 0; codec < 2; codec++) {
		struct many many = {0};
		struct trace_writer *writer = open_writer((enum trace_codec)codec, &fd);

		assert_int_equal(write_many(writer), 0);
		assert_true(largest_block(fd, &blocks) <= TRACE_BLOCK_BYTES);
		assert_true(blocks > 8);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		assert_int_equal(trace_reader_open(&reader, path), 0);
		for (int again = 0; again < 2; again++) {
			memset(&many, 0, sizeof(many));
			assert_int_equal(trace_reader_read(reader, &visitor, &many, &how), 0);
			assert_int_equal(how, TRACE_COMPLETE);
			assert_int_equal(many.seen, MANY_EVENTS);
			assert_int_equal(many.nodes, MANY_CLASSES);
			assert_int_equal(many.classes, MANY_CLASSES);
			assert_int_equal(many.class_counters, MANY_CLASSES);
		}
		trace_reader_close(reader);
		trace_writer_free(writer);
		close(fd);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_every_thing),     cmocka_unit_test(test_before_the_end),
	    cmocka_unit_test(test_suppressions),    cmocka_unit_test(test_nothing_at_all),
	    cmocka_unit_test(test_borrowed_blocks), cmocka_unit_test(test_many_blocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
