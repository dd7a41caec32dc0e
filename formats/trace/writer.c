/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The writer's payloads, and what is written into them at any time: metadata,
 * definitions, the timeline. Events are in writer_events.c, what belongs to
 * the end in writer_end.c.
 */
#include "formats/trace/writer.h"

#include <stdlib.h>

#include "formats/trace/writer_internal.h"

/*
 * Without memory a trace is still finished: what it must have is written from room that is
 * taken at the beginning, in smaller blocks. FIRST_BYTES is more than any record but a string;
 * a module's path may be long. Whoever grows a payload takes along what writing it out needs.
 */
enum { COLUMNS_MOST = 4, FIRST_BYTES = 2048, FIRST_MODULE_BYTES = 8192 };

static const uint8_t columns_of[TRACE_BLOCK_END + 1] = {
    [TRACE_BLOCK_NODES] = TRACE_NODE_COLUMNS,
    [TRACE_BLOCK_CLASSES] = TRACE_CLASS_COLUMNS,
    [TRACE_BLOCK_CLASS_COUNTERS] = TRACE_COUNTER_COLUMNS,
    [TRACE_BLOCK_THREAD_COUNTERS] = TRACE_COUNTER_COLUMNS,
};

int trace_writer_fail(struct trace_writer *writer, int error)
{
	if (!writer->error)
		writer->error = error;
	writer->events.left = 0;
	return writer->error;
}

static int grow(struct trace_writer *writer, enum trace_block_type type, size_t bytes)
{
	struct trace_payload *payload = &writer->payload[type];
	size_t capacity = payload->capacity ? payload->capacity : FIRST_BYTES;
	uint8_t *grown;

	while (capacity < bytes)
		capacity *= 2;
	if (trace_block_reserve(&writer->blocks, capacity + TRACE_COLUMNS_HEAD))
		return ERROR_MEMORY;
	if (columns_of[type] && writer->turned_capacity < capacity) {
		grown = malloc(capacity + TRACE_COLUMNS_HEAD);
		if (!grown)
			return ERROR_MEMORY;
		free(writer->turned);
		writer->turned = grown;
		writer->turned_capacity = capacity;
	}
	grown = realloc(payload->bytes, capacity);
	if (!grown)
		return ERROR_MEMORY;
	payload->bytes = grown;
	payload->capacity = capacity;
	return 0;
}

struct trace_writer *trace_writer_new_blocks(int fd, enum trace_codec codec, int level)
{
	struct trace_writer *writer = calloc(1, sizeof(*writer));

	if (!writer)
		return NULL;
	writer->blocks.fd = fd;
	writer->only_blocks = 1;
	trace_compressor_init(&writer->blocks.compressor, codec, level);
	for (int i = TRACE_BLOCK_META; i <= TRACE_BLOCK_END; i++)
		if (i != TRACE_BLOCK_EVENTS &&
		    grow(writer, (enum trace_block_type)i,
			 i == TRACE_BLOCK_MODULES ? FIRST_MODULE_BYTES : FIRST_BYTES)) {
			trace_writer_free(writer);
			return NULL;
		}
	return writer;
}

int trace_writer_lack(const struct trace_writer *writer)
{
	return writer->error ? writer->error : ERROR_MEMORY;
}

struct trace_writer *trace_writer_new(int fd, enum trace_codec codec, int level)
{
	struct trace_writer *writer = trace_writer_new_blocks(fd, codec, level);
	uint8_t header[TRACE_HEADER_BYTES] = TRACE_MAGIC;
	int error;

	if (!writer)
		return NULL;
	writer->only_blocks = 0;
	trace_put_u16(header + 8, TRACE_MAJOR);
	trace_put_u16(header + 10, TRACE_MINOR);
	trace_put_u32(header + 12, 0);
	error = trace_block_write_raw(&writer->blocks, header, sizeof(header));
	if (error)
		trace_writer_fail(writer, error);
	return writer;
}

void trace_writer_free(struct trace_writer *writer)
{
	if (!writer)
		return;
	for (size_t i = 0; i <= TRACE_BLOCK_END; i++)
		free(writer->payload[i].bytes);
	free(writer->turned);
	trace_writer_release_events(writer);
	trace_block_writer_release(&writer->blocks);
	free(writer);
}

uint8_t *trace_writer_reserve(struct trace_writer *writer, enum trace_block_type type, size_t bytes)
{
	struct trace_payload *payload = &writer->payload[type];

	if (writer->error)
		return NULL;
	if (bytes > TRACE_BLOCK_BYTES - TRACE_COLUMNS_HEAD - payload->size &&
	    (type == TRACE_BLOCK_END || trace_writer_flush_through(writer, type)))
		return NULL;
	if (bytes > payload->capacity - payload->size &&
	    grow(writer, type, payload->size + bytes) &&
	    (bytes > payload->capacity || type == TRACE_BLOCK_END ||
	     trace_writer_flush_through(writer, type)))
		return NULL;
	if (payload->size == 0)
		payload->first_tick = writer->events.tick;
	return payload->bytes + payload->size;
}

