/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_TRACE_GUESS_H
#define MALLOGRAPH_TRACE_GUESS_H

/*
 * What both the writer and the reader of EVENTS guess the next operation to be.
 *
 * Programs repeat themselves: behind the same four operations the same one
 * follows as last time, nine times in ten. So a table remembers, by a hash of
 * the last four, what came behind them; a right guess costs the trace next to
 * nothing, and leaves next to nothing to compress, which is what recording
 * would otherwise spend most of its time on. Longer contexts need longer to
 * learn, shorter ones guess wrong more often; the table fits a second-level
 * cache. docs/mallograph-trace.5 is normative.
 *
 *   symbol:   bits 0-5 the operation, 6-31 its number
 *   context:  16 bits of the hash of each of the last four symbols, latest lowest
 */

#include <stdint.h>

#define TRACE_GUESS_BITS       16
#define TRACE_GUESS_VALUE_BITS 26

struct trace_guess { /* all zero at the start of a block */
	uint64_t context;
	uint32_t table[1u << TRACE_GUESS_BITS]; /* 0: nothing known */
};

/* The number may be too large for its symbol: such an operation is never guessed. */
static inline uint32_t trace_guess_symbol(unsigned operation, uint64_t value)
{
	return operation | (uint32_t)value << (32 - TRACE_GUESS_VALUE_BITS);
}

static inline int trace_guess_possible(uint64_t value)
{
	return value >> TRACE_GUESS_VALUE_BITS == 0;
}

static inline uint32_t *trace_guess_slot(struct trace_guess *guess)
{
	return &guess->table[guess->context * UINT64_C(0x9e3779b97f4a7c15) >>
			     (64 - TRACE_GUESS_BITS)];
}

static inline void trace_guess_happened(struct trace_guess *guess, uint32_t symbol)
{
	guess->context = guess->context << 16 | symbol * UINT32_C(0x9e3779b1) >> 16;
}

#endif
