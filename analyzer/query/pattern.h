/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_PATTERN_H
#define MALLOGRAPH_PATTERN_H

/* Text against a pattern in which '*' stands for any text, none too. Time is
 * bounded by the product of the lengths; thread-safe. */

/* The whole text. */
int pattern_matches(const char *pattern, const char *text);

/* Any part of the text: LeakSanitizer's rules. '^' at the pattern's start and '$' at its end
 * hold it to the text's. */
int pattern_finds(const char *pattern, const char *text);

#endif