void trace_writer_commit(struct trace_writer *writer, enum trace_block_type type,
			 const uint8_t *end)
{
	writer->payload[type].size = (size_t)(end - writer->payload[type].bytes);
	writer->payload[type].things++;
}

/* Rows of numbers as columns, behind their lengths: out has room for the rows and
 * TRACE_COLUMNS_HEAD. Returns the end. */
static uint8_t *turn(const struct trace_payload *rows, unsigned columns, uint8_t *out)
{
	const uint8_t *end = rows->bytes + rows->size;
	size_t length[COLUMNS_MOST] = {0};
	uint8_t *at[COLUMNS_MOST];
	unsigned column = 0;

	for (const uint8_t *from = rows->bytes; from < end; from++) {
		length[column]++;
		if (*from < 0x80)
			column = column + 1 < columns ? column + 1 : 0;
	}
	out = trace_put_varint(out, columns);
	for (unsigned i = 0; i < columns; i++)
		out = trace_put_varint(out, length[i]);
	for (unsigned i = 0; i < COLUMNS_MOST; i++) {
		at[i] = out;
		out += length[i];
	}
	for (const uint8_t *from = rows->bytes; from < end; from++) {
		*at[column]++ = *from;
		if (*from < 0x80)
			column = column + 1 < columns ? column + 1 : 0;
	}
	return out;
}

static int flush_payload(struct trace_writer *writer, enum trace_block_type type)
{
	struct trace_payload *payload = &writer->payload[type];
	const uint8_t *bytes = payload->bytes;
	size_t size = payload->size;
	int error;

	if (size == 0)
		return 0;
	if (columns_of[type]) {
		bytes = writer->turned;
		size = (size_t)(turn(payload, columns_of[type], writer->turned) - bytes);
	}
	writer->memory += payload->things * (uint64_t)trace_memory_thing(type) +
			  (columns_of[type] ? 0 : payload->size * trace_memory_byte(type));
	writer->blocks.plain = writer->memory > trace_memory_bound(writer->blocks.size);
	payload->size = payload->things = 0;
	error = trace_writer_put_block(writer, type, 0, payload->first_tick, bytes, size);
	writer->blocks.plain = 0;
	return error;
}

int trace_writer_flush_through(struct trace_writer *writer, enum trace_block_type type)
{
	for (int i = TRACE_BLOCK_META; i <= (int)type && !writer->error; i++) {
		if (i == TRACE_BLOCK_EVENTS)
			trace_writer_flush_events(writer);
		else
			flush_payload(writer, (enum trace_block_type)i);
	}
	return writer->error;
}

int trace_writer_flush(struct trace_writer *writer)
{
	return trace_writer_flush_through(writer, TRACE_BLOCK_THREAD_COUNTERS);
}

uint64_t trace_writer_size(const struct trace_writer *writer)
{
	return writer->blocks.size;
}

int trace_writer_errno(const struct trace_writer *writer)
{
	return writer->blocks.system_errno;
}

int trace_writer_record(struct trace_writer *writer, enum trace_block_type type,
			const uint64_t *numbers, unsigned count)
{
	uint8_t *at = trace_writer_reserve(writer, type, 1 + 8 * TRACE_VARINT_MAX);
	uint8_t *fields, *end;

	if (!at)
		return trace_writer_lack(writer);
	fields = end = at + 1;
	for (unsigned i = 0; i < count; i++)
		end = trace_put_varint(end, numbers[i]);
	*at = (uint8_t)(end - fields);
	trace_writer_commit(writer, type, end);
	return 0;
}

int trace_writer_row(struct trace_writer *writer, enum trace_block_type type,
		     const uint64_t *numbers, unsigned columns)
{
	uint8_t *at = trace_writer_reserve(writer, type, (size_t)columns * TRACE_VARINT_MAX);

	if (!at)
		return trace_writer_lack(writer);
	for (unsigned i = 0; i < columns; i++)
		at = trace_put_varint(at, numbers[i]);
	trace_writer_commit(writer, type, at);
	return 0;
}

int trace_writer_meta_bytes(struct trace_writer *writer, enum trace_meta_tag tag, const void *bytes,
			    size_t size)
{
	uint8_t *at;

	if (size > TRACE_STRING_MAX)
		return ERROR_LIMIT;
	at = trace_writer_reserve(writer, TRACE_BLOCK_META, 2 * TRACE_VARINT_MAX + size);
	if (!at)
		return trace_writer_lack(writer);
	at = trace_put_varint(at, tag);
	trace_writer_commit(writer, TRACE_BLOCK_META, trace_put_string(at, bytes, size));
	return 0;
}

int trace_writer_meta_number(struct trace_writer *writer, enum trace_meta_tag tag, uint64_t value)
{
	uint8_t number[TRACE_VARINT_MAX];

	return trace_writer_meta_bytes(writer, tag, number,
				       (size_t)(trace_put_varint(number, value) - number));
}

