/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_TEST_RECORDER_TRACE_H
#define MALLOGRAPH_TEST_RECORDER_TRACE_H

/* Reads a trace whole, for the tests of the recorder: what its end says, and
 * what its events alone would say. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "formats/trace/reader.h"

enum { TRACE_IDS = 8192, TRACE_TAGS = 64 };

struct recorded {
	enum trace_state state;
	int complete;
	uint64_t end[TRACE_TAGS], meta[TRACE_TAGS];
	char parent_trace[256], program[256];
	unsigned arguments;

	uint32_t modules, nodes, classes, threads, points;
	struct trace_node node[TRACE_IDS];
	struct trace_class class_[TRACE_IDS];
	struct trace_class_counters class_counters[TRACE_IDS];
	struct trace_thread_counters thread_counters[TRACE_IDS];

	/* from the events */
	uint64_t allocations, deallocations, temporary, reallocations, unknown, inherited;
	uint64_t live_bytes, live_blocks, peak_bytes, peak_blocks, peak_tick;
};

static inline int recorded_meta(void *context, const struct trace_field *field)
{
	struct recorded *trace = context;
	char *text = field->tag == TRACE_META_PARENT_TRACE ? trace->parent_trace
		     : field->tag == TRACE_META_PROGRAM    ? trace->program
							   : NULL;

	trace->arguments += field->tag == TRACE_META_ARGUMENT;
	if (field->tag < TRACE_TAGS)
		trace->meta[field->tag] = field->number;
	if (text != NULL && field->bytes.size < 255)
		memcpy(text, field->bytes.bytes, field->bytes.size);
	return 0;
}

static inline int recorded_module(void *context, uint32_t id, const struct trace_module *module)
{
	(void)module;
	((struct recorded *)context)->modules = id;
	return 0;
}

static inline int recorded_node(void *context, uint32_t id, const struct trace_node *node)
{
	struct recorded *trace = context;

	assert_true(id < TRACE_IDS);
	trace->nodes = id;
	trace->node[id] = *node;
	return 0;
}

static inline int recorded_class(void *context, uint32_t id, const struct trace_class *class_)
{
	struct recorded *trace = context;

	assert_true(id < TRACE_IDS);
	trace->classes = id;
	trace->class_[id] = *class_;
	return 0;
}

static inline int recorded_thread(void *context, uint32_t id, uint64_t tid,
				  const struct trace_text *name)
{
	struct recorded *trace = context;

	(void)tid, (void)name;
	if (id > trace->threads)
		trace->threads = id;
	return 0;
}

static inline int recorded_event(void *context, const struct trace_event *event)
{
	struct recorded *trace = context;
	const struct trace_class *class_ = &trace->class_[event->class_id];

	switch (event->operation) {
	case TRACE_OPERATION_ALLOCATION:
		trace->allocations++;
		trace->reallocations += event->realloc != 0;
		trace->live_blocks++;
		trace->live_bytes += class_->size;
		if (trace->live_bytes > trace->peak_bytes) {
			trace->peak_bytes = trace->live_bytes;
			trace->peak_blocks = trace->live_blocks;
			trace->peak_tick = event->tick;
		}
		break;
	case TRACE_OPERATION_DEALLOCATION:
		trace->deallocations++;
		trace->temporary += event->age_allocations == 0;
		trace->live_blocks--;
		trace->live_bytes -= class_->size;
		break;
	case TRACE_OPERATION_UNKNOWN_FREE:
		trace->unknown++;
		break;
	case TRACE_OPERATION_INHERITED_FREE:
		trace->inherited++;
		break;
	}
	return 0;
}

static inline int recorded_events(void *context, const struct trace_event *events, size_t count)
{
	int result = 0;

	for (size_t i = 0; i < count && !result; i++)
		result = recorded_event(context, &events[i]);
	return result;
}

static inline int recorded_point(void *context, const struct trace_point *point)
{
	(void)point;
	((struct recorded *)context)->points++;
	return 0;
}

