/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_TESTS_TRACE_SAMPLE_H
#define MALLOGRAPH_TESTS_TRACE_SAMPLE_H

/*
 * What the trace tests share: a text of everything that a reader hands to its
 * visitor (one line for each call), and a small trace that has a block of
 * every type.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "formats/error.h"
#include "formats/numbers.h"
#include "formats/trace/reader.h"
#include "formats/trace/writer.h"

#define SAMPLE_UNUSED __attribute__((unused))

static const char *sample_text(const struct trace_text *text)
{
	static char buffers[4][300];
	static unsigned turn;
	char *buffer = buffers[turn++ % 4];

	text_escape(buffer, sizeof(buffers[0]), text->bytes, text->size);
	return buffer;
}

static int sample_meta(void *out, const struct trace_field *field)
{
	fprintf(out, "meta %u \"%s\" %" PRIu64 "\n", field->tag, sample_text(&field->bytes),
		field->number);
	return 0;
}

static int sample_suppressions(void *out, uint32_t module, uint32_t string)
{
	fprintf(out, "suppressions %u %u\n", module, string);
	return 0;
}

static int sample_module(void *out, uint32_t id, const struct trace_module *module)
{
	fprintf(out, "module %u %" PRIx64 " %" PRIx64 " %" PRIx64 " \"%s\" \"%s\"\n", id,
		module->start, module->end, module->base, sample_text(&module->path),
		sample_text(&module->build_id));
	return 0;
}

static int sample_node(void *out, uint32_t id, const struct trace_node *node)
{
	fprintf(out, "node %u parent %u module %u offset %" PRId64 " flags %u\n", id, node->parent,
		node->module, node->offset, node->flags);
	return 0;
}

static int sample_class(void *out, uint32_t id, const struct trace_class *class_)
{
	fprintf(out, "class %u node %u size %" PRIu64 " function %u\n", id, class_->node,
		class_->size, class_->function);
	return 0;
}

static int sample_thread(void *out, uint32_t id, uint64_t tid, const struct trace_text *name)
{
	fprintf(out, "thread %u tid %" PRIu64 " \"%s\"\n", id, tid, sample_text(name));
	return 0;
}

static int sample_event(void *out, const struct trace_event *event)
{
	static const char *const names[] = {
	    [TRACE_OPERATION_ALLOCATION] = "allocation",
	    [TRACE_OPERATION_DEALLOCATION] = "deallocation",
	    [TRACE_OPERATION_UNKNOWN_FREE] = "unknown-free",
	    [TRACE_OPERATION_INHERITED_FREE] = "inherited-free",
	};

	fprintf(out, "%s%s thread %u class %u by %u tick %" PRIu64 " age %" PRIu64 " %u\n",
		names[event->operation], event->realloc ? " realloc" : "", event->thread,
		event->class_id, event->allocating_thread, event->tick, event->age_ticks,
		event->age_allocations);
	return 0;
}

static int sample_events(void *out, const struct trace_event *events, size_t count)
{
	int result = 0;

	for (size_t i = 0; i < count && !result; i++)
		result = sample_event(out, &events[i]);
	return result;
}

static int sample_point(void *out, const struct trace_point *point)
{
	fprintf(out, "point %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", point->tick,
		point->live_bytes, point->live_blocks, point->rss);
	return 0;
}

static int sample_string(void *out, uint32_t id, const struct trace_text *string)
{
	fprintf(out, "string %u \"%s\"\n", id, sample_text(string));
	return 0;
}

static int sample_symbol(void *out, uint32_t module, int64_t offset,
			 const struct trace_frame *frames, size_t count)
{
	fprintf(out, "symbol %u %" PRId64, module, offset);
	for (size_t i = 0; i < count; i++)
		fprintf(out, " (%u %u %u)", frames[i].function, frames[i].file, frames[i].line);
	fprintf(out, "\n");
	return 0;
}

static int sample_class_counters(void *out, uint32_t id, const struct trace_class_counters *c)
{
	fprintf(out, "class-counters %u %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", id,
		c->allocations, c->deallocations, c->temporary, c->peak_live);
	return 0;
}

static int sample_thread_counters(void *out, uint32_t id, const struct trace_thread_counters *c)
{
	fprintf(out, "thread-counters %u %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", id,
		c->allocations, c->deallocations, c->temporary, c->bytes);
	return 0;
}

static int sample_end(void *out, const struct trace_field *field)
{
	fprintf(out, "end %u %" PRIu64 "\n", field->tag, field->number);
	return 0;
}

SAMPLE_UNUSED static const struct trace_visitor sample_visitor = {
    .meta = sample_meta,
    .suppressions = sample_suppressions,
    .module = sample_module,
    .node = sample_node,
    .class_ = sample_class,
    .thread = sample_thread,
    .events = sample_events,
    .point = sample_point,
    .string = sample_string,
    .symbol = sample_symbol,
    .class_counters = sample_class_counters,
    .thread_counters = sample_thread_counters,
    .end = sample_end,
};

/* A reading, from opening to closing. text is to be freed. */
struct sample_reading {
	int open_error, read_error;
	enum trace_state state;
	int complete;
	uint64_t used, size;
	char fault[100];
	char *text;
};

