/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_TRACE_BYTES_H
#define MALLOGRAPH_TRACE_BYTES_H

/*
 * The smallest parts of the trace format: little-endian numbers, varints,
 * strings, and the cursor that reads them. No struct is ever laid over bytes
 * of a file.
 *
 * The getters never read behind cursor->end. They return 0, or ERROR_DAMAGED
 * when the bytes are too few or not what the format says; the cursor is then
 * of no further use.
 */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "formats/error.h"
#include "formats/trace/layout.h"
#include "formats/trace/reader.h" /* struct trace_text */

#define TRACE_VARINT_MAX 10 /* bytes of the longest varint */

static inline uint8_t *trace_put_u16(uint8_t *at, uint16_t value)
{
	*at++ = (uint8_t)value;
	*at++ = (uint8_t)(value >> 8);
	return at;
}

static inline uint8_t *trace_put_u32(uint8_t *at, uint32_t value)
{
	return trace_put_u16(trace_put_u16(at, (uint16_t)value), (uint16_t)(value >> 16));
}

static inline uint8_t *trace_put_u64(uint8_t *at, uint64_t value)
{
	return trace_put_u32(trace_put_u32(at, (uint32_t)value), (uint32_t)(value >> 32));
}

static inline uint16_t trace_get_u16(const uint8_t *at)
{
	return (uint16_t)(at[0] | at[1] << 8);
}

static inline uint32_t trace_get_u32(const uint8_t *at)
{
	return trace_get_u16(at) | (uint32_t)trace_get_u16(at + 2) << 16;
}

static inline uint64_t trace_get_u64(const uint8_t *at)
{
	return trace_get_u32(at) | (uint64_t)trace_get_u32(at + 4) << 32;
}

/* Writes at most TRACE_VARINT_MAX bytes and returns the end. */
static inline uint8_t *trace_put_varint(uint8_t *at, uint64_t value)
{
	while (value >= 0x80) {
		*at++ = (uint8_t)(value | 0x80);
		value >>= 7;
	}
	*at++ = (uint8_t)value;
	return at;
}

static inline uint64_t trace_zigzag(int64_t value)
{
	return (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0);
}

static inline int64_t trace_unzigzag(uint64_t value)
{
	return (int64_t)(value >> 1 ^ (0 - (value & 1)));
}

struct trace_cursor {
	const uint8_t *at, *end;
};

static inline size_t trace_left(const struct trace_cursor *cursor)
{
	return (size_t)(cursor->end - cursor->at);
}

/* Any varint: for those of more than two bytes. */
int trace_get_varint_long(struct trace_cursor *cursor, uint64_t *value);

static inline int trace_get_varint(struct trace_cursor *cursor, uint64_t *value)
{
	const uint8_t *at = cursor->at;

	if (at < cursor->end && at[0] < 0x80) {
		*value = at[0];
		cursor->at = at + 1;
		return 0;
	}
	/* a 0 behind would be longer than needed */
	if (cursor->end - at >= 2 && at[1] < 0x80 && at[1]) {
		*value = (at[0] & 0x7f) | (uint64_t)at[1] << 7;
		cursor->at = at + 2;
		return 0;
	}
	return trace_get_varint_long(cursor, value);
}

/* A varint that must fit 32 bits. */
int trace_get_varint32(struct trace_cursor *cursor, uint32_t *value);
int trace_get_signed(struct trace_cursor *cursor, int64_t *value);
/* varint length, bytes */
int trace_get_string(struct trace_cursor *cursor, struct trace_text *text);
/* varint length, fields: *record covers the fields, the cursor goes behind them. */
int trace_get_record(struct trace_cursor *cursor, struct trace_cursor *record);
/* Cuts all that is left into its first columns, TRACE_EVENT_COLUMNS at most; those behind, which
 * only a newer version knows, are left out. */
int trace_get_columns(struct trace_cursor *cursor, struct trace_cursor *column, unsigned columns);
/* Whether (1) any of the columns has bytes left. */
int trace_columns_left(const struct trace_cursor *column, unsigned columns);

#endif
