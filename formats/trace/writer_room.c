/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is left out of a trace when there is no room for it.
 *
 * A disk may be full, and a trace may have a limit. Events make a trace large, and
 * it is whole without them: its counters say nearly all. So before a block that can be
 * missed is written, room for it and for all that must still follow is asked of the
 * file system; where that is refused, nothing of that kind is written any more. Where a file
 * system makes no promises, the first write that fails tells.
 */
#include "formats/trace/writer.h"

#include <errno.h>

#include "formats/trace/writer_internal.h"

/* Raw bytes of what is still to come, as it mostly is: records are smaller, and blocks are
 * compressed. Definitions that are not seen yet are more in a longer trace. */
enum { CLASS_BYTES = 12, THREAD_BYTES = 32, END_BYTES = 1024, UNSEEN_LEAST = 8192 };
#define UNSEEN_MOST  (UINT64_C(1) << 20)
#define UNSEEN_SHARE 16

void trace_writer_limit(struct trace_writer *writer, uint64_t bytes)
{
	writer->limit = bytes;
}

const struct trace_writer_stop *trace_writer_stopped(const struct trace_writer *writer)
{
	return &writer->stop;
}

int trace_writer_lacks_symbols(const struct trace_writer *writer)
{
	return writer->symbols_left_out;
}

void trace_writer_stop_events(struct trace_writer *writer, uint64_t tick, int number)
{
	if (!writer->stop.stopped)
		writer->stop = (struct trace_writer_stop){1, tick, number};
	writer->events.left = writer->events.granted = 0;
}

static uint64_t open_definitions(const struct trace_writer *writer)
{
	uint64_t bytes = 0;

	for (int i = TRACE_BLOCK_META; i < TRACE_BLOCK_EVENTS; i++)
		if (writer->payload[i].size)
			bytes +=
			    TRACE_BLOCK_HEADER_BYTES + TRACE_COLUMNS_HEAD + writer->payload[i].size;
	return bytes;
}

static uint64_t closing(const struct trace_writer *writer)
{
	return END_BYTES + open_definitions(writer) + CLASS_BYTES * (uint64_t)writer->classes +
	       THREAD_BYTES * (uint64_t)writer->threads;
}

static uint64_t unseen(const struct trace_writer *writer)
{
	uint64_t share = writer->blocks.size / UNSEEN_SHARE;

	return UNSEEN_LEAST + (share < UNSEEN_MOST ? share : UNSEEN_MOST);
}

/* A block is never larger than its payload, so one that is not larger than what is left fits;
 * compressed, it mostly leaves room for a further, smaller one. */
size_t trace_writer_events_room(const struct trace_writer *writer, int *number)
{
	uint64_t used = TRACE_BLOCK_HEADER_BYTES + open_definitions(writer);
	uint64_t room = trace_block_free(&writer->blocks, number);
	uint64_t kept = TRACE_BLOCK_HEADER_BYTES + closing(writer) + unseen(writer);

	room = room > kept ? room - kept : 0;
	used += writer->blocks.size;
	if (writer->limit && writer->limit < used + room) {
		room = writer->limit > used ? writer->limit - used : 0;
		*number = 0;
	}
	return room < TRACE_WRITER_EVENTS_BYTES ? (size_t)room : TRACE_WRITER_EVENTS_BYTES;
}

/* Names come when all has been seen. */
static int is_name(enum trace_block_type type)
{
	return type == TRACE_BLOCK_STRINGS || type == TRACE_BLOCK_SYMBOLS;
}

static int can_be_missed(const struct trace_writer *writer, enum trace_block_type type)
{
	return !writer->only_blocks &&
	       (type == TRACE_BLOCK_EVENTS || type == TRACE_BLOCK_TIMELINE || is_name(type));
}

static void leave_out(struct trace_writer *writer, enum trace_block_type type, uint64_t first_tick,
		      int number)
{
	if (number)
		writer->full_errno = number;
	if (is_name(type))
		writer->symbols_left_out = 1;
	else
		trace_writer_stop_events(
		    writer, type == TRACE_BLOCK_EVENTS ? first_tick : writer->events.tick, number);
}

int trace_writer_put_encoded(struct trace_writer *writer, enum trace_block_type type,
			     uint64_t first_tick, const uint8_t *block, size_t size)
{
	int missable = can_be_missed(writer, type), number = writer->full_errno, error;

	if (missable && type == TRACE_BLOCK_EVENTS && !number &&
	    (writer->stop.stopped ||
	     (writer->limit && writer->blocks.size + size > writer->limit))) {
		leave_out(writer, type, first_tick, 0);
		return 0;
	}
	if (missable && !number)
		number = trace_block_promise(
		    &writer->blocks, size + closing(writer) + (is_name(type) ? 0 : unseen(writer)));
	if (missable && number) {
		leave_out(writer, type, first_tick, number);
		return 0;
	}
	error = trace_block_write_raw(&writer->blocks, block, size);
	if (error && missable && trace_block_is_full(writer->blocks.system_errno)) {
		leave_out(writer, type, first_tick, writer->blocks.system_errno);
		writer->blocks.system_errno = 0;
		return 0;
	}
	return error ? trace_writer_fail(writer, error) : 0;
}

int trace_writer_put_block(struct trace_writer *writer, enum trace_block_type type, unsigned flags,
			   uint64_t first_tick, const uint8_t *payload, size_t bytes)
{
	size_t size;
	int error =
	    trace_block_encode(&writer->blocks, type, flags, first_tick, payload, bytes, &size);

	if (error == ERROR_MEMORY && can_be_missed(writer, type)) {
		if (is_name(type))
			writer->symbols_left_out = 1;
		else
			trace_writer_stop_events(writer, first_tick, ENOMEM);
		return 0;
	}
	if (error)
		return trace_writer_fail(writer, error);
	return trace_writer_put_encoded(writer, type, first_tick, writer->blocks.buffer, size);
}
