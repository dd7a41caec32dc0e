/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the writer refuses, and what happens when it cannot write. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>

#include "formats/trace/codec.h"
#include "tests/unit/trace_sample.h"

static struct trace_writer *open_writer(int *fd)
{
	struct trace_writer *writer;

	*fd = memfd_create("trace", 0);
	writer = trace_writer_new(*fd, TRACE_CODEC_NONE, 0);
	assert_non_null(writer);
	return writer;
}

static void assert_state(int fd, enum trace_state state, const char *text)
{
	struct sample_reading reading;
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	sample_read(&reading, path);
	assert_int_equal(reading.open_error, 0);
	assert_int_equal(reading.read_error, 0);
	assert_int_equal(reading.state, state);
	assert_string_equal(reading.text, text);
	free(reading.text);
}

static void test_references(void **state)
{
	struct trace_deallocation deallocation = {1, 1, 0, 0, 0, 0};
	struct trace_frame frame = {1, 0, 0};
	int fd;
	struct trace_writer *writer = open_writer(&fd);

	(void)state;
	assert_int_equal(trace_writer_module(writer, 2, 1, 0, "", 0, "", 0), ERROR_DAMAGED);
	assert_int_equal(trace_writer_node(writer, 1, 0, 0, 0), ERROR_DAMAGED);
	assert_int_equal(trace_writer_node(writer, 0, 1, 0, 0), ERROR_DAMAGED);
	assert_int_equal(trace_writer_class(writer, 1, 0, 0), ERROR_DAMAGED);
	assert_int_equal(trace_writer_class(writer, 0, UINT64_C(1) << 63, 0), ERROR_DAMAGED);
	assert_int_equal(trace_writer_class(writer, 0, 0, TRACE_FUNCTION_COUNT), ERROR_DAMAGED);
	assert_int_equal(trace_writer_thread(writer, 0, 1, "", 0), ERROR_DAMAGED);
	assert_int_equal(trace_writer_thread(writer, 2, 1, "", 0), ERROR_DAMAGED);
	assert_int_equal(trace_writer_symbol(writer, 0, 0, &frame, 1), ERROR_DAMAGED);
	assert_int_equal(trace_writer_suppressions(writer, 1, 0), ERROR_DAMAGED);
	assert_int_equal(trace_writer_class_counters(writer, &(struct trace_class_counters){0}),
			 ERROR_DAMAGED);
	assert_int_equal(trace_writer_thread_counters(writer, &(struct trace_thread_counters){0}),
			 ERROR_DAMAGED);
	assert_int_equal(trace_writer_allocation(writer, 0, 1, 1, 0), ERROR_DAMAGED);
	assert_int_equal(trace_writer_class(writer, 0, 8, 1), 0);
	assert_int_equal(trace_writer_allocation(writer, 0, 1, 1, 0), ERROR_DAMAGED);
	assert_int_equal(trace_writer_deallocation(writer, 0, 1, &deallocation), ERROR_DAMAGED);
	assert_int_equal(trace_writer_unknown_free(writer, 0, 1, 0), ERROR_DAMAGED);
	assert_int_equal(trace_writer_thread(writer, 1, 1, "", 0), 0);
	assert_int_equal(trace_writer_allocation(writer, 0, 0, 1, 0), ERROR_DAMAGED);
	assert_int_equal(trace_writer_allocation(writer, 0, 1, 0, 0), ERROR_DAMAGED);
	assert_int_equal(trace_writer_allocation(writer, UINT64_MAX, 1, 1, 0), ERROR_DAMAGED);
	assert_int_equal(trace_writer_allocation(writer, 0, 1, 1, 0), 0);
	assert_int_equal(trace_writer_timeline(writer, UINT64_MAX, 0, 0, 0), ERROR_DAMAGED);
	/* The counters are missing. */
	assert_int_equal(trace_writer_finish(writer), ERROR_DAMAGED);
	assert_state(fd, TRACE_CUT,
		     "class 1 node 0 size 8 function 1\n"
		     "thread 1 tid 1 \"\"\n"
		     "allocation thread 1 class 1 by 1 tick 0 age 0 0\n");
	trace_writer_free(writer);
	close(fd);
}

