/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_REPORT_TIMELINE_H
#define MALLOGRAPH_REPORT_TIMELINE_H

/*
 * The heap over time as text (print --timeline), after ms_print: a graph in which '#' is the
 * peak, '@' a snapshot with its parts below and ':' any other; a table of the snapshots, exact,
 * with the resident memory sampled last; and in it the parts of those that have them, from who
 * allocated to main. Of a combined profile: a graph for each side, and what differs at the same
 * parts of both runs. A stack is shown up to its 30th frame, "..." stands behind that one.
 *
 * No more than 80 columns are used but by long names.
 */

#include <stdio.h>

#include "analyzer/model/profile.h"
#include "analyzer/query/lens.h"
#include "analyzer/query/timeline.h"

/* Of a threshold: parts per million. */
#define TIMELINE_PERCENT 10000

struct timeline_view {
	enum timeline_axis axis;
	unsigned detailed_every; /* every Nth snapshot has its parts; 0: only the peak */
	/* What the profile is a selection by, and the base of a combined one; NULL: everything. */
	const struct filter *filter, *base_filter;
	const struct lens *lens; /* NULL: all defaults */
	unsigned threshold;      /* smaller parts of a snapshot are one line; see above */
	int shorten;             /* leave template arguments out */
	int plain;               /* 72704 instead of 72,704 */
};

/* Errors of timeline_collect(). Those of out are for the caller to find (ferror). */
int timeline_report(FILE *out, const struct profile *profile, const struct timeline_view *view);

/* The graph alone. top: bytes of the uppermost line;
 * 0: the peak. 0, or ERROR_MEMORY. */
int timeline_graph(FILE *out, const struct timeline *timeline, enum timeline_axis axis,
		   uint64_t top);
#define TIMELINE_GRAPH_COLUMNS 71
/* Frames of a stack at most, from who allocated: as massif has it by default. */
#define TIMELINE_DEPTH 30

/* The largest snapshot of each of count equal parts of the axis, as an index; where a part has
 * none of its own, the one before. NULL when out of memory; the caller frees. */
size_t *timeline_parts(const struct timeline *timeline, size_t count);

#endif
