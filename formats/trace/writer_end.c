/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is written when the program has ended: symbols, counters, END. */
#include "formats/trace/writer.h"

#include <zlib.h>

#include "formats/trace/writer_internal.h"

int trace_writer_string(struct trace_writer *writer, const char *bytes, size_t size)
{
	uint8_t *at;

	if (size > TRACE_STRING_MAX || writer->borrowed)
		return ERROR_LIMIT;
	at = trace_writer_reserve(writer, TRACE_BLOCK_STRINGS, TRACE_VARINT_MAX + size);
	if (!at)
		return trace_writer_lack(writer);
	trace_writer_commit(writer, TRACE_BLOCK_STRINGS, trace_put_string(at, bytes, size));
	writer->strings++;
	return 0;
}

int trace_writer_symbol(struct trace_writer *writer, uint32_t module, int64_t offset,
			const struct trace_frame *frames, size_t count)
{
	size_t size;
	uint8_t *at;

	if (!writer->only_blocks && module > writer->modules)
		return writer->error ? writer->error : ERROR_DAMAGED;
	if (count > TRACE_STRING_MAX / (3 * 5) - 3)
		return ERROR_LIMIT;
	size = trace_varint_bytes(module) + trace_varint_bytes(trace_zigzag(offset)) +
	       trace_varint_bytes(count);
	for (size_t i = 0; i < count; i++) {
		if (!writer->borrowed &&
		    (frames[i].function > writer->strings || frames[i].file > writer->strings))
			return writer->error ? writer->error : ERROR_DAMAGED;
		size += trace_varint_bytes(frames[i].function) +
			trace_varint_bytes(frames[i].file) + trace_varint_bytes(frames[i].line);
	}
	at = trace_writer_reserve(writer, TRACE_BLOCK_SYMBOLS, TRACE_VARINT_MAX + size);
	if (!at)
		return trace_writer_lack(writer);
	at = trace_put_varint(at, size);
	at = trace_put_varint(at, module);
	at = trace_put_varint(at, trace_zigzag(offset));
	at = trace_put_varint(at, count);
	for (size_t i = 0; i < count; i++) {
		at = trace_put_varint(at, frames[i].function);
		at = trace_put_varint(at, frames[i].file);
		at = trace_put_varint(at, frames[i].line);
	}
	trace_writer_commit(writer, TRACE_BLOCK_SYMBOLS, at);
	return 0;
}

/* META goes before the strings in each flush, so these are written out first. */
int trace_writer_suppressions(struct trace_writer *writer, uint32_t module, uint32_t string)
{
	uint8_t field[2 * TRACE_VARINT_MAX];

	if (module == 0 || (!writer->only_blocks && module > writer->modules) ||
	    string > writer->strings)
		return writer->error ? writer->error : ERROR_DAMAGED;
	if (trace_writer_flush(writer) || writer->symbols_left_out)
		return writer->error;
	return trace_writer_meta_bytes(
	    writer, TRACE_META_SUPPRESSIONS, field,
	    (size_t)(trace_put_varint(trace_put_varint(field, module), string) - field));
}

int trace_writer_class_counters(struct trace_writer *writer, const struct trace_class_counters *c)
{
	const uint64_t numbers[TRACE_COUNTER_COLUMNS] = {
	    c->allocations, c->allocations - c->deallocations, c->temporary, c->peak_live};
	int error;

	if (writer->class_counters == writer->classes || c->deallocations > c->allocations)
		return writer->error ? writer->error : ERROR_DAMAGED;
	error =
	    trace_writer_row(writer, TRACE_BLOCK_CLASS_COUNTERS, numbers, TRACE_COUNTER_COLUMNS);
	writer->class_counters += !error;
	return error;
}

int trace_writer_thread_counters(struct trace_writer *writer, const struct trace_thread_counters *c)
{
	const uint64_t numbers[TRACE_COUNTER_COLUMNS] = {
	    c->allocations, c->allocations - c->deallocations, c->temporary, c->bytes};
	int error;

	if (writer->thread_counters == writer->threads || c->deallocations > c->allocations)
		return writer->error ? writer->error : ERROR_DAMAGED;
	error =
	    trace_writer_row(writer, TRACE_BLOCK_THREAD_COUNTERS, numbers, TRACE_COUNTER_COLUMNS);
	writer->thread_counters += !error;
	return error;
}

int trace_writer_end_number(struct trace_writer *writer, enum trace_end_tag tag, uint64_t value)
{
	uint8_t *at = trace_writer_reserve(writer, TRACE_BLOCK_END, 3 * TRACE_VARINT_MAX);

	if (!at)
		return writer->error ? writer->error : ERROR_LIMIT;
	at = trace_put_varint(at, tag);
	at = trace_put_varint(at, trace_varint_bytes(value));
	trace_writer_commit(writer, TRACE_BLOCK_END, trace_put_varint(at, value));
	return 0;
}

int trace_writer_finish(struct trace_writer *writer)
{
	struct trace_payload *end = &writer->payload[TRACE_BLOCK_END];
	int error = trace_writer_flush(writer);

	if (error)
		return error;
	/* No reader would take such a trace as complete. */
	if (writer->class_counters != writer->classes || writer->thread_counters != writer->threads)
		return ERROR_DAMAGED;
	error = trace_writer_put_block(writer, TRACE_BLOCK_END, 0, writer->events.tick, end->bytes,
				       end->size);
	trace_block_settle(&writer->blocks);
	if (error)
		return error;
	/* Nothing may follow the end. */
	trace_writer_fail(writer, ERROR_LIMIT);
	return 0;
}

/* The whole, sound block that bytes begin with, header included; 0: none. */
static size_t whole_block(const uint8_t *bytes, size_t size, struct trace_block_header *header)
{
	const uint8_t *payload = bytes + TRACE_BLOCK_HEADER_BYTES;
	const char *fault;

	if (size < TRACE_BLOCK_HEADER_BYTES || trace_block_header_decode(header, bytes, &fault) ||
	    header->stored_bytes > size - TRACE_BLOCK_HEADER_BYTES ||
	    crc32(0, payload, header->stored_bytes) != header->checksum)
		return 0;
	return TRACE_BLOCK_HEADER_BYTES + (size_t)header->stored_bytes;
}

int trace_writer_blocks(struct trace_writer *writer, const void *bytes, size_t size,
			size_t *taken_bytes)
{
	const uint8_t *at = bytes;
	const uint8_t *end = at + size;
	struct trace_block_header header;
	size_t block;
	int error = 0;

	*taken_bytes = 0;
	if (!writer->error && writer->strings)
		return ERROR_LIMIT;
	trace_writer_flush(writer);
	while (!writer->error && (block = whole_block(at, (size_t)(end - at), &header)) != 0) {
		if (header.type == TRACE_BLOCK_STRINGS || header.type == TRACE_BLOCK_SYMBOLS) {
			error = trace_writer_put_encoded(writer, header.type, 0, at, block);
			writer->borrowed = 1;
		}
		if (error)
			return error;
		at += block;
		*taken_bytes += block;
	}
	return writer->error;
}
