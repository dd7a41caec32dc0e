/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_HEAPTRACK_LINES_H
#define MALLOGRAPH_HEAPTRACK_LINES_H

/* The lines of a heaptrack file and the numbers in them. Private to formats/heaptrack. */

#include <stddef.h>
#include <stdint.h>

#include "formats/heaptrack/input.h"

/* The longest line; names of functions are long, but not that long. */
#define HEAPTRACK_LINE_MAX ((size_t)8 << 20)

struct heaptrack_lines {
	struct heaptrack_input input;
	char *text; /* [start, end) is not read yet */
	size_t start, end, room;
	int ended; /* nothing comes behind end */
	int error; /* why, when it is not simply the end: ERROR_CUT_OFF, ERROR_DAMAGED, ... */
};

/* Takes the source over, on errors too; release in both cases. Errors: those of
 * heaptrack_input_init(). */
int heaptrack_lines_init(struct heaptrack_lines *lines, struct trace_source *source);
void heaptrack_lines_release(struct heaptrack_lines *lines);

/* Makes `count` bytes from start on be there, unless the text ends before; moves
 * them. ERROR_LIMIT over HEAPTRACK_LINE_MAX, ERROR_MEMORY, 0. */
int heaptrack_lines_need(struct heaptrack_lines *lines, size_t count);

/* The bytes of a record behind its letter and a space; `at` moves through. */
struct heaptrack_record {
	char letter; /* '\0': an empty line */
	const char *at, *end;
	size_t size; /* of all of it with its newline: what heaptrack_lines_skip() takes */
};

/* The record at start, valid until the next call that moves lines; start is not
 * changed. 1: there is one; 0: the text ends, or ends within a line; ERROR_LIMIT,
 * ERROR_MEMORY. */
int heaptrack_lines_peek(struct heaptrack_lines *lines, struct heaptrack_record *record);
void heaptrack_lines_skip(struct heaptrack_lines *lines, const struct heaptrack_record *record);

/* The next hexadecimal number, at most `most`. 1: there was one; 0: the record
 * has no more; -1: anything else. */
int heaptrack_number(struct heaptrack_record *record, uint64_t most, uint64_t *number);

/* "c text with c bytes, newlines too": at and end are then around the text, and size covers
 * it all. 1: there it is; 0: the text ends before; ERROR_DAMAGED (no such
 * length), ERROR_LIMIT, ERROR_MEMORY. */
int heaptrack_sized_text(struct heaptrack_lines *lines, struct heaptrack_record *record);

/* A digit's value and one; 0 for what is no digit, upper case too. */
extern const unsigned char heaptrack_digits[256];

#endif