SAMPLE_UNUSED static void sample_read(struct sample_reading *reading, const char *path)
{
	struct trace_reader *reader;
	size_t bytes;
	FILE *out = open_memstream(&reading->text, &bytes);

	reading->read_error = 0;
	reading->state = TRACE_DAMAGED;
	reading->complete = 0;
	reading->used = reading->size = 0;
	reading->fault[0] = '\0';
	reading->open_error = trace_reader_open(&reader, path);
	if (!reading->open_error) {
		reading->complete = trace_reader_complete(reader);
		reading->read_error =
		    trace_reader_read(reader, &sample_visitor, out, &reading->state);
		reading->used = trace_reader_used(reader);
		reading->size = trace_reader_size(reader);
		snprintf(reading->fault, sizeof(reading->fault), "%s",
			 trace_reader_fault(reader) ? trace_reader_fault(reader) : "");
		trace_reader_close(reader);
	}
	fclose(out);
}

/* Reads bytes as if they were a file. */
SAMPLE_UNUSED static void sample_read_bytes(struct sample_reading *reading, const void *bytes,
					    size_t size)
{
	char path[64];
	int fd = memfd_create("trace", 0);

	if (fd < 0 || (size && write(fd, bytes, size) != (ssize_t)size))
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	sample_read(reading, path);
	close(fd);
}

/* All that was written to fd; to be freed. */
SAMPLE_UNUSED static uint8_t *sample_bytes(int fd, size_t *size)
{
	off_t end = lseek(fd, 0, SEEK_END);
	uint8_t *bytes = malloc((size_t)end + 1);

	*size = (size_t)end;
	if (!bytes || pread(fd, bytes, *size, 0) != end)
		abort();
	return bytes;
}

/* Definitions, events and timeline of the sample, without its end. */
SAMPLE_UNUSED static int sample_write_start(struct trace_writer *writer)
{
	struct trace_deallocation gone = {.class_id = 2, .allocating_thread = 1, .sequence = 2};
	struct trace_deallocation old = {.class_id = 1,
					 .allocating_thread = 1,
					 .age_ticks = 300,
					 .age_allocations = 2,
					 .realloc = 1};
	int error = 0;

	error |= trace_writer_meta_bytes(writer, TRACE_META_PROGRAM, "/bin/a", 6);
	error |= trace_writer_meta_bytes(writer, TRACE_META_ARGUMENT, "", 0);
	error |= trace_writer_meta_bytes(writer, TRACE_META_ARGUMENT, "\x1b[m", 3);
	error |= trace_writer_meta_number(writer, TRACE_META_START, UINT64_MAX);
	error |= trace_writer_flush(writer);
	error |= trace_writer_module(writer, 0x401000, 0x402000, 0, "/bin/a", 6, "\xbe\xef", 2);
	error |= trace_writer_module(writer, 1, UINT64_MAX, UINT64_MAX, "", 0, "", 0);
	error |= trace_writer_node(writer, 0, 1, 0x50, 0);
	error |= trace_writer_node(writer, 1, 2, INT64_MIN, TRACE_NODE_GUESSED);
	error |= trace_writer_node(writer, 0, 0, INT64_MAX, TRACE_NODE_CUT);
	error |= trace_writer_class(writer, 2, 100, TRACE_FUNCTION_MALLOC);
	error |= trace_writer_class(writer, 0, UINT64_C(5) << 32, TRACE_FUNCTION_NEW);
	error |= trace_writer_thread(writer, 1, 4242, "a", 1);
	error |= trace_writer_allocation(writer, 0, 1, 1, 0);
	error |= trace_writer_allocation(writer, 7, 1, 2, 0);
	error |= trace_writer_deallocation(writer, 7, 1, &gone);
	error |= trace_writer_thread(writer, 2, 4243, "worker", 6);
	error |= trace_writer_thread(writer, 1, 4242, "renamed", 7);
	error |= trace_writer_allocation(writer, 5, 2, 1, 0);
	error |= trace_writer_deallocation(writer, 300, 2, &old);
	error |= trace_writer_allocation(writer, 300, 2, 2, 1);
	error |= trace_writer_unknown_free(writer, 300, 1, 0);
	error |= trace_writer_unknown_free(writer, 301, 1, 1);
	error |= trace_writer_timeline(writer, 7, 100, 1, 0);
	error |= trace_writer_timeline(writer, 300, UINT64_C(5) << 32, 2, 123456);
	error |= trace_writer_flush(writer);
	return error;
}

