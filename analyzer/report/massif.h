/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_MASSIF_H
#define MALLOGRAPH_MASSIF_H

/*
 * The heap over time in the format of valgrind's massif (-M), for ms_print and
 * massif-visualizer. The snapshots are those of query/timeline.h; their trees go from who
 * allocated to main, inlined functions as frames of their own, and entries below the threshold
 * are one line of their parent.
 *
 * mem_heap_B is what was requested, mem_heap_extra_B massif's own overhead for it: 8 bytes a
 * block, and the padding to a multiple of 16. A '#' in a name, which begins a comment there,
 * is written as '@', control bytes and what is not UTF-8 as \xNN.
 */

#include <stdio.h>

#include "analyzer/model/profile.h"
#include "analyzer/report/timeline.h"

/* Frames of a stack at most, from who allocated: ms_print warns of deeper trees. */
#define MASSIF_DEPTH 95

/* Of a profile that is no combination of two. ERROR_UNSUPPORTED for TIMELINE_ALLOCATIONS, a
 * unit massif does not have; otherwise errors of timeline_collect(). Those of out are for
 * the caller to find (ferror). */
int massif_write(FILE *out, const struct profile *profile, const struct timeline_view *view);

#endif
