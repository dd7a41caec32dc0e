/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "formats/numbers.h"

#include <string.h>

static uint64_t magnitude(int64_t value)
{
	return value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
}

/* Decimal digits, at least one; returns the end. */
static char *put_digits(char *at, unsigned __int128 value)
{
	char digits[40];
	size_t count = 0;

	do {
		digits[count++] = (char)('0' + (int)(value % 10));
		value /= 10;
	} while (value);
	while (count)
		*at++ = digits[--count];
	return at;
}

/* scaled / 10^decimals, with sign and point. */
static char *put_scaled(char *at, int negative, unsigned __int128 scaled, unsigned decimals)
{
	uint64_t unit = 1;

	for (unsigned i = 0; i < decimals; i++)
		unit *= 10;
	if (negative && scaled)
		*at++ = '-';
	at = put_digits(at, scaled / unit);
	if (decimals) {
		uint64_t rest = (uint64_t)(scaled % unit);

		*at++ = '.';
		while (unit > 1) {
			unit /= 10;
			*at++ = (char)('0' + (int)(rest / unit % 10));
		}
	}
	*at = '\0';
	return at;
}

static unsigned __int128 divide(unsigned __int128 value, uint64_t divisor)
{
	return (value + divisor / 2) / divisor;
}

struct number_text number_plain(int64_t value)
{
	struct number_text out;

	put_scaled(out.text, value < 0, magnitude(value), 0);
	return out;
}

struct number_text number_bytes(int64_t value)
{
	static const char units[] = "KMGT";
	struct number_text out;
	uint64_t size = magnitude(value);
	uint64_t divisor = 1000;
	unsigned unit = 0;
	char *end;

	if (size <= 1000) {
		end = put_scaled(out.text, value < 0, size, 0);
		*end++ = 'B';
	} else {
		while (unit < 3 && size > divisor * 1000) {
			divisor *= 1000;
			unit++;
		}
		end = put_scaled(out.text, value < 0,
				 divide((unsigned __int128)size * 100, divisor), 2);
		*end++ = units[unit];
	}
	*end = '\0';
	return out;
}

struct number_text number_fixed(int64_t value, uint64_t divisor, unsigned decimals)
{
	struct number_text out;
	unsigned __int128 scaled = magnitude(value);

	if (decimals > 9)
		decimals = 9;
	for (unsigned i = 0; i < decimals; i++)
		scaled *= 10;
	put_scaled(out.text, value < 0, divisor ? divide(scaled, divisor) : 0, decimals);
	return out;
}

struct number_text number_percent(int64_t part, int64_t whole)
{
	struct number_text out;
	uint64_t base = magnitude(whole);
	unsigned __int128 scaled = (unsigned __int128)magnitude(part) * 10000;
	char *end = put_scaled(out.text, part < 0, base ? divide(scaled, base) : 0, 2);

	*end++ = '%';
	*end = '\0';
	return out;
}

/* Bytes of the well-formed UTF-8 character at `at` (RFC 3629: no overlong
 * forms, no surrogates, nothing above U+10FFFF), 0 when there is none. */
static size_t character_bytes(const unsigned char *at, size_t left)
{
	size_t bytes = at[0] < 0x80   ? 1
		       : at[0] < 0xc2 ? 0
		       : at[0] < 0xe0 ? 2
		       : at[0] < 0xf0 ? 3
				      : 4;
	unsigned char low = 0x80, high = 0xbf;

	if (at[0] > 0xf4 || bytes > left)
		return 0;
	if (at[0] == 0xe0)
		low = 0xa0;
	else if (at[0] == 0xed)
		high = 0x9f;
	else if (at[0] == 0xf0)
		low = 0x90;
	else if (at[0] == 0xf4)
		high = 0x8f;
	for (size_t i = 1; i < bytes; i++) {
		if (at[i] < low || at[i] > high)
			return 0;
		low = 0x80;
		high = 0xbf;
	}
	return bytes;
}

/* The code point of a character that character_bytes() has found. */
static uint32_t character_code(const unsigned char *at, size_t bytes)
{
	uint32_t code = bytes == 1 ? at[0] : at[0] & (0x7fu >> bytes);

	for (size_t i = 1; i < bytes; i++)
		code = code << 6 | (at[i] & 0x3fu);
	return code;
}

/* C0, DEL and C1; what turns the direction of all text behind it; what ends a line. */
static int is_control(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x61c || code == 0x200e ||
	       code == 0x200f || (code >= 0x2028 && code <= 0x202e) ||
	       (code >= 0x2066 && code <= 0x2069);
}

size_t text_character(const char *bytes, size_t count, int *control, uint32_t *code)
{
	const unsigned char *at = (const unsigned char *)bytes;
	size_t size = character_bytes(at, count);

	*code = size != 0 ? character_code(at, size) : at[0];
	*control = size != 0 && is_control(*code);
	return size;
}

size_t text_escape(char *out, size_t size, const char *bytes, size_t count)
{
	static const char hex[] = "0123456789abcdef";
	const unsigned char *at = (const unsigned char *)bytes;
	const unsigned char *end = at + count;
	size_t length = 0, written = 0;

	while (at < end) {
		uint32_t code;
		int control;
		size_t source =
		    text_character((const char *)at, (size_t)(end - at), &control, &code);
		char escape[4] = {'\\', 'x', hex[at[0] >> 4], hex[at[0] & 15]};
		const char *piece = (const char *)at;
		size_t piece_bytes = source;

		if (source == 0 || control) {
			piece = escape;
			piece_bytes = 4;
			source = 1;
		}
		if (written == length && length + piece_bytes < size) {
			memcpy(out + written, piece, piece_bytes);
			written += piece_bytes;
		}
		length += piece_bytes;
		at += source;
	}
	if (size)
		out[written] = '\0';
	return length;
}