int trace_writer_module(struct trace_writer *writer, uint64_t start, uint64_t end, uint64_t base,
			const void *path, size_t path_bytes, const void *build_id,
			size_t build_id_bytes)
{
	size_t size;
	uint8_t *at;

	if (end < start)
		return ERROR_DAMAGED;
	if (path_bytes > TRACE_STRING_MAX / 2 || build_id_bytes > TRACE_STRING_MAX / 4)
		return ERROR_LIMIT;
	size = trace_varint_bytes(start) + trace_varint_bytes(end) + trace_varint_bytes(base) +
	       trace_varint_bytes(path_bytes) + path_bytes + trace_varint_bytes(build_id_bytes) +
	       build_id_bytes;
	at = trace_writer_reserve(writer, TRACE_BLOCK_MODULES, TRACE_VARINT_MAX + size);
	if (!at)
		return trace_writer_lack(writer);
	at = trace_put_varint(at, size);
	at = trace_put_varint(at, start);
	at = trace_put_varint(at, end);
	at = trace_put_varint(at, base);
	at = trace_put_string(at, path, path_bytes);
	at = trace_put_string(at, build_id, build_id_bytes);
	trace_writer_commit(writer, TRACE_BLOCK_MODULES, at);
	writer->modules++;
	return 0;
}

int trace_writer_node(struct trace_writer *writer, uint32_t parent, uint32_t module, int64_t offset,
		      unsigned flags)
{
	const uint64_t numbers[TRACE_NODE_COLUMNS] = {writer->nodes + UINT64_C(1) - parent, module,
						      trace_zigzag(offset), flags};
	int error;

	if (parent > writer->nodes || module > writer->modules || writer->nodes == UINT32_MAX)
		return writer->error ? writer->error : ERROR_DAMAGED;
	error = trace_writer_row(writer, TRACE_BLOCK_NODES, numbers, TRACE_NODE_COLUMNS);
	writer->nodes += !error;
	return error;
}

int trace_writer_class(struct trace_writer *writer, uint32_t node, uint64_t size, unsigned function)
{
	uint8_t *at;
	int64_t step;

	if (node > writer->nodes || size > INT64_MAX || function >= TRACE_FUNCTION_COUNT ||
	    writer->classes == UINT32_MAX)
		return writer->error ? writer->error : ERROR_DAMAGED;
	at = trace_writer_reserve(writer, TRACE_BLOCK_CLASSES,
				  TRACE_CLASS_COLUMNS * TRACE_VARINT_MAX);
	if (!at)
		return trace_writer_lack(writer);
	step = (int64_t)node - (writer->payload[TRACE_BLOCK_CLASSES].size ? writer->class_node : 0);
	writer->class_node = node;
	at = trace_put_varint(at, trace_zigzag(step));
	at = trace_put_varint(at, size);
	trace_writer_commit(writer, TRACE_BLOCK_CLASSES, trace_put_varint(at, function));
	writer->classes++;
	return 0;
}

int trace_writer_thread(struct trace_writer *writer, uint32_t thread, uint64_t tid,
			const char *name, size_t name_bytes)
{
	size_t size;
	uint8_t *at;

	if (thread == 0 || thread - 1 > writer->threads)
		return writer->error ? writer->error : ERROR_DAMAGED;
	if (name_bytes > TRACE_STRING_MAX / 2)
		return ERROR_LIMIT;
	size = trace_varint_bytes(thread) + trace_varint_bytes(tid) +
	       trace_varint_bytes(name_bytes) + name_bytes;
	at = trace_writer_reserve(writer, TRACE_BLOCK_THREADS, TRACE_VARINT_MAX + size);
	if (!at)
		return trace_writer_lack(writer);
	at = trace_put_varint(at, size);
	at = trace_put_varint(at, thread);
	at = trace_put_varint(at, tid);
	trace_writer_commit(writer, TRACE_BLOCK_THREADS, trace_put_string(at, name, name_bytes));
	if (thread > writer->threads)
		writer->threads = thread;
	return 0;
}

int trace_writer_timeline(struct trace_writer *writer, uint64_t tick, uint64_t live_bytes,
			  uint64_t live_blocks, uint64_t rss)
{
	const struct trace_payload *payload = &writer->payload[TRACE_BLOCK_TIMELINE];
	uint64_t numbers[] = {0, live_bytes, live_blocks, rss};
	int error;

	if (tick > INT64_MAX || live_bytes > INT64_MAX || live_blocks > INT64_MAX ||
	    rss > INT64_MAX)
		return writer->error ? writer->error : ERROR_DAMAGED;
	if (tick < writer->point_tick)
		tick = writer->point_tick;
	numbers[0] = tick - writer->point_tick;
	error = trace_writer_record(writer, TRACE_BLOCK_TIMELINE, numbers, 4);
	if (error)
		return error;
	if (payload->size == 1 + (size_t)payload->bytes[0])
		writer->payload[TRACE_BLOCK_TIMELINE].first_tick = tick;
	writer->point_tick = tick;
	return 0;
}
