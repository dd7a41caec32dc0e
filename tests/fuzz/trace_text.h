/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_TRACE_TEXT_H
#define MALLOGRAPH_TRACE_TEXT_H

/* Traces made from the texts in tests/corpus, whose README says how they are written. */

#include <stddef.h>
#include <stdint.h>

#include "formats/trace/block.h"

#define CORPUS_BYTES   (1u << 18)
#define CORPUS_NESTING 18

struct corpus_bytes {
	uint8_t at[CORPUS_BYTES];
	size_t size;
};

/* One description, and what has been made of it so far. */
struct corpus {
	const char *path;
	unsigned line;
	struct corpus_bytes file, payload;
	int in_block;
	struct trace_block_header header;
	const char *bad;   /* "magic", "crc", "header-crc", or "" */
	int claimed_codec; /* -1: the one used */
	long claimed_stored, claimed_raw;
	/* Where open records began; columns: where each of the open '[' began. */
	size_t open[CORPUS_NESTING], depth;
	size_t column[CORPUS_NESTING], columns;
	int named; /* columns of EVENTS, by name */
	/* expectations */
	char outcome[32], fault[80];
	char see[16][160];
	unsigned sees;
	int needs_zstd;
};

/* Ends the process where the text is wrong. */
void trace_text_make(struct corpus *corpus, const char *path);

#endif
