/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* STRINGS, SYMBOLS, TIMELINE and the counters. */
#include "formats/trace/decode.h"

#include <stdlib.h>

int trace_decode_strings(struct trace_decoder *decoder, struct trace_cursor payload)
{
	while (trace_left(&payload)) {
		struct trace_text string;
		int result = 0;

		if (trace_get_string(&payload, &string))
			return trace_fault(decoder, "a string");
		if (decoder->strings == UINT32_MAX)
			return trace_fault(decoder, "too many strings");
		if (trace_take_memory(decoder, TRACE_BLOCK_STRINGS, string.size))
			return ERROR_SWOLLEN;
		decoder->strings++;
		if (decoder->visitor->string)
			result = trace_called(
			    decoder,
			    decoder->visitor->string(decoder->context, decoder->strings, &string));
		if (result)
			return result;
	}
	return 0;
}

static int decode_frames(struct trace_decoder *decoder, struct trace_cursor *record, size_t count)
{
	if (count > decoder->frame_capacity) {
		struct trace_frame *frames = malloc(count * sizeof(*frames));

		if (!frames)
			return ERROR_MEMORY;
		free(decoder->frames);
		decoder->frames = frames;
		decoder->frame_capacity = count;
	}
	for (size_t i = 0; i < count; i++) {
		struct trace_frame *frame = &decoder->frames[i];

		if (trace_get_varint32(record, &frame->function) ||
		    trace_get_varint32(record, &frame->file) ||
		    trace_get_varint32(record, &frame->line))
			return trace_fault(decoder, "a frame of a symbol");
		if (frame->function > decoder->strings || frame->file > decoder->strings)
			return trace_fault(decoder, "the string of a symbol");
	}
	return 0;
}

int trace_decode_symbols(struct trace_decoder *decoder, struct trace_cursor payload)
{
	while (trace_left(&payload)) {
		struct trace_cursor record;
		uint32_t module;
		int64_t offset;
		uint64_t count;
		int result;

		if (trace_get_record(&payload, &record) || trace_get_varint32(&record, &module) ||
		    trace_get_signed(&record, &offset) || trace_get_varint(&record, &count))
			return trace_fault(decoder, "a symbol");
		if (module > decoder->modules)
			return trace_fault(decoder, "the module of a symbol");
		if (count > trace_left(&record) / TRACE_FRAME_LEAST)
			return trace_fault(decoder, "the number of frames of a symbol");
		if (trace_take_memory(decoder, TRACE_BLOCK_SYMBOLS, count * TRACE_MEMORY_FRAME))
			return ERROR_SWOLLEN;
		result = decode_frames(decoder, &record, count);
		if (!result && decoder->visitor->symbol)
			result = trace_called(
			    decoder, decoder->visitor->symbol(decoder->context, module, offset,
							      decoder->frames, count));
		if (result)
			return result;
	}
	return 0;
}

int trace_decode_timeline(struct trace_decoder *decoder, uint64_t first_tick,
			  struct trace_cursor payload)
{
	int first = 1;

	while (trace_left(&payload)) {
		struct trace_cursor record;
		struct trace_point point;
		uint64_t ticks;
		int result = 0;

		if (trace_get_record(&payload, &record) || trace_get_varint(&record, &ticks) ||
		    trace_get_varint(&record, &point.live_bytes) ||
		    trace_get_varint(&record, &point.live_blocks) ||
		    trace_get_varint(&record, &point.rss))
			return trace_fault(decoder, "a point of the timeline");
		if (point.live_bytes > TRACE_SUM_MAX || point.live_blocks > TRACE_SUM_MAX ||
		    point.rss > TRACE_SUM_MAX)
			return trace_fault(decoder, "a value of the timeline");
		if (ticks > TRACE_SUM_MAX - decoder->point_tick)
			return trace_fault(decoder, "the time of a point");
		decoder->point_tick += ticks;
		if (first && decoder->point_tick != first_tick)
			return trace_fault(decoder, "the first tick of a timeline block");
		first = 0;
		if (trace_take_memory(decoder, TRACE_BLOCK_TIMELINE, 0))
			return ERROR_SWOLLEN;
		point.tick = decoder->point_tick;
		if (decoder->visitor->point)
			result = trace_called(decoder,
					      decoder->visitor->point(decoder->context, &point));
		if (result)
			return result;
	}
	return 0;
}

