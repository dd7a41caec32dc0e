/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "formats/heaptrack/reader.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "formats/error.h"
#include "formats/heaptrack/lines.h"

/*
 * Nearly all records of a file are events, so read_events() takes those that lie
 * whole in the buffer without looking for their line's end first; whatever is
 * unusual about one it leaves to read_record(), which takes any record and tells
 * what is wrong with it.
 *
 * A class is heaptrack's "allocation info", (size, stack), and all that a
 * deallocation names. So which block of a class is given back is not known; what is
 * certain is that no class has more deallocations than allocations, and `live`
 * is there to check it.
 */

enum {
	NEWEST_FORMAT = 3,
	EVENTS_AT_ONCE = 256,
	EVENT_BYTES = 2 + 8, /* "+ fffffff\n" */
	IDS_MOST = UINT32_MAX - 1,
	SUPPRESSIONS_MOST = 1 << 16 /* a sanitizer's are written by hand */
};
/*
 * What the definitions of a file may take in memory, roughly: so much, and more
 * where the file's own size accounts for it. That is no bound for all files, and can be none:
 * one of 99 MB with 10^7 classes honestly takes 1.9 GB. Nor can there be much less for a byte:
 * of a program that allocates 1, 2, 3 ... bytes heaptrack makes 76, and 121 with zstd -19, while
 * most programs have 5 to 17. So a file of 1.9 MB may define what 256 MB hold.
 */
#define DEFINED_ANYWAY   ((uint64_t)64 << 20)
#define DEFINED_PER_BYTE 100
/* heaptrack's version when the format had no number of its own yet: format 1. */
#define VERSION_BEFORE_FORMATS 0x10200
/* Stops the reading with reader->stop. */
#define STOPPED 2

struct class_state {
	uint64_t size, live;
};

struct heaptrack_reader {
	struct heaptrack_lines lines;
	unsigned format;
	const struct heaptrack_visitor *visitor;
	void *context;
	int stop;
	int closed; /* its last comment was seen */
	int has_command;
	const char *fault;
	uint64_t defined; /* bytes that definitions take, roughly */
	uint64_t tick, bytes;
	uint32_t strings, addresses, nodes, suppressions; /* how many there are */
	struct class_state *classes;
	uint32_t class_count, class_room;
	uint32_t latest; /* the class when the event before was an allocation, else 0 */
	struct trace_frame *frames;
	size_t frame_room;
	size_t event_count;
	struct trace_event events[EVENTS_AT_ONCE];
};

static int damaged(struct heaptrack_reader *reader, const char *fault)
{
	reader->fault = fault;
	return ERROR_DAMAGED;
}

/* What a callback returned. */
static int called(struct heaptrack_reader *reader, int result)
{
	reader->stop = result;
	return result ? STOPPED : 0;
}

#define CALL(reader, callback, ...)                                                                \
	((reader)->visitor->callback                                                               \
	     ? called(reader, (reader)->visitor->callback((reader)->context, __VA_ARGS__))         \
	     : 0)

static int define(struct heaptrack_reader *reader, uint64_t bytes)
{
	reader->defined += bytes;
	return reader->defined <= DEFINED_ANYWAY + DEFINED_PER_BYTE * heaptrack_reader_used(reader)
		   ? 0
		   : ERROR_SWOLLEN;
}

static struct trace_text rest_of(const struct heaptrack_record *record)
{
	return (struct trace_text){record->at, (size_t)(record->end - record->at)};
}

/* --- events ------------------------------------------------------------------ */

static int flush_events(struct heaptrack_reader *reader)
{
	size_t count = reader->event_count;

	reader->event_count = 0;
	return count ? CALL(reader, events, reader->events, count) : 0;
}

/* Whether it is an allocation or a deallocation (dies) is hard to predict, so nothing is
 * decided by it. */