SAMPLE_UNUSED static int sample_write_end(struct trace_writer *writer)
{
	struct trace_frame frames[] = {{1, 2, 77}, {3, 0, 0}};
	struct trace_class_counters one = {2, 1, 0, 2}, two = {2, 1, 1, 1};
	struct trace_thread_counters first = {2, 2, 1, 1}, second = {2, 0, 0, 2};
	int error = 0;

	error |= trace_writer_string(writer, "inlined", 7);
	error |= trace_writer_string(writer, "/src/a.c", 8);
	error |= trace_writer_string(writer, "main", 4);
	error |= trace_writer_symbol(writer, 1, 0x50, frames, 2);
	error |= trace_writer_symbol(writer, 0, INT64_MIN, NULL, 0);
	error |= trace_writer_class_counters(writer, &one);
	error |= trace_writer_class_counters(writer, &two);
	error |= trace_writer_thread_counters(writer, &first);
	error |= trace_writer_thread_counters(writer, &second);
	error |= trace_writer_end_number(writer, TRACE_END_HOW, TRACE_ENDING_EXITED);
	error |= trace_writer_end_number(writer, TRACE_END_BYTES, UINT64_MAX);
	return error;
}

/* What sample_write_start() reads as. */
#define SAMPLE_START                                                                               \
	"meta 1 \"/bin/a\" 0\n"                                                                    \
	"meta 2 \"\" 0\n"                                                                          \
	"meta 2 \"\\x1b[m\" 0\n"                                                                   \
	"meta 6 \"\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x01\" 18446744073709551615\n"     \
	"module 1 401000 402000 0 \"/bin/a\" \"\\xbe\\xef\"\n"                                     \
	"module 2 1 ffffffffffffffff ffffffffffffffff \"\" \"\"\n"                                 \
	"node 1 parent 0 module 1 offset 80 flags 0\n"                                             \
	"node 2 parent 1 module 2 offset -9223372036854775808 flags 1\n"                           \
	"node 3 parent 0 module 0 offset 9223372036854775807 flags 2\n"                            \
	"class 1 node 2 size 100 function 1\n"                                                     \
	"class 2 node 0 size 21474836480 function 10\n"                                            \
	"thread 1 tid 4242 \"a\"\n"                                                                \
	"thread 2 tid 4243 \"worker\"\n"                                                           \
	"thread 1 tid 4242 \"renamed\"\n"                                                          \
	"allocation thread 1 class 1 by 1 tick 0 age 0 0\n"                                        \
	"allocation thread 1 class 2 by 1 tick 7 age 0 0\n"                                        \
	"deallocation thread 1 class 2 by 1 tick 7 age 0 0\n"                                      \
	"allocation thread 2 class 1 by 2 tick 7 age 0 0\n"                                        \
	"deallocation realloc thread 2 class 1 by 1 tick 300 age 300 2\n"                          \
	"allocation realloc thread 2 class 2 by 2 tick 300 age 0 0\n"                              \
	"unknown-free thread 1 class 0 by 0 tick 300 age 0 0\n"                                    \
	"inherited-free thread 1 class 0 by 0 tick 301 age 0 0\n"                                  \
	"point 7 100 1 0\n"                                                                        \
	"point 300 21474836480 2 123456\n"

#define SAMPLE_END                                                                                 \
	"string 1 \"inlined\"\n"                                                                   \
	"string 2 \"/src/a.c\"\n"                                                                  \
	"string 3 \"main\"\n"                                                                      \
	"symbol 1 80 (1 2 77) (3 0 0)\n"                                                           \
	"symbol 0 -9223372036854775808\n"                                                          \
	"class-counters 1 2 1 0 2\n"                                                               \
	"class-counters 2 2 1 1 1\n"                                                               \
	"thread-counters 1 2 2 1 1\n"                                                              \
	"thread-counters 2 2 0 0 2\n"                                                              \
	"end 1 1\n"                                                                                \
	"end 12 18446744073709551615\n"

#endif