static int class_sane(struct trace_decoder *decoder, const struct trace_class_counters *counters,
		      uint64_t size)
{
	uint64_t bytes;

	return counters->allocations <= TRACE_SUM_MAX &&
	       counters->deallocations <= counters->allocations &&
	       counters->temporary <= counters->deallocations &&
	       counters->peak_live <= counters->allocations &&
	       !__builtin_mul_overflow(counters->allocations, size, &bytes) &&
	       !__builtin_add_overflow(decoder->class_bytes, bytes, &decoder->class_bytes) &&
	       decoder->class_bytes <= TRACE_SUM_MAX;
}

int trace_decode_class_counters(struct trace_decoder *decoder, struct trace_cursor payload)
{
	struct trace_cursor column[TRACE_COUNTER_COLUMNS];
	int result = 0;

	if (trace_get_columns(&payload, column, TRACE_COUNTER_COLUMNS))
		return trace_fault(decoder, "the columns of counters");
	while (!result && trace_columns_left(column, TRACE_COUNTER_COLUMNS)) {
		struct trace_class_counters counters;
		uint64_t live;

		if (trace_get_varint(&column[0], &counters.allocations) ||
		    trace_get_varint(&column[1], &live) ||
		    trace_get_varint(&column[2], &counters.temporary) ||
		    trace_get_varint(&column[3], &counters.peak_live))
			return trace_fault(decoder, "the counters of a class");
		counters.deallocations = counters.allocations - live;
		if (decoder->class_counters == decoder->class_count)
			return trace_fault(decoder, "counters of a class that does not exist");
		if (!class_sane(decoder, &counters, decoder->classes[decoder->class_counters].size))
			return trace_fault(decoder, "impossible counters of a class");
		decoder->class_counters++;
		if (decoder->visitor->class_counters)
			result = trace_called(
			    decoder, decoder->visitor->class_counters(
					 decoder->context, decoder->class_counters, &counters));
	}
	return result;
}

static int thread_sane(struct trace_decoder *decoder, const struct trace_thread_counters *counters)
{
	return counters->allocations <= TRACE_SUM_MAX &&
	       counters->deallocations <= counters->allocations &&
	       counters->temporary <= counters->deallocations &&
	       !__builtin_add_overflow(decoder->thread_bytes, counters->bytes,
				       &decoder->thread_bytes) &&
	       decoder->thread_bytes <= TRACE_SUM_MAX;
}

int trace_decode_thread_counters(struct trace_decoder *decoder, struct trace_cursor payload)
{
	struct trace_cursor column[TRACE_COUNTER_COLUMNS];
	int result = 0;

	if (trace_get_columns(&payload, column, TRACE_COUNTER_COLUMNS))
		return trace_fault(decoder, "the columns of counters");
	while (!result && trace_columns_left(column, TRACE_COUNTER_COLUMNS)) {
		struct trace_thread_counters counters;
		uint64_t live;

		if (trace_get_varint(&column[0], &counters.allocations) ||
		    trace_get_varint(&column[1], &live) ||
		    trace_get_varint(&column[2], &counters.temporary) ||
		    trace_get_varint(&column[3], &counters.bytes))
			return trace_fault(decoder, "the counters of a thread");
		counters.deallocations = counters.allocations - live;
		if (decoder->thread_counters == decoder->threads)
			return trace_fault(decoder, "counters of a thread that does not exist");
		if (!thread_sane(decoder, &counters))
			return trace_fault(decoder, "impossible counters of a thread");
		decoder->thread_counters++;
		if (decoder->visitor->thread_counters)
			result = trace_called(
			    decoder, decoder->visitor->thread_counters(
					 decoder->context, decoder->thread_counters, &counters));
	}
	return result;
}
