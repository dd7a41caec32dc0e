/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "formats/trace/reader.h"

#include <stdlib.h>

#include "formats/trace/decode.h"

struct trace_reader {
	struct trace_source source;
	struct trace_block_reader blocks;
	uint64_t used;
	const char *fault;
};

void trace_decoder_release(struct trace_decoder *decoder)
{
	free(decoder->classes);
	free(decoder->frames);
	trace_replay_free(decoder->replay);
}

int trace_decode_block(struct trace_decoder *decoder, const struct trace_block_header *header,
		       struct trace_cursor payload)
{
	switch (header->type) {
	case TRACE_BLOCK_META:
		return trace_decode_meta(decoder, payload);
	case TRACE_BLOCK_MODULES:
		return trace_decode_modules(decoder, payload);
	case TRACE_BLOCK_NODES:
		return trace_decode_nodes(decoder, payload);
	case TRACE_BLOCK_CLASSES:
		return trace_decode_classes(decoder, payload);
	case TRACE_BLOCK_THREADS:
		return trace_decode_threads(decoder, payload);
	case TRACE_BLOCK_EVENTS:
		return trace_decode_events(decoder, header->first_tick, payload);
	case TRACE_BLOCK_TIMELINE:
		return trace_decode_timeline(decoder, header->first_tick, payload);
	case TRACE_BLOCK_STRINGS:
		return trace_decode_strings(decoder, payload);
	case TRACE_BLOCK_SYMBOLS:
		return trace_decode_symbols(decoder, payload);
	case TRACE_BLOCK_CLASS_COUNTERS:
		return trace_decode_class_counters(decoder, payload);
	case TRACE_BLOCK_THREAD_COUNTERS:
		return trace_decode_thread_counters(decoder, payload);
	case TRACE_BLOCK_END:
		return trace_decode_end(decoder, payload);
	default:
		return 0;
	}
}

/* Length, magic, version and reserved bytes, in this order; a file too short
 * for its header is foreign when it begins otherwise. */
static int check_header(struct trace_source *source)
{
	uint8_t bytes[TRACE_HEADER_BYTES];
	size_t there = source->size < sizeof(bytes) ? (size_t)source->size : sizeof(bytes);
	size_t magic = there < TRACE_MAGIC_BYTES ? there : TRACE_MAGIC_BYTES;
	int error;

	if (there == 0)
		return ERROR_EMPTY;
	error = trace_source_read(source, 0, bytes, there);
	if (error)
		return error;
	if (memcmp(bytes, TRACE_MAGIC, magic) != 0)
		return ERROR_FOREIGN;
	if (there < sizeof(bytes))
		return ERROR_CUT_OFF;
	if (trace_get_u16(bytes + 8) == 0)
		return ERROR_FOREIGN;
	if (trace_get_u16(bytes + 8) < TRACE_MAJOR)
		return ERROR_OLDER;
	if (trace_get_u16(bytes + 8) > TRACE_MAJOR || trace_get_u32(bytes + 12) != 0)
		return ERROR_NEWER;
	return 0;
}

int trace_reader_open_source(struct trace_reader **reader, struct trace_source *source)
{
	int error = check_header(source);

	*reader = NULL;
	if (error)
		return error;
	*reader = calloc(1, sizeof(**reader));
	if (!*reader)
		return ERROR_MEMORY;
	(*reader)->source = *source;
	(*reader)->used = TRACE_HEADER_BYTES;
	return 0;
}

int trace_reader_open(struct trace_reader **reader, const char *path)
{
	struct trace_source source;
	int error = trace_source_open(&source, path);

	*reader = NULL;
	if (error)
		return error;
	error = trace_reader_open_source(reader, &source);
	if (error)
		trace_source_release(&source);
	return error;
}

void trace_reader_close(struct trace_reader *reader)
{
	if (!reader)
		return;
	trace_source_release(&reader->source);
	trace_block_reader_release(&reader->blocks);
	free(reader);
}

int trace_reader_complete(struct trace_reader *reader)
{
	struct trace_block_header header;
	uint64_t offset = TRACE_HEADER_BYTES;
	const char *fault;

	while (!trace_block_find(&reader->source, offset, &header, &fault)) {
		offset += TRACE_BLOCK_HEADER_BYTES + header.stored_bytes;
		if (header.type == TRACE_BLOCK_END)
			return offset == reader->source.size;
	}
	return 0;
}

