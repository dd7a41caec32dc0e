/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include "tests/fuzz/trace_text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static void wrong(const struct corpus *corpus, const char *what)
{
	fprintf(stderr, "%s:%u: %s\n", corpus->path, corpus->line, what);
	abort();
}

static void put(struct corpus_bytes *bytes, const void *from, size_t size)
{
	if (size > CORPUS_BYTES - bytes->size)
		abort();
	memcpy(bytes->at + bytes->size, from, size);
	bytes->size += size;
}

static void put_varint(struct corpus_bytes *bytes, uint64_t value)
{
	uint8_t varint[TRACE_VARINT_MAX];

	put(bytes, varint, (size_t)(trace_put_varint(varint, value) - varint));
}

static void insert_varint(struct corpus_bytes *bytes, size_t at, uint64_t value)
{
	uint8_t tail[4096];
	size_t size = bytes->size - at;

	if (size > sizeof(tail))
		abort();
	memcpy(tail, bytes->at + at, size);
	bytes->size = at;
	put_varint(bytes, value);
	put(bytes, tail, size);
}

/* Ends the columns: their number and lengths go before them. */
static void close_columns(struct corpus *corpus)
{
	struct corpus_bytes *out = &corpus->payload;
	size_t length[CORPUS_NESTING], start = corpus->column[0], size = out->size - start;
	uint8_t columns[4096];

	while (corpus->named && corpus->columns < TRACE_EVENT_COLUMNS)
		corpus->column[corpus->columns++] = out->size;
	corpus->named = 0;
	for (size_t i = 0; i < corpus->columns; i++)
		length[i] = (i + 1 < corpus->columns ? corpus->column[i + 1] : out->size) -
			    corpus->column[i];
	memcpy(columns, out->at + start, size);
	out->size = start;
	put_varint(out, corpus->columns);
	for (size_t i = 0; i < corpus->columns; i++)
		put_varint(out, length[i]);
	put(out, columns, size);
	corpus->columns = 0;
}

/* The column that has just begun is one of EVENTS; those before that were not named are empty. */
static void name_column(struct corpus *corpus, const char *name)
{
	static const char *const names[TRACE_EVENT_COLUMNS] = {
	    [TRACE_COLUMN_OPERATIONS] = "operations",
	    [TRACE_COLUMN_OTHERS] = "others",
	    [TRACE_COLUMN_RUNS] = "runs",
	    [TRACE_COLUMN_CLASSES] = "classes",
	    [TRACE_COLUMN_THREADS] = "threads",
	    [TRACE_COLUMN_TICKS] = "ticks",
	    [TRACE_COLUMN_AGES] = "ages",
	    [TRACE_COLUMN_STEPS] = "steps",
	    [TRACE_COLUMN_BIRTH_RUNS] = "birth-runs",
	    [TRACE_COLUMN_BIRTHS] = "births",
	};
	size_t number = 0;

	while (number < TRACE_EVENT_COLUMNS && (!names[number] || strcmp(names[number], name) != 0))
		number++;
	if (number == TRACE_EVENT_COLUMNS || number + 1 < corpus->columns || !corpus->columns)
		wrong(corpus, "what is this column?");
	corpus->named = 1;
	while (corpus->columns <= number)
		corpus->column[corpus->columns++] = corpus->payload.size;
}

/* One item of a block, or of a `raw` line (where strings have no length). */
static void add_item(struct corpus *corpus, struct corpus_bytes *out, const char *item, int raw)
{
	unsigned byte;

	switch (item[0]) {
	case '"':
		if (!raw)
			put_varint(out, strlen(item + 1));
		put(out, item + 1, strlen(item + 1));
		break;
	case '(':
		if (corpus->depth == CORPUS_NESTING)
			wrong(corpus, "too many (");
		corpus->open[corpus->depth++] = out->size;
		break;
	case ')':
		if (!corpus->depth)
			wrong(corpus, ") without (");
		corpus->depth--;
		insert_varint(out, corpus->open[corpus->depth],
			      out->size - corpus->open[corpus->depth]);
		break;
	case '[':
	case '|':
		if (corpus->columns == CORPUS_NESTING)
			wrong(corpus, "too many columns");
		corpus->column[corpus->columns++] = out->size;
		break;
	case ']':
		close_columns(corpus);
		break;
	case 'x':
		for (const char *at = item + 1; sscanf(at, "%2x", &byte) == 1; at += 2)
			put(out, &(uint8_t){(uint8_t)byte}, 1);
		break;
	case 's':
		if (!isdigit((unsigned char)item[1]) && item[1] != '-')
			return name_column(corpus, item);
		put_varint(out, trace_zigzag(strtoll(item + 1, NULL, 0)));
		break;
	default:
		if (!raw && isalpha((unsigned char)item[0]))
			return name_column(corpus, item);
		if (!isdigit((unsigned char)item[0]))
			wrong(corpus, "what is this item?");
		put_varint(out, strtoull(item, NULL, 0));
	}
}