/* Time that goes back is lifted, an age before the start is lowered. */
static void test_time(void **state)
{
	struct trace_deallocation deallocation = {1, 1, 5000, 3, 0, 0};
	int fd;
	struct trace_writer *writer = open_writer(&fd);
	int error = 0;

	(void)state;
	error |= trace_writer_class(writer, 0, 1, 1);
	error |= trace_writer_thread(writer, 1, 1, "", 0);
	error |= trace_writer_allocation(writer, 50, 1, 1, 0);
	error |= trace_writer_flush(writer);
	error |= trace_writer_deallocation(writer, 40, 1, &deallocation);
	error |= trace_writer_timeline(writer, 9, 0, 0, 0);
	error |= trace_writer_timeline(writer, 8, 0, 0, 0);
	error |= trace_writer_flush(writer);
	assert_int_equal(error, 0);
	assert_state(fd, TRACE_CUT,
		     "class 1 node 0 size 1 function 1\n"
		     "thread 1 tid 1 \"\"\n"
		     "allocation thread 1 class 1 by 1 tick 50 age 0 0\n"
		     "deallocation thread 1 class 1 by 1 tick 50 age 50 3\n"
		     "point 9 0 0 0\n"
		     "point 9 0 0 0\n");
	trace_writer_free(writer);
	close(fd);
}

static void test_long_strings(void **state)
{
	size_t size = TRACE_STRING_MAX;
	char *text = malloc(size + 1);
	struct sample_reading reading;
	char path[64];
	int fd;
	struct trace_writer *writer = open_writer(&fd);

	(void)state;
	assert_non_null(text);
	memset(text, 'x', size + 1);
	assert_int_equal(trace_writer_meta_bytes(writer, 1, text, size + 1), ERROR_LIMIT);
	assert_int_equal(trace_writer_string(writer, text, size + 1), ERROR_LIMIT);
	assert_int_equal(trace_writer_thread(writer, 1, 1, text, size), ERROR_LIMIT);
	assert_int_equal(trace_writer_module(writer, 1, 1, 1, text, size, "", 0), ERROR_LIMIT);
	assert_int_equal(trace_writer_module(writer, 1, 1, 1, "", 0, text, size), ERROR_LIMIT);
	assert_int_equal(trace_writer_symbol(writer, 0, 0, NULL, 1u << 20), ERROR_LIMIT);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(trace_writer_meta_bytes(writer, 1, text, size), 0);
		assert_int_equal(trace_writer_string(writer, text, size), 0);
		assert_int_equal(
		    trace_writer_module(writer, 1, 1, 1, text, size / 2, text, size / 4), 0);
	}
	assert_int_equal(trace_writer_finish(writer), 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	sample_read(&reading, path);
	assert_int_equal(reading.state, TRACE_COMPLETE);
	free(reading.text);
	free(text);
	trace_writer_free(writer);
	close(fd);
}

static void test_end_grows_too_large(void **state)
{
	int fd, error = 0;
	struct trace_writer *writer = open_writer(&fd);

	(void)state;
	for (unsigned i = 0; !error && i < 1u << 20; i++)
		error = trace_writer_end_number(writer, TRACE_END_HOW, UINT64_MAX);
	assert_int_equal(error, ERROR_LIMIT);
	assert_int_equal(trace_writer_finish(writer), 0);
	trace_writer_free(writer);
	close(fd);
}

/* Events stop where they are told to, and the rest of the trace is whole. */
static void test_limit(void **state)
{
	const uint64_t limits[] = {300, 4000, 20000};
	enum { EVENTS = 200000, SIZES = 50 };

	(void)state;
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		char path[] = "trace.XXXXXX";
		int fd = mkstemp(path), error = 0;
		struct trace_writer *writer = trace_writer_new(fd, TRACE_CODEC_ZLIB, 1);
		uint32_t random = 1, written = 0;

		trace_writer_limit(writer, limits[i]);
		trace_writer_thread(writer, 1, 1, "", 0);
		for (unsigned size = 0; size < SIZES; size++)
			trace_writer_class(writer, 0, size, 1);
		for (uint32_t n = 0; n < EVENTS && !error; n++) {
			random = random * 1664525 + 1013904223;
			error = trace_writer_allocation(writer, n / 10, 1,
							1 + (random >> 16) % SIZES, 0);
			written += !error;
		}
		assert_int_equal(error, ERROR_LIMIT);
		assert_true(written > limits[i] / 2 || i == 0);
		assert_true(trace_writer_size(writer) <= limits[i]);
		assert_true(i == 0 || trace_writer_size(writer) > limits[i] - 1500);
		assert_true(trace_writer_stopped(writer)->stopped);
		assert_int_equal(trace_writer_stopped(writer)->system_errno, 0);
		assert_true(trace_writer_stopped(writer)->tick <= written / 10);
		assert_int_equal(trace_writer_timeline(writer, EVENTS, 1, 1, 1), 0);
		assert_int_equal(trace_writer_flush(writer), 0);
		trace_writer_free(writer);
		close(fd);
		unlink(path);
	}
}