static inline int add_event(struct heaptrack_reader *reader, unsigned dies, uint32_t index)
{
	struct class_state *class_;
	struct trace_event *event;
	uint64_t new_bytes, other;

	if (index >= reader->class_count)
		return damaged(reader, "an event of an allocation that was not defined");
	class_ = &reader->classes[index++];
	new_bytes = class_->size & ((uint64_t)dies - 1);
	if (new_bytes > INT64_MAX - reader->bytes)
		return damaged(reader, "sizes beyond all bounds");
	if (class_->live < dies)
		return damaged(reader, "a deallocation without its allocation");
	class_->live += 1 - 2 * (uint64_t)dies;
	reader->bytes += new_bytes;
	other = dies & (reader->latest != index);
	event = &reader->events[reader->event_count];
	*event = (struct trace_event){
	    .operation = dies ? TRACE_OPERATION_DEALLOCATION : TRACE_OPERATION_ALLOCATION,
	    .class_id = index,
	    .tick = reader->tick,
	    .age_allocations = 0 - other,
	};
	reader->latest = index & (dies - 1);
	return ++reader->event_count == EVENTS_AT_ONCE ? flush_events(reader) : 0;
}

/* Up to seven digits and a line's end at once. Returns how many digits there are; 0: this is
 * something else. Each byte of `values` is a digit's value, if that digit is the byte which
 * stands for this value. */
static inline unsigned short_number(const char *at, uint32_t *number)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	uint64_t bytes, ends, values, letters;
	unsigned bits;

	memcpy(&bytes, at, sizeof(bytes));
	bytes = le64toh(bytes);
	ends = bytes ^ ones * '\n';
	ends = (ends - ones) & ~ends & ones * 0x80;
	bits = ends ? (unsigned)__builtin_ctzll(ends) & ~7u : 0;
	if (!bits)
		return 0;
	/* the digits go to the high end, zeros come before them */
	bytes = bytes << (64 - bits) | ones * '0' >> bits;
	values = (bytes & ones * 0x0f) + 9 * (bytes >> 6 & ones);
	letters = (values + ones * 6) >> 4 & ones;
	if ((values & ones * 0xf0) | (bytes ^ (values + ones * '0' + letters * ('a' - '9' - 1))))
		return 0;
	values = __builtin_bswap64(values);
	values = (values | values >> 4) & UINT64_C(0x00ff00ff00ff00ff);
	values = (values | values >> 8) & UINT64_C(0x0000ffff0000ffff);
	*number = (uint32_t)(values | values >> 16);
	return bits / 8;
}

static int read_events(struct heaptrack_reader *reader)
{
	struct heaptrack_lines *lines = &reader->lines;
	const char *at = lines->text + lines->start;
	const char *end = lines->text + lines->end;
	int error = 0;

	while (end - at >= EVENT_BYTES && (*at == '+' || *at == '-') && at[1] == ' ') {
		uint32_t index;
		unsigned digits = short_number(at + 2, &index);

		if (!digits)
			break;
		error = add_event(reader, *at == '-', index);
		if (error == ERROR_DAMAGED)
			break;
		at += 2 + digits + 1;
		if (error)
			break;
	}
	lines->start = (size_t)(at - lines->text);
	return error;
}

static int read_event(struct heaptrack_reader *reader, struct heaptrack_record *record)
{
	uint64_t index;

	if (heaptrack_number(record, UINT32_MAX, &index) != 1 || record->at != record->end)
		return damaged(reader, "an event without its number");
	return add_event(reader, record->letter == '-', (uint32_t)index);
}

/* --- definitions ------------------------------------------------------------- */

static int read_string(struct heaptrack_reader *reader, const struct heaptrack_record *record)
{
	struct trace_text text = rest_of(record);

	if (reader->strings == IDS_MOST)
		return ERROR_LIMIT;
	reader->strings++;
	return define(reader, text.size + 48) ?: CALL(reader, string, reader->strings, &text);
}