/* The next word of a line; of a quoted one the opening quote stays as a mark. */
static char *next_word(char **line)
{
	char *start = *line + strspn(*line, " \t\n"), *end;

	if (!*start || *start == '#')
		return NULL;
	end =
	    *start == '"' ? start + 1 + strcspn(start + 1, "\"") : start + strcspn(start, " \t\n");
	*line = *end ? end + 1 : end;
	*end = '\0';
	return start;
}

static unsigned block_type(const struct corpus *corpus, const char *name)
{
	static const char *const names[] = {
	    NULL,     "META",     "MODULES", "NODES",   "CLASSES",        "THREADS",
	    "EVENTS", "TIMELINE", "STRINGS", "SYMBOLS", "CLASS_COUNTERS", "THREAD_COUNTERS",
	    "END",
	};

	for (unsigned i = 1; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, names[i]) == 0)
			return i;
	if (!isdigit((unsigned char)name[0]))
		wrong(corpus, "what is this type?");
	return (unsigned)strtoul(name, NULL, 0);
}

static void open_block(struct corpus *corpus, char *line)
{
	char *word = next_word(&line);

	if (!word)
		wrong(corpus, "block without a type");
	corpus->header = (struct trace_block_header){.type = block_type(corpus, word)};
	corpus->payload.size = 0;
	corpus->in_block = 1;
	corpus->bad = "";
	corpus->claimed_codec = -1;
	corpus->claimed_stored = corpus->claimed_raw = -1;
	while ((word = next_word(&line)) != NULL) {
		char *value = strchr(word, '=');
		unsigned long number = value ? strtoul(value + 1, NULL, 0) : 0;

		if (strcmp(word, "codec=zlib") == 0)
			corpus->header.codec = TRACE_CODEC_ZLIB;
		else if (strcmp(word, "codec=zstd") == 0)
			corpus->header.codec = TRACE_CODEC_ZSTD;
		else if (strncmp(word, "codec=", 6) == 0)
			corpus->claimed_codec = (int)number;
		else if (strncmp(word, "flags=", 6) == 0)
			corpus->header.flags = (unsigned)number;
		else if (strncmp(word, "tick=", 5) == 0)
			corpus->header.first_tick = number;
		else if (strncmp(word, "stored=", 7) == 0)
			corpus->claimed_stored = (long)number;
		else if (strncmp(word, "raw=", 4) == 0)
			corpus->claimed_raw = (long)number;
		else if (strcmp(word, "bad=magic") == 0 || strcmp(word, "bad=crc") == 0 ||
			 strcmp(word, "bad=header-crc") == 0)
			corpus->bad = strcmp(value, "=magic") == 0 ? "magic"
				      : strcmp(value, "=crc") == 0 ? "crc"
								   : "header-crc";
		else
			wrong(corpus, "what is this option of a block?");
	}
}

static void close_block(struct corpus *corpus)
{
	struct trace_block_header *header = &corpus->header;
	struct trace_compressor compressor;
	static uint8_t stored[CORPUS_BYTES];
	uint8_t bytes[TRACE_BLOCK_HEADER_BYTES];
	const uint8_t *from = corpus->payload.at;
	size_t size = corpus->payload.size;

	if (corpus->depth || corpus->columns)
		wrong(corpus, "something is still open");
	header->raw_bytes = (uint32_t)size;
	if (header->codec != TRACE_CODEC_NONE &&
	    trace_codec_supported((enum trace_codec)header->codec)) {
		trace_compressor_init(&compressor, (enum trace_codec)header->codec, 0);
		if (trace_compress(&compressor, from, size, stored, &size) || !size)
			wrong(corpus, "this payload does not shrink");
		trace_compressor_release(&compressor);
		from = stored;
	}
	header->checksum = (uint32_t)crc32(0, from, (uInt)size);
	header->stored_bytes =
	    (uint32_t)(corpus->claimed_stored >= 0 ? corpus->claimed_stored : (long)size);
	if (corpus->claimed_raw >= 0)
		header->raw_bytes = (uint32_t)corpus->claimed_raw;
	if (corpus->claimed_codec >= 0)
		header->codec = (unsigned)corpus->claimed_codec;
	if (strcmp(corpus->bad, "crc") == 0)
		header->checksum ^= 1;
	trace_block_header_encode(bytes, header);
	if (strcmp(corpus->bad, "magic") == 0)
		bytes[0] ^= 0x20;
	if (strcmp(corpus->bad, "header-crc") == 0)
		bytes[28] ^= 1;
	put(&corpus->file, bytes, sizeof(bytes));
	put(&corpus->file, from, size);
	corpus->in_block = 0;
}

