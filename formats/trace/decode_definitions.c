/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* META, END, MODULES, NODES, CLASSES, THREADS. */
#include "formats/trace/decode.h"

#include <stdlib.h>

/* A text as a number: one varint and nothing else. */
static uint64_t field_number(const struct trace_text *text)
{
	struct trace_cursor cursor = {(const uint8_t *)text->bytes,
				      (const uint8_t *)text->bytes + text->size};
	uint64_t number;

	if (trace_get_varint(&cursor, &number) || trace_left(&cursor))
		return 0;
	return number;
}

static int decode_fields(struct trace_decoder *decoder, struct trace_cursor payload,
			 int (*callback)(void *context, const struct trace_field *field),
			 int (*suppressions)(struct trace_decoder *decoder,
					     const struct trace_text *text))
{
	while (trace_left(&payload)) {
		struct trace_field field;
		uint32_t tag;
		int result;

		if (trace_get_varint32(&payload, &tag) || trace_get_string(&payload, &field.bytes))
			return trace_fault(decoder, "a field");
		field.tag = tag;
		field.number = field_number(&field.bytes);
		if (trace_take_memory(decoder, TRACE_BLOCK_META, field.bytes.size))
			return ERROR_SWOLLEN;
		result = callback ? trace_called(decoder, callback(decoder->context, &field)) : 0;
		if (!result && suppressions && tag == TRACE_META_SUPPRESSIONS)
			result = suppressions(decoder, &field.bytes);
		if (result)
			return result;
	}
	return 0;
}

static int decode_suppressions(struct trace_decoder *decoder, const struct trace_text *text)
{
	struct trace_cursor cursor = {(const uint8_t *)text->bytes,
				      (const uint8_t *)text->bytes + text->size};
	uint32_t module, string;

	if (trace_get_varint32(&cursor, &module) || trace_get_varint32(&cursor, &string))
		return trace_fault(decoder, "the field of suppressions");
	if (module == 0 || module > decoder->modules)
		return trace_fault(decoder, "the module of suppressions");
	if (string > decoder->strings)
		return trace_fault(decoder, "the string of suppressions");
	return trace_called(decoder,
			    decoder->visitor->suppressions(decoder->context, module, string));
}

int trace_decode_meta(struct trace_decoder *decoder, struct trace_cursor payload)
{
	return decode_fields(decoder, payload, decoder->visitor->meta,
			     decoder->visitor->suppressions ? decode_suppressions : NULL);
}

int trace_decode_end(struct trace_decoder *decoder, struct trace_cursor payload)
{
	if (decoder->class_counters != decoder->class_count)
		return trace_fault(decoder, "an end without the counters of every class");
	if (decoder->thread_counters != decoder->threads)
		return trace_fault(decoder, "an end without the counters of every thread");
	return decode_fields(decoder, payload, decoder->visitor->end, NULL);
}

int trace_decode_modules(struct trace_decoder *decoder, struct trace_cursor payload)
{
	while (trace_left(&payload)) {
		struct trace_module module;
		struct trace_cursor record;
		int result = 0;

		if (trace_get_record(&payload, &record) ||
		    trace_get_varint(&record, &module.start) ||
		    trace_get_varint(&record, &module.end) ||
		    trace_get_varint(&record, &module.base) ||
		    trace_get_string(&record, &module.path) ||
		    trace_get_string(&record, &module.build_id))
			return trace_fault(decoder, "a module");
		if (module.end < module.start)
			return trace_fault(decoder, "a module that ends before its start");
		if (decoder->modules == UINT32_MAX)
			return trace_fault(decoder, "too many modules");
		if (trace_take_memory(decoder, TRACE_BLOCK_MODULES,
				      module.path.size + module.build_id.size))
			return ERROR_SWOLLEN;
		decoder->modules++;
		if (decoder->visitor->module)
			result = trace_called(
			    decoder,
			    decoder->visitor->module(decoder->context, decoder->modules, &module));
		if (result)
			return result;
	}
	return 0;
}

