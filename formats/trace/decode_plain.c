/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * EVENTS as version 1.0 wrote them, without TRACE_FLAG_GUESSED.
 *
 * The columns are read side by side, one cursor each: an operation's byte says
 * which of the others to advance. Most varints are one or two bytes, so those
 * are read in place and the rest out of line. A block's own state is in local
 * variables, so that the callback cannot force the compiler to store it.
 */
#include "formats/trace/decode.h"

enum { OPERATIONS, CLASSES, THREADS, TICKS, AGES };

struct columns {
	struct trace_cursor column[TRACE_PLAIN_EVENT_COLUMNS];
};

/* Up to four bytes are put together without a branch on how many they are,
 * which in a column of class ids nothing could predict. */
static inline int get(struct trace_cursor *cursor, uint64_t *value)
{
	const uint8_t *at = cursor->at;
	uint32_t word, ends, length;

	if (cursor->end - at < 4)
		return trace_get_varint(cursor, value);
	if (at[0] < 0x80) {
		*value = at[0];
		cursor->at = at + 1;
		return 0;
	}
	word = trace_get_u32(at);
	ends = ~word & 0x80808080u;
	if (!ends)
		return trace_get_varint_long(cursor, value);
	/* From the lowest bit up to the first byte's end: all that belongs to it. */
	word &= ends ^ (ends - 1);
	length = ((uint32_t)__builtin_ctz(ends) + 1) / 8;
	word =
	    (word & 0x7f) | (word >> 1 & 0x3f80) | (word >> 2 & 0x1fc000) | (word >> 3 & 0xfe00000);
	if (word >> 7 * (length - 1) == 0)
		return ERROR_DAMAGED;
	*value = word;
	cursor->at = at + length;
	return 0;
}

/* An ALLOCATION: 0, or what is wrong. */
static inline const char *decode_allocation(struct trace_decoder *decoder, struct columns *columns,
					    struct trace_event *event, unsigned operation)
{
	struct trace_class_state *class_;
	uint64_t id;

	if (operation & ~(TRACE_OPERATION_MASK | TRACE_OPERATION_REALLOC))
		return "the flags of an event";
	if (get(&columns->column[CLASSES], &id))
		return "a column of events";
	if (id - 1 >= decoder->class_count)
		return "the class of an event";
	class_ = &decoder->classes[id - 1];
	class_->live++;
	decoder->event_bytes += class_->size;
	if (decoder->event_bytes > TRACE_SUM_MAX)
		return "a sum of sizes over the limit";
	event->realloc = (operation & TRACE_OPERATION_REALLOC) != 0;
	event->class_id = (uint32_t)id;
	event->allocating_thread = event->thread;
	event->age_ticks = 0;
	event->age_allocations = 0;
	return NULL;
}

static inline const char *decode_deallocation(struct trace_decoder *decoder,
					      struct columns *columns, struct trace_event *event,
					      unsigned operation)
{
	struct trace_class_state *class_;
	uint64_t id, thread = event->thread;

	if (operation &
	    ~(TRACE_OPERATION_MASK | TRACE_OPERATION_REALLOC | TRACE_OPERATION_OTHER_THREAD))
		return "the flags of an event";
	if (get(&columns->column[CLASSES], &id) ||
	    get(&columns->column[TICKS], &event->age_ticks) ||
	    get(&columns->column[AGES], &event->age_allocations) ||
	    ((operation & TRACE_OPERATION_OTHER_THREAD) && get(&columns->column[THREADS], &thread)))
		return "a column of events";
	if (id - 1 >= decoder->class_count)
		return "the class of an event";
	if (thread - 1 >= decoder->threads)
		return "the thread of an event";
	class_ = &decoder->classes[id - 1];
	if (class_->live-- == 0)
		return "a deallocation without its allocation";
	if (event->age_ticks > event->tick)
		return "the age of a block";
	event->realloc = (operation & TRACE_OPERATION_REALLOC) != 0;
	event->class_id = (uint32_t)id;
	event->allocating_thread = (uint32_t)thread;
	return NULL;
}

static const char *decode_free(struct trace_event *event, unsigned operation)
{
	if (operation & ~TRACE_OPERATION_MASK)
		return "the flags of an event";
	event->realloc = 0;
	event->class_id = 0;
	event->allocating_thread = 0;
	event->age_ticks = 0;
	event->age_allocations = 0;
	return NULL;
}

/* THREAD, TICKS: no events of their own. */
static const char *decode_switch(struct trace_decoder *decoder, struct columns *columns,
				 struct trace_event *event, unsigned operation)
{
	uint64_t value;

	if (operation == TRACE_OPERATION_THREAD) {
		if (get(&columns->column[THREADS], &value))
			return "a column of events";
		if (value - 1 >= decoder->threads)
			return "the thread of an event";
		event->thread = (uint32_t)value;
		return NULL;
	}
	if (operation == TRACE_OPERATION_TICKS) {
		if (get(&columns->column[TICKS], &value))
			return "a column of events";
		if (value == 0 || value > TRACE_SUM_MAX - event->tick)
			return "the time of an event";
		event->tick += value;
		return NULL;
	}
	return "an unknown operation";
}

static int decode_operations(struct trace_decoder *decoder, struct columns columns,
			     struct trace_event event)
{
	struct trace_cursor *operations = &columns.column[OPERATIONS];
	const char *fault;

	while (operations->at < operations->end) {
		unsigned operation = *operations->at++;
		int result;

		event.operation = operation & TRACE_OPERATION_MASK;
		switch (event.operation) {
		case TRACE_OPERATION_ALLOCATION:
			fault = decode_allocation(decoder, &columns, &event, operation);
			break;
		case TRACE_OPERATION_DEALLOCATION:
			fault = decode_deallocation(decoder, &columns, &event, operation);
			break;
		case TRACE_OPERATION_UNKNOWN_FREE:
		case TRACE_OPERATION_INHERITED_FREE:
			fault = decode_free(&event, operation);
			break;
		default:
			fault = decode_switch(decoder, &columns, &event, operation);
			if (!fault)
				continue;
		}
		if (fault)
			return trace_fault(decoder, fault);
		result = trace_happened(decoder, &event);
		if (result)
			return result;
	}
	for (unsigned i = CLASSES; i < TRACE_PLAIN_EVENT_COLUMNS; i++)
		if (trace_left(&columns.column[i]))
			return trace_fault(decoder, "bytes behind the last event");
	decoder->event_tick = event.tick;
	return 0;
}

int trace_decode_plain_events(struct trace_decoder *decoder, uint64_t first_tick,
			      struct trace_cursor payload)
{
	struct trace_event event = {0};
	struct columns columns;
	uint64_t operations;

	if (trace_get_varint(&payload, &operations) ||
	    trace_get_varint32(&payload, &event.thread) || trace_get_varint(&payload, &event.tick))
		return trace_fault(decoder, "the start of events");
	if (trace_split_columns(&payload, columns.column, TRACE_PLAIN_EVENT_COLUMNS) ||
	    trace_left(&columns.column[OPERATIONS]) != operations)
		return trace_fault(decoder, "the columns of events");
	if (event.thread - 1 >= decoder->threads)
		return trace_fault(decoder, "the thread of an event");
	if (event.tick != first_tick || event.tick < decoder->event_tick ||
	    event.tick > TRACE_SUM_MAX)
		return trace_fault(decoder, "the first tick of events");
	return decode_operations(decoder, columns, event);
}