static void add_header(struct corpus *corpus, char *line)
{
	uint8_t bytes[TRACE_HEADER_BYTES] = TRACE_MAGIC;
	uint32_t number[3] = {TRACE_MAJOR, TRACE_MINOR, 0};
	char *word;

	for (unsigned i = 0; i < 3 && (word = next_word(&line)) != NULL; i++)
		number[i] = (uint32_t)strtoul(word, NULL, 0);
	trace_put_u16(bytes + 8, (uint16_t)number[0]);
	trace_put_u16(bytes + 10, (uint16_t)number[1]);
	trace_put_u32(bytes + 12, number[2]);
	put(&corpus->file, bytes, sizeof(bytes));
}

static void add_expectation(struct corpus *corpus, char *line)
{
	char *word = next_word(&line);

	if (!word)
		wrong(corpus, "expect what?");
	snprintf(corpus->outcome, sizeof(corpus->outcome), "%s", word);
	word = next_word(&line);
	if (word && *word == '"')
		snprintf(corpus->fault, sizeof(corpus->fault), "%s", word + 1);
}

static void add_line(struct corpus *corpus, char *line);

/* What most events need: two classes, two threads. */
static void add_definitions(struct corpus *corpus)
{
	static const char *const lines[] = {
	    "block META",
	    "1 \"/bin/a\"",
	    "end",
	    "block MODULES",
	    "( 0x401000 0x402000 0 \"/bin/a\" x02beef )",
	    "end",
	    "block NODES",
	    "[ 1 1 | 1 1 | s80 s300 | 0 0 ]",
	    "end",
	    "block CLASSES",
	    "[ s2 s-1 | 100 24 | 1 2 ]",
	    "end",
	    "block THREADS",
	    "( 1 4242 \"a\" ) ( 2 4243 \"b\" )",
	    "end",
	};
	char line[80];

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		snprintf(line, sizeof(line), "%s", lines[i]);
		add_line(corpus, line);
	}
}

static void add_line(struct corpus *corpus, char *line)
{
	char *rest = line, *word = next_word(&rest);

	if (!word)
		return;
	if (corpus->in_block && strcmp(word, "end") != 0) {
		do
			add_item(corpus, &corpus->payload, word, 0);
		while ((word = next_word(&rest)) != NULL);
	} else if (strcmp(word, "expect") == 0) {
		add_expectation(corpus, rest);
	} else if (strcmp(word, "see") == 0) {
		if (corpus->sees == 16)
			wrong(corpus, "too many see");
		snprintf(corpus->see[corpus->sees++], sizeof(corpus->see[0]), "%s", rest);
	} else if (strcmp(word, "needs") == 0) {
		corpus->needs_zstd = 1;
	} else if (strcmp(word, "header") == 0) {
		add_header(corpus, rest);
	} else if (strcmp(word, "block") == 0) {
		open_block(corpus, rest);
	} else if (strcmp(word, "definitions") == 0) {
		add_definitions(corpus);
	} else if (strcmp(word, "end") == 0) {
		close_block(corpus);
	} else if (strcmp(word, "raw") == 0) {
		while ((word = next_word(&rest)) != NULL)
			add_item(corpus, &corpus->file, word, 1);
	} else if (strcmp(word, "cut") == 0) {
		corpus->file.size -= strtoul(rest, NULL, 0);
	} else {
		wrong(corpus, "what is this line?");
	}
}

void trace_text_make(struct corpus *corpus, const char *path)
{
	char line[1024];
	FILE *text = fopen(path, "r");

	memset(corpus, 0, sizeof(*corpus));
	corpus->path = path;
	if (!text)
		wrong(corpus, "cannot open");
	while (fgets(line, sizeof(line), text)) {
		corpus->line++;
		line[strcspn(line, "\n")] = '\0';
		add_line(corpus, line);
	}
	fclose(text);
	if (corpus->in_block || !corpus->outcome[0])
		wrong(corpus, "a block without its end, or nothing expected");
}