int trace_decoder_needs(const struct trace_decoder *decoder, unsigned type)
{
	const struct trace_visitor *visitor = decoder->visitor;
	int stacks = visitor->module || visitor->node || visitor->symbol || visitor->suppressions ||
		     (visitor->class_ && !visitor->nodes_known);
	int counters = visitor->class_counters || visitor->thread_counters || visitor->end;

	switch (type) {
	case TRACE_BLOCK_META:
		return visitor->meta || visitor->suppressions;
	case TRACE_BLOCK_MODULES:
	case TRACE_BLOCK_NODES:
		return stacks;
	case TRACE_BLOCK_CLASSES:
		return stacks || counters || visitor->events;
	case TRACE_BLOCK_THREADS:
		return visitor->thread || counters || visitor->events;
	case TRACE_BLOCK_EVENTS:
		return visitor->events != NULL;
	case TRACE_BLOCK_TIMELINE:
		return visitor->point != NULL;
	case TRACE_BLOCK_STRINGS:
	case TRACE_BLOCK_SYMBOLS:
		return visitor->string || visitor->symbol || visitor->suppressions;
	case TRACE_BLOCK_CLASS_COUNTERS:
	case TRACE_BLOCK_THREAD_COUNTERS:
	case TRACE_BLOCK_END:
		return counters;
	default:
		return 0;
	}
}

/* One block at reader->used. *ended is set behind END. */
static int read_block(struct trace_reader *reader, struct trace_decoder *decoder, int *ended)
{
	struct trace_block_header header;
	struct trace_cursor payload;
	int error = trace_block_find(&reader->source, reader->used, &header, &decoder->fault);

	if (error)
		return error;
	if (trace_decoder_needs(decoder, header.type)) {
		decoder->memory_bound = trace_memory_bound(reader->used + TRACE_BLOCK_HEADER_BYTES +
							   header.stored_bytes);
		error = trace_block_payload(&reader->blocks, &reader->source, reader->used, &header,
					    &payload, &decoder->fault);
		if (!error)
			error = trace_decode_block(decoder, &header, payload);
		if (error)
			return error;
	}
	reader->used += TRACE_BLOCK_HEADER_BYTES + header.stored_bytes;
	*ended = header.type == TRACE_BLOCK_END;
	return 0;
}

/* A reader that arrives at the end of a growing file. The lock is looked at
 * before the size: once it is seen free, nothing is written any more, so a size
 * seen after it is the last one. */
static int at_file_end(struct trace_reader *reader, enum trace_state *state)
{
	int locked = trace_source_locked(&reader->source);

	if (!locked && trace_source_refresh(&reader->source))
		return 0;
	*state = locked ? TRACE_RECORDING : TRACE_CUT;
	return 1;
}

static int read_blocks(struct trace_reader *reader, struct trace_decoder *decoder,
		       enum trace_state *state)
{
	int ended = 0;

	while (!ended) {
		int error = read_block(reader, decoder, &ended);

		if (error == ERROR_CUT_OFF) {
			if (at_file_end(reader, state))
				return 0;
			continue;
		}
		if (error) {
			*state = TRACE_DAMAGED;
			return error == ERROR_DAMAGED ? 0 : error;
		}
	}
	*state = TRACE_COMPLETE;
	if (reader->used != reader->source.size) {
		decoder->fault = "bytes behind the end";
		*state = TRACE_DAMAGED;
	}
	return 0;
}

int trace_reader_read(struct trace_reader *reader, const struct trace_visitor *visitor,
		      void *context, enum trace_state *state)
{
	struct trace_decoder decoder = {.visitor = visitor, .context = context};
	int result;

	reader->used = TRACE_HEADER_BYTES;
	trace_source_refresh(&reader->source);
	result = read_blocks(reader, &decoder, state);
	reader->fault = result == 0 && *state == TRACE_DAMAGED ? decoder.fault : NULL;
	if (result == DECODE_STOPPED)
		result = decoder.stop;
	trace_decoder_release(&decoder);
	return result;
}

const char *trace_reader_fault(const struct trace_reader *reader)
{
	return reader->fault;
}

uint64_t trace_reader_used(const struct trace_reader *reader)
{
	return reader->used;
}

uint64_t trace_reader_size(const struct trace_reader *reader)
{
	return reader->source.size;
}
