/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a trace is found: foreign, cut off, being recorded, complete; files, pipes, directories. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>

#include "tests/unit/trace_sample.h"

struct file {
	int fd;
	char path[64];
	struct trace_writer *writer;
};

static void file_open(struct file *file)
{
	file->fd = memfd_create("trace", 0);
	file->writer = trace_writer_new(file->fd, TRACE_CODEC_ZLIB, 0);
	snprintf(file->path, sizeof(file->path), "/proc/self/fd/%d", file->fd);
	assert_non_null(file->writer);
}

static void file_close(struct file *file)
{
	trace_writer_free(file->writer);
	close(file->fd);
}

static void set_lock(int fd, short type)
{
	struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};

	assert_int_equal(fcntl(fd, F_OFD_SETLK, &lock), 0);
}

static int open_error(const void *bytes, size_t size)
{
	struct sample_reading reading;

	sample_read_bytes(&reading, bytes, size);
	free(reading.text);
	return reading.open_error;
}

static void test_opening(void **state)
{
	struct trace_reader *reader;
	uint8_t header[TRACE_HEADER_BYTES] = TRACE_MAGIC;

	(void)state;
	header[8] = TRACE_MAJOR;
	assert_int_equal(trace_reader_open(&reader, "/nonexistent/file"), ERROR_SYSTEM);
	assert_int_equal(errno, ENOENT);
	assert_null(reader);
	assert_int_equal(trace_reader_open(&reader, "/"), ERROR_DIRECTORY);
	assert_int_equal(trace_reader_open(&reader, "/dev/null"), ERROR_EMPTY);
	/* Endless, but not for a trace's reader. */
	assert_int_equal(trace_reader_open(&reader, "/dev/zero"), ERROR_FOREIGN);
	assert_int_equal(open_error("", 0), ERROR_EMPTY);
	assert_int_equal(open_error("v 10680 3\n", 10), ERROR_FOREIGN);
	assert_int_equal(open_error("\x1f\x8b", 2), ERROR_FOREIGN);
	for (size_t size = 1; size < TRACE_HEADER_BYTES; size++)
		assert_int_equal(open_error(header, size), ERROR_CUT_OFF);
	assert_int_equal(open_error(header, sizeof(header)), 0);
	header[10] = 0xff;
	assert_int_equal(open_error(header, sizeof(header)), 0);
	header[12] = 1;
	assert_int_equal(open_error(header, sizeof(header)), ERROR_NEWER);
	header[12] = 0;
	header[8] = TRACE_MAJOR + 1;
	assert_int_equal(open_error(header, sizeof(header)), ERROR_NEWER);
	header[8] = TRACE_MAJOR - 1;
	assert_int_equal(open_error(header, sizeof(header)), ERROR_OLDER);
	header[8] = 0;
	assert_int_equal(open_error(header, sizeof(header)), ERROR_FOREIGN);
}

/* Each length of a trace that is being written, and of one that was cut. */
static void test_recording_or_cut(void **state)
{
	struct file file;
	struct sample_reading whole, reading;
	size_t size;
	uint8_t *bytes;
	int fd = memfd_create("growing", 0);
	char path[64];

	(void)state;
	file_open(&file);
	assert_int_equal(sample_write_start(file.writer), 0);
	bytes = sample_bytes(file.fd, &size);
	sample_read(&whole, file.path);
	assert_int_equal(whole.state, TRACE_CUT);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	for (size_t length = TRACE_HEADER_BYTES; length <= size; length++) {
		assert_int_equal(ftruncate(fd, 0), 0);
		assert_int_equal(pwrite(fd, bytes, length, 0), length);
		for (int locked = 0; locked < 2; locked++) {
			set_lock(fd, locked ? F_WRLCK : F_UNLCK);
			sample_read(&reading, path);
			assert_int_equal(reading.open_error, 0);
			assert_int_equal(reading.read_error, 0);
			assert_int_equal(reading.state, locked ? TRACE_RECORDING : TRACE_CUT);
			assert_int_equal(reading.complete, 0);
			assert_int_equal(reading.size, length);
			assert_true(reading.used <= length);
			assert_int_equal(strncmp(whole.text, reading.text, strlen(reading.text)),
					 0);
			free(reading.text);
		}
	}
	free(whole.text);
	free(bytes);
	close(fd);
	file_close(&file);
}

/* END is there although the recorder has not let go yet. */
static void test_complete_but_locked(void **state)
{
	struct sample_reading reading;
	struct file file;

	(void)state;
	file_open(&file);
	set_lock(file.fd, F_WRLCK);
	assert_int_equal(sample_write_start(file.writer), 0);
	assert_int_equal(sample_write_end(file.writer), 0);
	assert_int_equal(trace_writer_finish(file.writer), 0);
	sample_read(&reading, file.path);
	assert_int_equal(reading.state, TRACE_COMPLETE);
	free(reading.text);
	file_close(&file);
}

static int first_event(void *context, const struct trace_event *event)
{
	struct file *file = context;

	(void)event;
	if (file->writer) {
		assert_int_equal(sample_write_end(file->writer), 0);
		assert_int_equal(trace_writer_finish(file->writer), 0);
		set_lock(file->fd, F_UNLCK);
		trace_writer_free(file->writer);
		file->writer = NULL;
	}
	return 0;
}

static int first_events(void *context, const struct trace_event *events, size_t count)
{
	int result = 0;

	for (size_t i = 0; i < count && !result; i++)
		result = first_event(context, &events[i]);
	return result;
}

