/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What definitions may take in memory (formats/trace/memory.h): what the writer writes is read,
 * however well it compresses; what was compressed in spite of it is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "formats/trace/block.h"
#include "formats/trace/memory.h"
#include "formats/trace/reader.h"
#include "formats/trace/writer.h"

/* So many nodes and classes are over the bound for themselves. */
enum { MANY = 1 << 21, A_BLOCK = 1 << 20 };

static char path[64];

static int new_file(void)
{
	int fd = memfd_create("trace", MFD_CLOEXEC);

	assert_true(fd >= 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return fd;
}

struct counts {
	uint64_t nodes, classes, counters, node_sum;
};

static int count_node(void *context, uint32_t id, const struct trace_node *node)
{
	struct counts *counts = context;

	counts->nodes++;
	counts->node_sum += id - node->parent;
	return 0;
}

static int count_class(void *context, uint32_t id, const struct trace_class *class_)
{
	(void)id, (void)class_;
	((struct counts *)context)->classes++;
	return 0;
}

static int count_counters(void *context, uint32_t id, const struct trace_class_counters *counters)
{
	(void)id, (void)counters;
	((struct counts *)context)->counters++;
	return 0;
}

static int ignore_string(void *context, uint32_t id, const struct trace_text *string)
{
	(void)context, (void)id, (void)string;
	return 0;
}

static int ignore_thread(void *context, uint32_t id, uint64_t tid, const struct trace_text *name)
{
	(void)context, (void)id, (void)tid, (void)name;
	return 0;
}

static int ignore_point(void *context, const struct trace_point *point)
{
	(void)context, (void)point;
	return 0;
}

static int ignore_field(void *context, const struct trace_field *field)
{
	(void)context, (void)field;
	return 0;
}

static int read_file(struct counts *counts, enum trace_state *state)
{
	static const struct trace_visitor visitor = {.node = count_node,
						     .class_ = count_class,
						     .class_counters = count_counters,
						     .string = ignore_string,
						     .thread = ignore_thread,
						     .point = ignore_point,
						     .meta = ignore_field};
	struct trace_reader *reader;
	int error;

	memset(counts, 0, sizeof(*counts));
	assert_int_equal(trace_reader_open(&reader, path), 0);
	error = trace_reader_read(reader, &visitor, counts, state);
	trace_reader_close(reader);
	return error;
}

static void test_written(void **test)
{
	int fd = new_file();
	struct trace_writer *writer = trace_writer_new(fd, TRACE_CODEC_ZLIB, 1);
	struct trace_class_counters counters = {.allocations = 1};
	struct counts counts;
	enum trace_state state;

	(void)test;
	assert_non_null(writer);
	for (uint32_t i = 0; i < MANY; i++)
		assert_int_equal(trace_writer_node(writer, i, 0, 16, 0), 0);
	for (uint32_t i = 0; i < MANY; i++)
		assert_int_equal(trace_writer_class(writer, i + 1, 16, 1), 0);
	for (uint32_t i = 0; i < MANY; i++)
		assert_int_equal(trace_writer_class_counters(writer, &counters), 0);
	assert_int_equal(trace_writer_finish(writer), 0);
	/* as it is, a node has 4 bytes and a class 3, but what the bound allows anyway is packed */
	assert_true(trace_writer_size(writer) < (4 + 3) * (uint64_t)MANY / 2);
	trace_writer_free(writer);
	assert_int_equal(read_file(&counts, &state), 0);
	assert_int_equal(state, TRACE_COMPLETE);
	assert_int_equal(counts.nodes, MANY);
	assert_int_equal(counts.node_sum, MANY);
	assert_int_equal(counts.classes, MANY);
	assert_int_equal(counts.counters, MANY);
	close(fd);
}

static void put_header(struct trace_block_writer *writer)
{
	uint8_t header[TRACE_HEADER_BYTES] = TRACE_MAGIC;

	trace_put_u16(header + 8, TRACE_MAJOR);
	assert_int_equal(trace_block_write_raw(writer, header, sizeof(header)), 0);
}

/* Blocks of one thing over and over, packed, until they are over the bound. */
static void swell(enum trace_block_type type, const char *thing, size_t thing_bytes)
{
	struct trace_block_writer writer = {.fd = new_file()};
	uint64_t things = TRACE_MEMORY_ANYWAY / trace_memory_thing(type) * 5 / 4;
	uint8_t *payload = malloc(A_BLOCK);
	size_t filled = A_BLOCK / thing_bytes;
	struct counts counts;
	enum trace_state state;

	assert_non_null(payload);
	for (size_t i = 0; i < filled; i++)
		memcpy(payload + i * thing_bytes, thing, thing_bytes);
	trace_compressor_init(&writer.compressor, TRACE_CODEC_ZLIB, 1);
	put_header(&writer);
	for (uint64_t i = 0; i < things; i += filled)
		assert_int_equal(
		    trace_block_write(&writer, type, 0, 0, payload, filled * thing_bytes), 0);
	assert_true(writer.size * TRACE_MEMORY_PER_BYTE < TRACE_MEMORY_ANYWAY / 5);
	free(payload);
	trace_block_writer_release(&writer);
	assert_int_equal(read_file(&counts, &state), ERROR_SWOLLEN);
	close(writer.fd);
}

static void test_swollen(void **test)
{
	(void)test;
	swell(TRACE_BLOCK_MODULES, "\5\0\0\0\0", 6);
	swell(TRACE_BLOCK_STRINGS, "", 1);
	swell(TRACE_BLOCK_META, "\2", 2);
	swell(TRACE_BLOCK_THREADS, "\3\1\0", 4);
	swell(TRACE_BLOCK_TIMELINE, "\4\0\0\0", 5);
	swell(TRACE_BLOCK_SYMBOLS, "\3\0\0", 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_written),
	    cmocka_unit_test(test_swollen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
