/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/query/pattern.h"

#include <stddef.h>
#include <string.h>

/* Whether text starts with the pattern (pattern_end: where that stops), or is it when whole. What
 * follows a '*' is tried at each place behind it; an earlier '*' never needs another look. */
static int match(const char *pattern, const char *pattern_end, const char *text, int whole)
{
	const char *star = NULL, *retry = NULL;

	for (;;) {
		if (pattern == pattern_end && (!whole || !*text))
			return 1;
		if (pattern < pattern_end && *pattern == '*') {
			star = ++pattern;
			retry = text;
		} else if (pattern < pattern_end && *text && *pattern == *text) {
			pattern++;
			text++;
		} else if (star && *retry) {
			pattern = star;
			text = ++retry;
		} else {
			return 0;
		}
	}
}

int pattern_matches(const char *pattern, const char *text)
{
	return match(pattern, pattern + strlen(pattern), text, 1);
}

int pattern_finds(const char *pattern, const char *text)
{
	size_t length = strlen(pattern);
	int whole = length && pattern[length - 1] == '$';
	const char *end = pattern + length - (whole ? 1 : 0);

	if (*pattern == '^' && pattern < end)
		return match(pattern + 1, end, text, whole);
	if (!whole && !strchr(pattern, '*'))
		return strstr(text, pattern) != NULL;
	do {
		if (match(pattern, end, text, whole))
			return 1;
	} while (*text++);
	return 0;
}
