/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The corpus without a fuzzer, whatever compiler built it.
 *
 *   replay                     every file of the corpus, by its target
 *   replay --seeds DIR         writes them to DIR/TARGET/ instead, for a fuzzer to begin with
 *   replay --frame TRACE FILE  writes a trace as the target "blocks" takes it
 *   replay TARGET FILE...      these files
 *
 * TESTS is the folder of the tests. corpus/TARGET/ has files as they are, and X.hex, where "#"
 * begins a comment, for those that are no text; the texts in tests/corpus are for "trace" and
 * "blocks".
 */
#define _GNU_SOURCE
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "formats/trace/block.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/trace_text.h"

struct input {
	uint8_t *bytes;
	size_t size;
};

static const char *seeds; /* the folder to write to; NULL: run */
static unsigned inputs;

static void give_up(const char *what)
{
	perror(what);
	exit(2);
}

/* --- inputs ------------------------------------------------------------------------- */

static struct input read_file(const char *path)
{
	FILE *file = fopen(path, "re");
	struct input input = {0};
	size_t room = 0, got;

	if (!file)
		give_up(path);
	do {
		room = room * 2 + 4096;
		input.bytes = realloc(input.bytes, room);
		if (!input.bytes)
			give_up(path);
		got = fread(input.bytes + input.size, 1, room - input.size, file);
		input.size += got;
	} while (got);
	fclose(file);
	return input;
}

static void decode_hex(struct input *input)
{
	size_t size = 0, digits = 0;
	int comment = 0;

	for (size_t i = 0; i < input->size; i++) {
		const char *known = "0123456789abcdef", *digit;

		comment = input->bytes[i] != '\n' && (comment || input->bytes[i] == '#');
		digit = input->bytes[i] ? strchr(known, input->bytes[i]) : NULL;
		if (comment || !digit)
			continue;
		if (digits++ % 2)
			input->bytes[size++] |= (uint8_t)(digit - known);
		else
			input->bytes[size] = (uint8_t)((digit - known) << 4);
	}
	input->size = size;
}

/* The blocks of a trace as fuzz_blocks.c takes them. */
static struct input frame(const uint8_t *bytes, size_t size)
{
	struct trace_block_reader reader = {0};
	struct trace_source source = {.fd = -1, .rest = -1, .size = size};
	struct trace_block_header header;
	struct trace_cursor payload;
	struct input input = {malloc(4), 0};
	uint64_t offset = TRACE_HEADER_BYTES;
	const char *fault;

	source.bytes = (uint8_t *)(uintptr_t)bytes;
	while (input.bytes && !trace_block_find(&source, offset, &header, &fault)) {
		size_t left = 0;

		if (!trace_block_payload(&reader, &source, offset, &header, &payload, &fault))
			left = (size_t)(payload.end - payload.at);
		left = left < UINT16_MAX ? left : UINT16_MAX;
		input.bytes = realloc(input.bytes, input.size + 4 + left);
		if (!input.bytes)
			break;
		input.bytes[input.size] = (uint8_t)header.type;
		input.bytes[input.size + 1] = (uint8_t)header.first_tick;
		trace_put_u16(input.bytes + input.size + 2, (uint16_t)left);
		if (left)
			memcpy(input.bytes + input.size + 4, payload.at, left);
		input.size += 4 + left;
		offset += TRACE_BLOCK_HEADER_BYTES + header.stored_bytes;
	}
	if (!input.bytes)
		give_up("blocks");
	trace_block_reader_release(&reader);
	return input;
}

/* --- what is done with them --------------------------------------------------------- */

static void write_file(const char *path, const struct input *input)
{
	FILE *out = fopen(path, "we");

	if (!out || fwrite(input->bytes, 1, input->size, out) != input->size || fclose(out))
		give_up(path);
}

static void use(const struct fuzz_target *target, const char *path, const struct input *input)
{
	char to[4096];

	inputs++;
	if (!seeds) {
		/* known behind a crash */
		if (setenv("FUZZ_INPUT", path, 1))
			give_up(path);
		target->run(input->bytes, input->size);
		return;
	}
	snprintf(to, sizeof(to), "%s/%s", seeds, target->name);
	mkdir(to, 0777);
	snprintf(to, sizeof(to), "%s/%s/%s", seeds, target->name, basename(path));
	write_file(to, input);
}

static void use_file(const struct fuzz_target *target, const char *path)
{
	struct input input = read_file(path);
	const char *dot = strrchr(path, '.');

	if (dot && !strcmp(dot, ".hex"))
		decode_hex(&input);
	use(target, path, &input);
	free(input.bytes);
}

static void use_trace_text(const char *path)
{
	static struct corpus corpus;
	struct input trace, blocks;

	trace_text_make(&corpus, path);
	trace = (struct input){corpus.file.at, corpus.file.size};
	blocks = frame(trace.bytes, trace.size);
	use(fuzz_find("trace"), path, &trace);
	use(fuzz_find("blocks"), path, &blocks);
	free(blocks.bytes);
}

static void use_all(const char *pattern, const struct fuzz_target *target)
{
	const char *tests = getenv("TESTS");
	char path[4096];
	glob_t found;

	snprintf(path, sizeof(path), "%s/%s", tests ? tests : "tests", pattern);
	if (glob(path, 0, NULL, &found) == GLOB_NOMATCH)
		found.gl_pathc = 0;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		if (target)
			use_file(target, found.gl_pathv[i]);
		else
			use_trace_text(found.gl_pathv[i]);
	}
	if (found.gl_pathc)
		globfree(&found);
	else
		printf("no input: %s\n", path);
}

int main(int argc, char **argv)
{
	const struct fuzz_target *target = argc > 1 ? fuzz_find(argv[1]) : NULL;

	if (argc == 4 && !strcmp(argv[1], "--frame")) {
		struct input trace = read_file(argv[2]), blocks = frame(trace.bytes, trace.size);

		write_file(argv[3], &blocks);
		free(trace.bytes);
		free(blocks.bytes);
		return 0;
	}
	for (int i = 2; target && i < argc; i++)
		use_file(target, argv[i]);
	if (target)
		return 0;
	seeds = argc == 3 && !strcmp(argv[1], "--seeds") ? argv[2] : NULL;
	if (argc > 1 && !seeds) {
		fprintf(stderr,
			"usage: replay [--seeds DIR | --frame TRACE FILE | TARGET FILE...]\n");
		return 2;
	}
	use_all("corpus/*.txt", NULL);
	for (target = fuzz_targets; target->name; target++) {
		char pattern[256];

		snprintf(pattern, sizeof(pattern), "fuzz/corpus/%s/*", target->name);
		use_all(pattern, target);
	}
	printf("%u inputs\n", inputs);
	return inputs < 100;
}
