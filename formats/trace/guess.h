/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_TRACE_GUESS_H
#define MALLOGRAPH_TRACE_GUESS_H

/*
 * What both the writer and the reader of EVENTS guess the next operation to be.
 *
 * Programs repeat themselves: behind the same four operations the same one
 * follows as last time, eight times in ten. So a table remembers, by a hash of
 * the last four, what came behind them; a right guess costs the trace next to
 * nothing, and leaves next to nothing to compress, which is what recording
 * would otherwise spend most of its time on. Where it is wrong a second table gets a
 * try, by the last operation alone: it knows something where the four were never
 * seen together. Both fit a second-level cache. docs/mallograph-trace.5 is normative.
 *
 *   symbol:   bits 0-6 the operation, 7-31 its number
 *
 * The hash of four is a polynomial in 2^16 times an odd number, modulo 2^64: what
 * lies four operations back is shifted out. So one multiplication is all that stands
 * between an operation and the guess of the next.
 */

#include <stdint.h>

#define TRACE_GUESS_NUMBER_SHIFT 7
#define TRACE_GUESS_NUMBER_END   (1u << (32 - TRACE_GUESS_NUMBER_SHIFT))
#define TRACE_GUESS_FOUR_BITS    16
#define TRACE_GUESS_ONE_BITS     14

struct trace_guess_last {
	uint64_t four, one; /* hashes of the last operations */
};

struct trace_guess { /* all zero at the start of a file */
	struct trace_guess_last last;
	uint32_t by_four[1u << TRACE_GUESS_FOUR_BITS]; /* 0: nothing known */
	uint32_t by_one[1u << TRACE_GUESS_ONE_BITS];
};

/* number is below TRACE_GUESS_NUMBER_END */
static inline uint32_t trace_guess_symbol(unsigned operation, uint64_t number)
{
	return operation | (uint32_t)number << TRACE_GUESS_NUMBER_SHIFT;
}

/* last: those of guess, or a copy that is nearer at hand. */
static inline uint32_t *trace_guess_first(struct trace_guess *guess,
					  const struct trace_guess_last *last)
{
	return &guess->by_four[last->four >> (64 - TRACE_GUESS_FOUR_BITS)];
}

static inline uint32_t *trace_guess_second(struct trace_guess *guess,
					   const struct trace_guess_last *last)
{
	return &guess->by_one[last->one >> (64 - TRACE_GUESS_ONE_BITS)];
}

static inline void trace_guess_happened(struct trace_guess_last *last, uint32_t symbol)
{
	last->one = symbol * UINT64_C(0x9e3779b97f4a7c15);
	last->four = last->four * UINT64_C(0xfeb86659fd930000) + last->one;
}

#endif