/* A full disk: the error stays, and the file is good up to its last block. */
static void test_write_fails(void **state)
{
	struct rlimit before, limit;
	char path[] = "trace.XXXXXX";
	int fd = mkstemp(path);
	struct trace_writer *writer = trace_writer_new(fd, TRACE_CODEC_NONE, 0);
	uint64_t size;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(trace_writer_meta_number(writer, TRACE_META_PID, 1), 0);
	assert_int_equal(trace_writer_flush(writer), 0);
	size = trace_writer_size(writer);
	limit = (struct rlimit){size + 40, before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(trace_writer_string(writer, "left out", 8), 0);
	assert_int_equal(trace_writer_flush(writer), 0);
	assert_true(trace_writer_lacks_symbols(writer));
	assert_false(trace_writer_stopped(writer)->stopped);
	assert_int_equal(
	    trace_writer_meta_bytes(writer, TRACE_META_HOST, "twenty bytes or more", 20), 0);
	assert_int_equal(trace_writer_flush(writer), ERROR_SYSTEM);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(trace_writer_errno(writer), EFBIG);
	assert_int_equal(lseek(fd, 0, SEEK_END), size);
	assert_int_equal(trace_writer_size(writer), size);
	assert_int_equal(trace_writer_string(writer, "", 0), ERROR_SYSTEM);
	assert_int_equal(trace_writer_class(writer, 7, 0, 0), ERROR_SYSTEM);
	assert_int_equal(trace_writer_allocation(writer, 0, 1, 1, 0), ERROR_SYSTEM);
	assert_int_equal(trace_writer_finish(writer), ERROR_SYSTEM);
	assert_state(fd, TRACE_CUT, "meta 4 \"\\x01\" 1\n");
	trace_writer_free(writer);
	close(fd);
	unlink(path);
	writer = trace_writer_new(-1, TRACE_CODEC_NONE, 0);
	assert_int_equal(trace_writer_flush(writer), ERROR_SYSTEM);
	assert_int_equal(trace_writer_errno(writer), EBADF);
	trace_writer_free(writer);
	trace_writer_free(NULL);
}

static void test_codecs(void **state)
{
	int fd = memfd_create("trace", 0);
	struct trace_writer *writer = trace_writer_new(fd, (enum trace_codec)9, 0);

	(void)state;
	assert_int_equal(trace_codec_supported(TRACE_CODEC_NONE), 1);
	assert_int_equal(trace_codec_supported(TRACE_CODEC_ZLIB), 1);
	assert_int_equal(trace_codec_supported((enum trace_codec)3), 0);
	assert_string_equal(trace_codec_name(TRACE_CODEC_ZSTD), "zstd");
	assert_null(trace_codec_name(3));
	assert_int_equal(trace_writer_meta_number(writer, TRACE_META_PID, 1), 0);
	assert_int_equal(trace_writer_flush(writer), ERROR_UNSUPPORTED);
	trace_writer_free(writer);
	close(fd);
}

static void test_error_texts(void **state)
{
	(void)state;
	for (int error = ERROR_SWOLLEN; error <= 0; error++)
		assert_string_not_equal(error_text(error), "unknown error");
	assert_string_equal(error_text(ERROR_SWOLLEN - 1), "unknown error");
	assert_string_equal(error_text(1), "unknown error");
	assert_string_equal(error_text(-2147483647 - 1), "unknown error");
	assert_string_equal(error_text(ERROR_SYSTEM), "system error");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_references),   cmocka_unit_test(test_time),
	    cmocka_unit_test(test_long_strings), cmocka_unit_test(test_end_grows_too_large),
	    cmocka_unit_test(test_limit),        cmocka_unit_test(test_write_fails),
	    cmocka_unit_test(test_codecs),       cmocka_unit_test(test_error_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
