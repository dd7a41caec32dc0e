/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_NUMBERS_H
#define MALLOGRAPH_NUMBERS_H

/*
 * The text of numbers and names, the same in every report and view.
 *
 * Everything is integer arithmetic: no double, no locale, and what is printed
 * is the exact quotient, rounded to the nearest (halves away from zero).
 * Negative values get a '-' in front and are otherwise written as their
 * magnitude is; positive ones never get a '+'. Thread- and signal-safe.
 *
 * The texts come by value, so they may be used in place:
 *
 *	printf("%s consumed\n", number_bytes(value).text);
 */

#include <stddef.h>
#include <stdint.h>

struct number_text {
	char text[48];
};

/* 999B, 1000B, 72.70K, 1000.00K, 1.01M: up to 1000 the integer and B; above,
 * divided by 1000 for as long as the quotient is over 1000, two decimals and
 * one of K M G T. T is the last: 9223372.04T. The unit is chosen before
 * rounding, so 999999 is 1000.00K and 1000001 is 1.00M. */
struct number_text number_bytes(int64_t value);

/* 319347: no grouping. */
struct number_text number_plain(int64_t value);

/* value / divisor with that many decimals (at most 9): number_fixed(1840, 1000,
 * 2) is 1.84. divisor 0 gives 0. What rounds to zero has no sign. */
struct number_text number_fixed(int64_t value, uint64_t divisor, unsigned decimals);

/* part of whole, two decimals: 0.02%. whole 0 gives 0.00%; a negative whole
 * counts as its magnitude. */
struct number_text number_percent(int64_t part, int64_t whole);

/*
 * A name that came from a file or a program, made safe for a terminal: each
 * byte of a control character and each byte that is not part of well-formed UTF-8
 * becomes \xNN, in lower case. Everything else is copied, the backslash too. Control
 * characters are C0, DEL, C1 as UTF-8, those that set the direction of text (U+061C, U+200E,
 * U+200F, U+202A to U+202E, U+2066 to U+2069: they make one name look like another) and the
 * line separators U+2028 and U+2029.
 *
 * Like snprintf: writes at most size bytes and a NUL among them, never half a
 * character or half an escape; returns the length that all of it has. size 0
 * writes nothing.
 */
size_t text_escape(char *out, size_t size, const char *bytes, size_t count);

/* Bytes of the well-formed UTF-8 character that bytes (count of them, at least one) begin with,
 * 0 when there is none; *code is its code point or that byte, *control whether it is one of
 * the above. */
size_t text_character(const char *bytes, size_t count, int *control, uint32_t *code);

#endif
