/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "formats/trace/bytes.h"

int trace_get_varint_long(struct trace_cursor *cursor, uint64_t *value)
{
	const uint8_t *at = cursor->at;
	uint64_t result = 0;

	/* the classes of a large program */
	if (trace_left(cursor) >= 3 && at[0] >= 0x80 && at[1] >= 0x80 && at[2] < 0x80 && at[2]) {
		*value = (at[0] & 0x7f) | (uint64_t)(at[1] & 0x7f) << 7 | (uint64_t)at[2] << 14;
		cursor->at = at + 3;
		return 0;
	}
	for (unsigned shift = 0; at < cursor->end; shift += 7) {
		uint8_t byte = *at++;

		/* The tenth byte holds bit 63 alone. */
		if (shift == 63 && byte > 1)
			return ERROR_DAMAGED;
		result |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80) {
			if (byte == 0 && shift != 0)
				return ERROR_DAMAGED;
			*value = result;
			cursor->at = at;
			return 0;
		}
	}
	return ERROR_DAMAGED;
}

int trace_get_varint32(struct trace_cursor *cursor, uint32_t *value)
{
	uint64_t wide;

	if (trace_get_varint(cursor, &wide) || wide > UINT32_MAX)
		return ERROR_DAMAGED;
	*value = (uint32_t)wide;
	return 0;
}

int trace_get_signed(struct trace_cursor *cursor, int64_t *value)
{
	uint64_t wide;

	if (trace_get_varint(cursor, &wide))
		return ERROR_DAMAGED;
	*value = trace_unzigzag(wide);
	return 0;
}

int trace_get_string(struct trace_cursor *cursor, struct trace_text *text)
{
	struct trace_cursor bytes;

	if (trace_get_record(cursor, &bytes))
		return ERROR_DAMAGED;
	text->bytes = (const char *)bytes.at;
	text->size = trace_left(&bytes);
	return 0;
}

int trace_get_record(struct trace_cursor *cursor, struct trace_cursor *record)
{
	uint64_t size;

	if (trace_get_varint(cursor, &size) || size > trace_left(cursor))
		return ERROR_DAMAGED;
	record->at = cursor->at;
	record->end = cursor->at + size;
	cursor->at = record->end;
	return 0;
}

int trace_get_columns(struct trace_cursor *cursor, struct trace_cursor *column, unsigned columns)
{
	uint64_t length[TRACE_EVENT_COLUMNS], count;
	uint64_t other = 0, sum = 0;

	if (trace_get_varint(cursor, &count) || count < columns || count > trace_left(cursor))
		return ERROR_DAMAGED;
	for (uint64_t i = 0; i < count; i++) {
		uint64_t *value = i < columns ? &length[i] : &other;

		if (trace_get_varint(cursor, value) || *value > TRACE_BLOCK_MAX)
			return ERROR_DAMAGED;
		sum += *value;
	}
	if (sum != trace_left(cursor))
		return ERROR_DAMAGED;
	for (unsigned i = 0; i < columns; i++) {
		column[i].at = cursor->at;
		cursor->at += length[i];
		column[i].end = cursor->at;
	}
	return 0;
}

int trace_columns_left(const struct trace_cursor *column, unsigned columns)
{
	size_t left = 0;

	for (unsigned i = 0; i < columns; i++)
		left += trace_left(&column[i]);
	return left != 0;
}