/* 1: a frame; 0: there is none; a frame may lack its file and line. */
static int read_frame(struct heaptrack_reader *reader, struct heaptrack_record *record,
		      struct trace_frame *frame)
{
	uint64_t function = 0, file = 0, line = 0;
	int found = heaptrack_number(record, reader->strings, &function);

	if (found == 1) {
		int more = heaptrack_number(record, reader->strings, &file);

		found = more < 0 ? -1 : 1;
		if (more == 1 && heaptrack_number(record, UINT32_MAX, &line) < 0)
			found = -1;
	}
	frame->function = (uint32_t)function;
	frame->file = (uint32_t)file;
	frame->line = (uint32_t)line;
	return found;
}

static int reserve_frame(struct heaptrack_reader *reader, size_t count)
{
	size_t room = reader->frame_room ? reader->frame_room * 2 : 16;
	struct trace_frame *larger;

	if (count < reader->frame_room)
		return 0;
	larger = reallocarray(reader->frames, room, sizeof(*larger));
	if (!larger)
		return ERROR_MEMORY;
	reader->frames = larger;
	reader->frame_room = room;
	return 0;
}

static int read_address(struct heaptrack_reader *reader, struct heaptrack_record *record)
{
	struct heaptrack_address address = {0};
	uint64_t module = 0;
	int found = heaptrack_number(record, UINT64_MAX, &address.address);

	if (reader->addresses == IDS_MOST)
		return ERROR_LIMIT;
	if (found != 1 || heaptrack_number(record, reader->strings, &module) < 0)
		return damaged(reader, "an address that refers to nothing");
	address.module = (uint32_t)module;
	for (;;) {
		struct trace_frame *frame;

		if (reserve_frame(reader, address.frame_count))
			return ERROR_MEMORY;
		frame = &reader->frames[address.frame_count];
		found = read_frame(reader, record, frame);
		if (found < 0)
			return damaged(reader, "a frame that refers to nothing");
		/* the first may have no names at all; what follows it is then none */
		if (!found || (!frame->function && !frame->file))
			break;
		address.frame_count++;
	}
	address.frames = reader->frames;
	reader->addresses++;
	return define(reader, 160 + 24 * address.frame_count)
		   ?: CALL(reader, address, reader->addresses, &address);
}

static int read_node(struct heaptrack_reader *reader, struct heaptrack_record *record)
{
	uint64_t address, parent;

	if (reader->nodes == IDS_MOST)
		return ERROR_LIMIT;
	if (heaptrack_number(record, reader->addresses, &address) != 1 ||
	    heaptrack_number(record, reader->nodes, &parent) != 1)
		return damaged(reader, "a stack that refers to nothing");
	reader->nodes++;
	return define(reader, 24)
		   ?: CALL(reader, node, reader->nodes, (uint32_t)address, (uint32_t)parent);
}

static int read_class(struct heaptrack_reader *reader, struct heaptrack_record *record)
{
	struct trace_class class_ = {.function = TRACE_FUNCTION_UNKNOWN};
	uint64_t node;

	if (reader->class_count == IDS_MOST)
		return ERROR_LIMIT;
	if (heaptrack_number(record, INT64_MAX, &class_.size) != 1 ||
	    heaptrack_number(record, reader->nodes, &node) != 1)
		return damaged(reader, "an allocation that refers to nothing");
	class_.node = (uint32_t)node;
	if (reader->class_count == reader->class_room) {
		uint32_t room =
		    reader->class_room ? reader->class_room + reader->class_room / 2 : 1024;
		struct class_state *larger =
		    room > reader->class_room ? reallocarray(reader->classes, room, sizeof(*larger))
					      : NULL;

		if (!larger)
			return ERROR_MEMORY;
		reader->classes = larger;
		reader->class_room = room;
	}
	reader->classes[reader->class_count++] = (struct class_state){.size = class_.size};
	return define(reader, 96) ?: CALL(reader, class_, reader->class_count, &class_);
}

