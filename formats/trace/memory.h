/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_TRACE_MEMORY_H
#define MALLOGRAPH_TRACE_MEMORY_H

/*
 * How much memory the definitions of a trace may ask of its readers.
 *
 * Compression makes a few bytes of file into any number of definitions, and each is kept. So
 * readers reckon what a trace's definitions take, and give up where that is more than
 * TRACE_MEMORY_ANYWAY and TRACE_MEMORY_PER_BYTE for every byte of the file up to there. Writers
 * reckon the same, and store a block as it is that would be over the bound if it were
 * compressed: every thing takes so many bytes in a block that it then accounts for itself.
 * Events are not kept, and are as many as they like.
 */

#include <stddef.h>
#include <stdint.h>

#include "formats/trace/layout.h"

#define TRACE_MEMORY_ANYWAY   (UINT64_C(192) << 20)
#define TRACE_MEMORY_PER_BYTE 32
/* A frame of a symbol, which has three numbers. */
#define TRACE_MEMORY_FRAME 24
#define TRACE_FRAME_LEAST  3

/* What one thing of a type of block takes, beside the texts in it: about the largest that
 * any reader of ours makes of it (the profile; the symbolizer). */
static inline unsigned trace_memory_thing(unsigned type)
{
	static const uint8_t bytes[TRACE_BLOCK_END] = {
	    [TRACE_BLOCK_META] = 48,    [TRACE_BLOCK_MODULES] = 160, [TRACE_BLOCK_NODES] = 64,
	    [TRACE_BLOCK_CLASSES] = 80, [TRACE_BLOCK_THREADS] = 96,  [TRACE_BLOCK_TIMELINE] = 32,
	    [TRACE_BLOCK_STRINGS] = 40, [TRACE_BLOCK_SYMBOLS] = 56,
	};

	return type < TRACE_BLOCK_END ? bytes[type] : 0;
}

/* What a byte of the payload takes at most beside that: texts as they are, frames of symbols. */
static inline unsigned trace_memory_byte(unsigned type)
{
	return type == TRACE_BLOCK_SYMBOLS ? TRACE_MEMORY_FRAME / TRACE_FRAME_LEAST : 1;
}

/* The bound behind so many bytes of the file. */
static inline uint64_t trace_memory_bound(uint64_t file_bytes)
{
	const uint64_t most = UINT64_MAX / 2 / TRACE_MEMORY_PER_BYTE;

	return TRACE_MEMORY_ANYWAY +
	       TRACE_MEMORY_PER_BYTE * (file_bytes < most ? file_bytes : most);
}

#endif
