/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/query/pattern.h"

#include <stddef.h>
#include <string.h>

enum ends { START = 1, END = 2 };

/* The pattern held to these ends of the text. What follows a '*' is tried at each place behind it;
 * an earlier '*' never needs another look. */
static int match(const char *pattern, const char *pattern_end, const char *text, unsigned ends)
{
	const char *star = ends & START ? NULL : pattern, *retry = text;

	for (;;) {
		if (pattern == pattern_end && (!(ends & END) || !*text))
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
	return match(pattern, pattern + strlen(pattern), text, START | END);
}

int pattern_finds(const char *pattern, const char *text)
{
	const char *end = pattern + strlen(pattern);
	unsigned ends = 0;

	if (end > pattern && end[-1] == '$') {
		ends |= END;
		end--;
	}
	if (pattern < end && *pattern == '^') {
		ends |= START;
		pattern++;
	}
	if (!ends && !strchr(pattern, '*'))
		return strstr(text, pattern) != NULL;
	return match(pattern, end, text, ends);
}
