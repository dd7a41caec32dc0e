/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_HEAP_LINES_H
#define MALLOGRAPH_HEAP_LINES_H

/*
 * The tree of a detailed snapshot (query/timeline.h) as lines, in the order in which massif
 * has them: from who allocated to main; below a line its children, largest first; those below
 * a threshold are one line together. The bytes of the lines right below one add up to its own.
 */

#include <stddef.h>
#include <stdint.h>

#include "analyzer/model/profile.h"
#include "analyzer/query/lens.h"
#include "analyzer/query/timeline.h"

enum heap_line_kind {
	HEAP_LINE_ROOT,  /* everything */
	HEAP_LINE_FRAME, /* what came through a frame */
	/* where others go on: stacks that end with the line above; below the root: no stack */
	HEAP_LINE_ENDS,
	HEAP_LINE_REST /* `places` of these below the threshold */
};

struct heap_line {
	enum heap_line_kind kind;
	size_t depth; /* 0: the root */
	int last;     /* of those below one line */
	uint64_t bytes;
	uint32_t node, frame; /* HEAP_LINE_FRAME: as in struct tree_node */
	size_t places;
	size_t below; /* lines right below this one */
	int cut;      /* there would be, but for the limit of depth */
};

/* Non-zero stops. */
typedef int (*heap_line_print)(void *context, const struct heap_line *line);

/* least: bytes of the smallest frame with a line of its own. depth_limit: no line is deeper.
 * 0, ERROR_MEMORY, or what print returned. */
int heap_lines(const struct profile *profile, const struct timeline_snapshot *snapshot,
	       const struct lens *lens, uint64_t least, size_t depth_limit, heap_line_print print,
	       void *context);

#endif