static inline int recorded_class_counters(void *context, uint32_t id,
					  const struct trace_class_counters *counters)
{
	assert_true(id < TRACE_IDS);
	((struct recorded *)context)->class_counters[id] = *counters;
	return 0;
}

static inline int recorded_thread_counters(void *context, uint32_t id,
					   const struct trace_thread_counters *counters)
{
	assert_true(id < TRACE_IDS);
	((struct recorded *)context)->thread_counters[id] = *counters;
	return 0;
}

static inline int recorded_end(void *context, const struct trace_field *field)
{
	if (field->tag < TRACE_TAGS)
		((struct recorded *)context)->end[field->tag] = field->number;
	return 0;
}

static inline void read_trace(struct recorded *trace, const char *path)
{
	static const struct trace_visitor visitor = {
	    .meta = recorded_meta,
	    .module = recorded_module,
	    .node = recorded_node,
	    .class_ = recorded_class,
	    .thread = recorded_thread,
	    .events = recorded_events,
	    .point = recorded_point,
	    .class_counters = recorded_class_counters,
	    .thread_counters = recorded_thread_counters,
	    .end = recorded_end,
	};
	struct trace_reader *reader;

	memset(trace, 0, sizeof(*trace));
	assert_int_equal(trace_reader_open(&reader, path), 0);
	trace->complete = trace_reader_complete(reader);
	assert_int_equal(trace_reader_read(reader, &visitor, trace, &trace->state), 0);
	trace_reader_close(reader);
}

/* What the events say and what the end says is the same. */
static inline void assert_consistent(const struct recorded *trace)
{
	uint64_t allocations = 0, deallocations = 0, temporary = 0, bytes = 0, peak = 0;

	assert_int_equal(trace->state, TRACE_COMPLETE);
	assert_int_equal(trace->end[TRACE_END_ALLOCATIONS], trace->allocations);
	assert_int_equal(trace->end[TRACE_END_DEALLOCATIONS], trace->deallocations);
	assert_int_equal(trace->end[TRACE_END_REALLOCATIONS], trace->reallocations);
	assert_int_equal(trace->end[TRACE_END_TEMPORARY], trace->temporary);
	assert_int_equal(trace->end[TRACE_END_LEAKED_BLOCKS], trace->live_blocks);
	assert_int_equal(trace->end[TRACE_END_LEAKED_BYTES], trace->live_bytes);
	assert_int_equal(trace->end[TRACE_END_PEAK_BYTES], trace->peak_bytes);
	assert_int_equal(trace->end[TRACE_END_PEAK_BLOCKS], trace->peak_blocks);
	assert_int_equal(trace->end[TRACE_END_PEAK_TICK], trace->peak_tick);
	assert_int_equal(trace->end[TRACE_END_UNKNOWN_FREES], trace->unknown);
	assert_int_equal(trace->end[TRACE_END_INHERITED_FREES], trace->inherited);
	for (uint32_t id = 1; id <= trace->classes; id++) {
		const struct trace_class_counters *counters = &trace->class_counters[id];

		allocations += counters->allocations;
		deallocations += counters->deallocations;
		temporary += counters->temporary;
		bytes += counters->allocations * trace->class_[id].size;
		peak += counters->peak_live * trace->class_[id].size;
	}
	assert_int_equal(allocations, trace->allocations);
	assert_int_equal(deallocations, trace->deallocations);
	assert_int_equal(temporary, trace->temporary);
	assert_int_equal(bytes, trace->end[TRACE_END_BYTES]);
	assert_int_equal(peak, trace->peak_bytes);
	allocations = deallocations = temporary = bytes = 0;
	for (uint32_t id = 1; id <= trace->threads; id++) {
		const struct trace_thread_counters *counters = &trace->thread_counters[id];

		allocations += counters->allocations;
		deallocations += counters->deallocations;
		temporary += counters->temporary;
		bytes += counters->bytes;
	}
	assert_int_equal(allocations, trace->allocations);
	assert_int_equal(deallocations, trace->deallocations);
	assert_int_equal(temporary, trace->temporary);
	assert_int_equal(bytes, trace->end[TRACE_END_BYTES]);
}

#endif
