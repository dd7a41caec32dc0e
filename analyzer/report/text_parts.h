/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_TEXT_PARTS_H
#define MALLOGRAPH_TEXT_PARTS_H

/* The parts of the text report. Private to analyzer/report/text*.c. */

#include <stdio.h>

#include "analyzer/report/frames.h"
#include "analyzer/report/report.h"

struct text {
	FILE *out;
	const struct report *report;
	struct frame_printer frames;
};

/*
 * A line of figures: words with %a for allocations, %t temporary ones, %r
 * temporary per allocation in percent, %p bytes at the peak, %l bytes leaked.
 * Of a diff they are differences, and the line ends with both sides of `kind`:
 * " [base 1000, new 1500, +50.00%]", and note in there where it is not NULL.
 */
void text_words(const struct text *text, const char *words, const struct cost *cost,
		const struct cost *base, enum cost_kind kind, const char *note);

/* The end of any line of figures: both sides where the report is a diff. */
struct text_sides {
	int64_t fresh, base;
	int in_bytes;
	int only_fresh, only_base; /* there is no such entry on the other side */
	const char *note;
};
void text_end_line(const struct text *text, const struct text_sides *sides);

int text_section(struct text *text, const struct report_kind *section);
int text_tree(struct text *text, struct report_tree *tree);
/* Of an entry: index as in report_entries(). Nothing where there are none. */
void text_details(struct text *text, uint32_t entry, const struct cost *cost,
		  const struct cost *base);
void text_summary(struct text *text);
void text_suppressions(struct text *text);
/* Whatever is left out of the report, this is not. */
void text_health(struct text *text);

#endif