/* The recorder finishes while the reader is on its way: not cut off. */
static void test_finished_meanwhile(void **state)
{
	const struct trace_visitor visitor = {.events = first_events};
	struct trace_reader *reader;
	enum trace_state how;
	struct file file;

	(void)state;
	file_open(&file);
	set_lock(file.fd, F_WRLCK);
	assert_int_equal(sample_write_start(file.writer), 0);
	assert_int_equal(trace_reader_open(&reader, file.path), 0);
	assert_int_equal(trace_reader_complete(reader), 0);
	assert_int_equal(trace_reader_read(reader, &visitor, &file, &how), 0);
	assert_int_equal(how, TRACE_COMPLETE);
	assert_int_equal(trace_reader_complete(reader), 1);
	trace_reader_close(reader);
	file_close(&file);
}

/* The same reader again sees what was added. */
static void test_read_again(void **state)
{
	const struct trace_visitor visitor = {0};
	struct trace_reader *reader;
	enum trace_state how;
	struct file file;
	uint64_t before;

	(void)state;
	file_open(&file);
	set_lock(file.fd, F_WRLCK);
	assert_int_equal(trace_reader_open(&reader, file.path), 0);
	assert_int_equal(trace_reader_read(reader, &visitor, NULL, &how), 0);
	assert_int_equal(how, TRACE_RECORDING);
	before = trace_reader_used(reader);
	assert_int_equal(sample_write_start(file.writer), 0);
	assert_int_equal(trace_reader_read(reader, &visitor, NULL, &how), 0);
	assert_int_equal(how, TRACE_RECORDING);
	assert_true(trace_reader_used(reader) > before);
	/* Cut by somebody under our hands. */
	assert_int_equal(ftruncate(file.fd, TRACE_HEADER_BYTES + 3), 0);
	assert_int_equal(trace_reader_read(reader, &visitor, NULL, &how), 0);
	assert_int_equal(how, TRACE_RECORDING);
	set_lock(file.fd, F_UNLCK);
	assert_int_equal(trace_reader_read(reader, &visitor, NULL, &how), 0);
	assert_int_equal(how, TRACE_CUT);
	assert_int_equal(trace_reader_used(reader), TRACE_HEADER_BYTES);
	trace_reader_close(reader);
	file_close(&file);
}

static int stop_at_class(void *context, uint32_t id, const struct trace_class *class_)
{
	(void)context;
	(void)class_;
	return id == 2 ? -1234 : 0;
}

static void test_stopping(void **state)
{
	const struct trace_visitor visitor = {.class_ = stop_at_class};
	struct trace_reader *reader;
	enum trace_state how;
	struct file file;

	(void)state;
	file_open(&file);
	assert_int_equal(sample_write_start(file.writer), 0);
	assert_int_equal(trace_reader_open(&reader, file.path), 0);
	assert_int_equal(trace_reader_read(reader, &visitor, NULL, &how), -1234);
	assert_null(trace_reader_fault(reader));
	trace_reader_close(reader);
	file_close(&file);
}

struct feed {
	int fd;
	const uint8_t *bytes;
	size_t size;
};

static void *feed_pipe(void *argument)
{
	struct feed *feed = argument;

	for (size_t at = 0; at < feed->size; at += 7) {
		size_t count = feed->size - at < 7 ? feed->size - at : 7;

		if (write(feed->fd, feed->bytes + at, count) != (ssize_t)count)
			break;
	}
	close(feed->fd);
	return NULL;
}

static void read_pipe(const uint8_t *bytes, size_t size, struct sample_reading *reading)
{
	struct feed feed = {.bytes = bytes, .size = size};
	int ends[2], saved = dup(STDIN_FILENO);
	pthread_t thread;

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
	close(ends[0]);
	feed.fd = ends[1];
	assert_int_equal(pthread_create(&thread, NULL, feed_pipe, &feed), 0);
	sample_read(reading, "-");
	pthread_join(thread, NULL);
	if (saved >= 0) {
		dup2(saved, STDIN_FILENO);
		close(saved);
	}
}

static void test_pipe(void **state)
{
	struct sample_reading reading;
	struct file file;
	uint8_t *bytes;
	size_t size;

	(void)state;
	file_open(&file);
	assert_int_equal(sample_write_start(file.writer), 0);
	assert_int_equal(sample_write_end(file.writer), 0);
	assert_int_equal(trace_writer_finish(file.writer), 0);
	bytes = sample_bytes(file.fd, &size);
	read_pipe(bytes, size, &reading);
	assert_int_equal(reading.state, TRACE_COMPLETE);
	assert_int_equal(reading.complete, 1);
	assert_int_equal(reading.size, size);
	assert_string_equal(reading.text, SAMPLE_START SAMPLE_END);
	free(reading.text);
	read_pipe(bytes, size - 1, &reading);
	assert_int_equal(reading.state, TRACE_CUT);
	free(reading.text);
	bytes[size] = 'x';
	read_pipe(bytes, size + 1, &reading);
	assert_int_equal(reading.state, TRACE_DAMAGED);
	assert_string_equal(reading.fault, "bytes behind the end");
	free(reading.text);
	read_pipe(bytes, 0, &reading);
	assert_int_equal(reading.open_error, ERROR_EMPTY);
	free(reading.text);
	free(bytes);
	file_close(&file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_opening),
	    cmocka_unit_test(test_recording_or_cut),
	    cmocka_unit_test(test_complete_but_locked),
	    cmocka_unit_test(test_finished_meanwhile),
	    cmocka_unit_test(test_read_again),
	    cmocka_unit_test(test_stopping),
	    cmocka_unit_test(test_pipe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