/* --- the rest ------------------------------------------------------------------ */

static int read_clock(struct heaptrack_reader *reader, struct heaptrack_record *record)
{
	uint64_t tick;

	if (heaptrack_number(record, INT64_MAX - 1, &tick) != 1 || tick < reader->tick)
		return damaged(reader, "a clock that goes back");
	reader->tick = tick;
	return flush_events(reader) ?: CALL(reader, clock, tick);
}

static int read_rss(struct heaptrack_reader *reader, struct heaptrack_record *record)
{
	uint64_t pages;

	if (heaptrack_number(record, INT64_MAX, &pages) != 1)
		return damaged(reader, "an RSS without its number");
	return flush_events(reader) ?: CALL(reader, rss, reader->tick, pages);
}

static int read_system(struct heaptrack_reader *reader, struct heaptrack_record *record)
{
	uint64_t page_size;

	if (heaptrack_number(record, INT64_MAX, &page_size) != 1)
		return damaged(reader, "a page size without its number");
	return CALL(reader, system, page_size);
}

static int read_command(struct heaptrack_reader *reader, const struct heaptrack_record *record)
{
	struct trace_text text = rest_of(record);

	if (reader->has_command)
		return damaged(reader, "two commands");
	reader->has_command = 1;
	return CALL(reader, command, &text);
}

static int read_suppression(struct heaptrack_reader *reader, const struct heaptrack_record *record)
{
	struct trace_text text = rest_of(record);

	if (++reader->suppressions > SUPPRESSIONS_MOST)
		return ERROR_SWOLLEN;
	return define(reader, 3 * text.size + 48) ?: CALL(reader, suppression, &text);
}

static void read_comment(struct heaptrack_reader *reader, const struct heaptrack_record *record)
{
	static const char closing[] = "strings: ";

	reader->closed |= (size_t)(record->end - record->at) >= sizeof(closing) - 1 &&
			  !memcmp(record->at, closing, sizeof(closing) - 1);
}

static int read_record(struct heaptrack_reader *reader, struct heaptrack_record *record)
{
	switch (record->letter) {
	case '+':
	case '-':
		return read_event(reader, record);
	case 's':
		return read_string(reader, record);
	case 'i':
		return read_address(reader, record);
	case 't':
		return read_node(reader, record);
	case 'a':
		return read_class(reader, record);
	case 'c':
		return read_clock(reader, record);
	case 'R':
		return read_rss(reader, record);
	case 'I':
		return read_system(reader, record);
	case 'X':
		return read_command(reader, record);
	case 'S':
		return read_suppression(reader, record);
	case 'A':
		return reader->visitor->attached
			   ? called(reader, reader->visitor->attached(reader->context))
			   : 0;
	case '#':
		read_comment(reader, record);
		return 0;
	case '\0':
		return 0;
	case 'x':
	case 'm':
		return ERROR_RAW;
	}
	return damaged(reader, "a record of no known kind");
}

/* 1: one was read; 0: the text ends; or an error. */
static int next_record(struct heaptrack_reader *reader)
{
	struct heaptrack_record record;
	int error, found = heaptrack_lines_peek(&reader->lines, &record);

	if (found == 1 && reader->format >= 3 && (record.letter == 's' || record.letter == 'S'))
		found = heaptrack_sized_text(&reader->lines, &record);
	if (found == ERROR_DAMAGED)
		return damaged(reader, "a text of another length than it says");
	if (found == ERROR_LIMIT)
		return damaged(reader, "a line beyond all bounds");
	if (found != 1)
		return found;
	error = read_record(reader, &record);
	if (error && error != STOPPED)
		return error;
	heaptrack_lines_skip(&reader->lines, &record);
	return error ? error : 1;
}

/* --- the whole ------------------------------------------------------------------ */