int trace_decode_nodes(struct trace_decoder *decoder, struct trace_cursor payload)
{
	struct trace_cursor column[TRACE_NODE_COLUMNS];

	if (trace_get_columns(&payload, column, TRACE_NODE_COLUMNS))
		return trace_fault(decoder, "the columns of nodes");
	while (trace_columns_left(column, TRACE_NODE_COLUMNS)) {
		struct trace_node node;
		uint32_t back, flags;
		int result = 0;

		if (trace_get_varint32(&column[0], &back) ||
		    trace_get_varint32(&column[1], &node.module) ||
		    trace_get_signed(&column[2], &node.offset) ||
		    trace_get_varint32(&column[3], &flags))
			return trace_fault(decoder, "a node");
		if (decoder->nodes == UINT32_MAX)
			return trace_fault(decoder, "too many nodes");
		if (trace_take_memory(decoder, TRACE_BLOCK_NODES, 0))
			return ERROR_SWOLLEN;
		decoder->nodes++;
		if (back == 0 || back > decoder->nodes)
			return trace_fault(decoder, "the parent of a node");
		if (node.module > decoder->modules)
			return trace_fault(decoder, "the module of a node");
		node.parent = decoder->nodes - back;
		node.flags = flags;
		if (decoder->visitor->node)
			result =
			    trace_called(decoder, decoder->visitor->node(decoder->context,
									 decoder->nodes, &node));
		if (result)
			return result;
	}
	return 0;
}

static int remember_class(struct trace_decoder *decoder, uint64_t size)
{
	if (decoder->class_count == decoder->class_capacity) {
		size_t capacity = decoder->class_capacity ? decoder->class_capacity * 2 : 256;
		struct trace_class_state *grown =
		    realloc(decoder->classes, capacity * sizeof(*grown));

		if (!grown)
			return ERROR_MEMORY;
		decoder->classes = grown;
		decoder->class_capacity = capacity;
	}
	decoder->classes[decoder->class_count++] = (struct trace_class_state){.size = size};
	return 0;
}

int trace_decode_classes(struct trace_decoder *decoder, struct trace_cursor payload)
{
	struct trace_cursor column[TRACE_CLASS_COLUMNS];
	int check_nodes = trace_decoder_needs(decoder, TRACE_BLOCK_NODES);
	uint64_t node = 0;

	if (trace_get_columns(&payload, column, TRACE_CLASS_COLUMNS))
		return trace_fault(decoder, "the columns of classes");
	while (trace_columns_left(column, TRACE_CLASS_COLUMNS)) {
		struct trace_class class_;
		uint32_t function;
		int64_t step;
		int result;

		if (trace_get_signed(&column[0], &step) ||
		    trace_get_varint(&column[1], &class_.size) ||
		    trace_get_varint32(&column[2], &function))
			return trace_fault(decoder, "a class");
		node += (uint64_t)step;
		if (node > (check_nodes ? decoder->nodes : UINT32_MAX))
			return trace_fault(decoder, "the node of a class");
		class_.node = (uint32_t)node;
		if (class_.size > TRACE_SUM_MAX)
			return trace_fault(decoder, "the size of a class");
		if (function >= TRACE_FUNCTION_COUNT)
			return trace_fault(decoder, "the function of a class");
		if (decoder->class_count == UINT32_MAX)
			return trace_fault(decoder, "too many classes");
		class_.function = function;
		result = trace_take_memory(decoder, TRACE_BLOCK_CLASSES, 0);
		if (!result)
			result = remember_class(decoder, class_.size);
		if (!result && decoder->visitor->class_)
			result = trace_called(
			    decoder, decoder->visitor->class_(decoder->context,
							      decoder->class_count, &class_));
		if (result)
			return result;
	}
	return 0;
}

int trace_decode_threads(struct trace_decoder *decoder, struct trace_cursor payload)
{
	while (trace_left(&payload)) {
		struct trace_cursor record;
		struct trace_text name;
		uint32_t id;
		uint64_t tid;
		int result = 0;

		if (trace_get_record(&payload, &record) || trace_get_varint32(&record, &id) ||
		    trace_get_varint(&record, &tid) || trace_get_string(&record, &name))
			return trace_fault(decoder, "a thread");
		if (id == 0 || id - 1 > decoder->threads)
			return trace_fault(decoder, "the id of a thread");
		if (trace_take_memory(decoder, TRACE_BLOCK_THREADS, name.size))
			return ERROR_SWOLLEN;
		if (id > decoder->threads)
			decoder->threads = id;
		if (decoder->visitor->thread)
			result = trace_called(
			    decoder, decoder->visitor->thread(decoder->context, id, tid, &name));
		if (result)
			return result;
	}
	return 0;
}
