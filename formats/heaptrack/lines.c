/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "formats/heaptrack/lines.h"

#include <stdlib.h>
#include <string.h>

#include "formats/error.h"

#define FIRST_ROOM ((size_t)1 << 18)
const unsigned char heaptrack_digits[256] = {
    ['0'] = 1, ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9, ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
};

int heaptrack_lines_init(struct heaptrack_lines *lines, struct trace_source *source)
{
	int error;

	*lines = (struct heaptrack_lines){.room = FIRST_ROOM};
	error = heaptrack_input_init(&lines->input, source);
	if (error)
		return error;
	lines->text = malloc(FIRST_ROOM);
	return lines->text ? 0 : ERROR_MEMORY;
}

void heaptrack_lines_release(struct heaptrack_lines *lines)
{
	heaptrack_input_release(&lines->input);
	free(lines->text);
	lines->text = NULL;
}

static int make_room(struct heaptrack_lines *lines, size_t count)
{
	size_t left = lines->end - lines->start;
	char *larger;

	if (lines->start) {
		memmove(lines->text, lines->text + lines->start, left);
		lines->start = 0;
		lines->end = left;
	}
	if (count <= lines->room)
		return 0;
	if (count > HEAPTRACK_LINE_MAX)
		return ERROR_LIMIT;
	larger = realloc(lines->text, count * 2);
	if (!larger)
		return ERROR_MEMORY;
	lines->text = larger;
	lines->room = count * 2;
	return 0;
}

int heaptrack_lines_need(struct heaptrack_lines *lines, size_t count)
{
	int error;

	if (lines->end - lines->start >= count || lines->ended)
		return 0;
	error = make_room(lines, count);
	while (!error && !lines->ended && lines->end - lines->start < count) {
		size_t got;

		lines->error = heaptrack_input_read(&lines->input, lines->text + lines->end,
						    lines->room - lines->end, &got);
		lines->end += got;
		lines->ended = got == 0;
	}
	return error;
}

/* Finds the newline behind `from` bytes; 1, 0 at the end, or an error. */
static int find_newline(struct heaptrack_lines *lines, size_t from, size_t *length)
{
	for (;;) {
		size_t left = lines->end - lines->start;
		const char *text = lines->text + lines->start;
		const char *found = from < left ? memchr(text + from, '\n', left - from) : NULL;
		int error;

		if (found) {
			*length = (size_t)(found - text);
			return 1;
		}
		if (lines->ended)
			return 0;
		from = left;
		error = heaptrack_lines_need(lines, left + 1);
		if (error)
			return error;
	}
}

static void set_record(const struct heaptrack_lines *lines, struct heaptrack_record *record,
		       size_t length)
{
	const char *text = lines->text + lines->start;

	record->letter = length ? *text : '\0';
	record->at = text + (length < 2 ? length : 2);
	record->end = text + length;
	record->size = length + 1;
}

int heaptrack_lines_peek(struct heaptrack_lines *lines, struct heaptrack_record *record)
{
	size_t length = 0;
	int found = find_newline(lines, 0, &length);

	if (found == 1)
		set_record(lines, record, length);
	return found;
}

void heaptrack_lines_skip(struct heaptrack_lines *lines, const struct heaptrack_record *record)
{
	lines->start += record->size;
}

int heaptrack_number(struct heaptrack_record *record, uint64_t most, uint64_t *number)
{
	const char *at = record->at;
	uint64_t value = 0;

	if (at == record->end)
		return 0;
	for (; at < record->end && *at != ' '; at++) {
		unsigned digit = heaptrack_digits[(unsigned char)*at];

		if (!digit || value > most >> 4)
			return -1;
		value = value << 4 | (digit - 1);
	}
	if (at == record->at || value > most)
		return -1;
	record->at = at < record->end ? at + 1 : at;
	*number = value;
	return 1;
}

int heaptrack_sized_text(struct heaptrack_lines *lines, struct heaptrack_record *record)
{
	const char *begin = lines->text + lines->start;
	size_t head, whole;
	uint64_t length;
	int found = heaptrack_number(record, HEAPTRACK_LINE_MAX, &length);

	if (found != 1)
		return ERROR_DAMAGED;
	/* an empty text has no space before it where writers trim their lines */
	head = (size_t)(record->at - begin);
	whole = head + (size_t)length;
	if (whole >= record->size) {
		found = heaptrack_lines_need(lines, whole + 1);
		if (found)
			return found;
		begin = lines->text + lines->start;
		if (lines->end - lines->start < whole + 1)
			return 0;
	}
	if (begin[whole] != '\n')
		return ERROR_DAMAGED;
	record->at = begin + head;
	record->end = begin + whole;
	record->size = whole + 1;
	return 1;
}