/* "v 10400 3"; what begins otherwise is another kind of file. */
static int read_header(struct heaptrack_reader *reader)
{
	struct heaptrack_record record = {0};
	uint64_t version = 0, format = 0;
	int found = heaptrack_lines_need(&reader->lines, 64);
	size_t there = reader->lines.end - reader->lines.start;
	const char *text = reader->lines.text + reader->lines.start;

	if (found)
		return found;
	if (there == 0)
		return reader->lines.error ? reader->lines.error : ERROR_FOREIGN;
	if (there < 2 || memcmp(text, "v ", 2) || !memchr(text, '\n', there < 64 ? there : 64))
		return ERROR_FOREIGN;
	found = heaptrack_lines_peek(&reader->lines, &record);
	if (found != 1)
		return found ? found : ERROR_FOREIGN;
	if (heaptrack_number(&record, UINT32_MAX, &version) != 1)
		return ERROR_FOREIGN;
	found = heaptrack_number(&record, UINT32_MAX, &format);
	if (found == 0 && version == VERSION_BEFORE_FORMATS)
		format = 1;
	if (found < 0 || format == 0)
		return ERROR_FOREIGN;
	reader->format = (unsigned)format;
	heaptrack_lines_skip(&reader->lines, &record);
	return format > NEWEST_FORMAT ? ERROR_NEWER : 0;
}

int heaptrack_reader_open(struct heaptrack_reader **reader, struct trace_source *source)
{
	struct heaptrack_reader *new_reader = calloc(1, sizeof(*new_reader));
	int error;

	*reader = NULL;
	if (!new_reader) {
		trace_source_release(source);
		return ERROR_MEMORY;
	}
	error = heaptrack_lines_init(&new_reader->lines, source);
	if (!error)
		error = read_header(new_reader);
	if (error) {
		heaptrack_reader_close(new_reader);
		return error;
	}
	*reader = new_reader;
	return 0;
}

void heaptrack_reader_close(struct heaptrack_reader *reader)
{
	if (!reader)
		return;
	heaptrack_lines_release(&reader->lines);
	free(reader->classes);
	free(reader->frames);
	free(reader);
}

/* How the text ended, when every record of it was sound. */
static int end_state(struct heaptrack_reader *reader, enum trace_state *state)
{
	const struct heaptrack_lines *lines = &reader->lines;

	*state = TRACE_CUT;
	if (lines->error == ERROR_DAMAGED) {
		*state = TRACE_DAMAGED;
		reader->fault = "its compressed data";
	} else if (lines->error && lines->error != ERROR_CUT_OFF) {
		return lines->error;
	} else if (!lines->error && reader->closed && lines->start == lines->end) {
		*state = TRACE_COMPLETE;
	}
	return 0;
}

int heaptrack_reader_read(struct heaptrack_reader *reader, const struct heaptrack_visitor *visitor,
			  void *context, enum trace_state *state)
{
	int result = 1;

	reader->visitor = visitor;
	reader->context = context;
	*state = TRACE_DAMAGED;
	while (result == 1) {
		result = read_events(reader);
		if (!result)
			result = next_record(reader);
	}
	if (result == 0 || result == ERROR_DAMAGED) {
		int flushed = flush_events(reader);

		result = flushed ? flushed : result;
	}
	if (result == STOPPED)
		return reader->stop;
	if (result == ERROR_DAMAGED)
		return 0;
	return result ? result : end_state(reader, state);
}

uint64_t heaptrack_reader_used(const struct heaptrack_reader *reader)
{
	const struct heaptrack_input *input = &reader->lines.input;

	return input->offset - (input->count - input->at);
}

uint64_t heaptrack_reader_size(const struct heaptrack_reader *reader)
{
	const struct heaptrack_input *input = &reader->lines.input;

	return input->source.fd < 0 ? input->offset : input->source.size;
}

const char *heaptrack_reader_fault(const struct heaptrack_reader *reader)
{
	return reader->fault;
}
