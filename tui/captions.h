/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_CAPTIONS_H
#define MALLOGRAPH_CAPTIONS_H

/* Names of frames as text, the same as in reports (report/frames.h). */

#include <stdio.h>

#include "analyzer/report/frames.h"
#include "tui/marks.h"
#include "tui/view.h"

struct captions { /* all zero: not made yet */
	struct frame_printer printer;
	FILE *stream;
	char *text;
	size_t size;
	struct marks searched;
};

void captions_release(struct captions *captions);

/* What these return lives until the next call; "" when out of memory. Control bytes are masked. */
/* The function, or the address. */
const char *captions_function(struct captions *captions, const struct profile *profile,
			      uint32_t node, uint32_t frame);
/* " (app.c:20)"; or "". */
const char *captions_where(struct captions *captions, const struct profile *profile, uint32_t node,
			   uint32_t frame);
/* Both. */
const char *captions_both(struct captions *captions, const struct profile *profile, uint32_t node,
			  uint32_t frame);
/* One thing alone: "??" where it is not known. */
const char *captions_part(struct captions *captions, const struct profile *profile, uint32_t node,
			  uint32_t frame, enum frame_part part);

/* For searching through many: a part of the text that a caption of a frame has, if it holds the
 * text, from the frame's own names alone: not from its line or address. 0: there are none. Small
 * letters. */
int captions_letters(const char *text, char *letters, size_t size);
/* 0: no caption of the frame holds the letters, large or small. picture: as marks_of(). */
int captions_may_have(struct captions *captions, const struct profile *profile, unsigned picture,
		      const struct frame_reference *at, const char *letters);
/* The frame as the trace has it, or NULL. */
const struct profile_frame *captions_frame(const struct profile *profile, uint32_t node,
					   uint32_t frame);

#endif
