/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_TUI_MARKS_H
#define MALLOGRAPH_TUI_MARKS_H

/*
 * Which frames of a profile a search may find, for who looks for them in many rows: names are
 * judged once, in the order in which they lie in memory, and rows, which have another order, ask
 * a byte each.
 */

#include "analyzer/model/profile.h"
#include "tui/prompt.h"

struct marks { /* all zero: none yet */
	const struct profile_frame *frames;
	unsigned picture; /* number of the one that they are of */
	char text[PROMPT_BYTES];
	uint8_t *of_frame;
	size_t count;
};

/* By what frames are marked: 0 is no. */
typedef uint8_t (*marks_judge)(const struct profile_frame *frame, const char *text);

/* Those of all frames, kept until frames or text are others. picture: another number for each
 * profile that was at one address. NULL when out of memory. */
const uint8_t *marks_of(struct marks *marks, const struct profile *profile, unsigned picture,
			const char *text, marks_judge judge);
void marks_release(struct marks *marks);

/* The text has the needle, which has no capitals: large or small. */
int marks_folded(const char *text, const char *needle);

#endif
