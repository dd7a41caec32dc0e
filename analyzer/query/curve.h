/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_CURVE_H
#define MALLOGRAPH_CURVE_H

/*
 * The heap between two ticks, for drawing: a row of intervals, each with its highest
 * instant and with the tick that a snapshot of it is best taken at.
 *
 * Two of them: from the points that a trace holds, at once, where each interval is the time from
 * one point to the next and only known at its beginning (and at the peak); and from the
 * events, by a scan, where all are equally long and exact.
 *
 * Ticks are 1 ms, ranges half-open.
 */

#include <stddef.h>
#include <stdint.h>

#include "analyzer/model/filter.h"
#include "analyzer/model/profile.h"

struct curve_interval {
	uint64_t from; /* its first tick; it ends where the next one begins */
	/* Bytes: the most at any instant of it. What it begins with counts, too. */
	uint64_t high;
	/* The first of its ticks behind which the heap was largest, and what was live behind that
	 * tick's events: as profile_select() has it for FILTER_AT_TICK. */
	uint64_t tick, bytes, blocks;
};

struct curve {
	struct curve_interval *intervals; /* count 0: there is nothing between from and to */
	size_t count;
	uint64_t from, to;
	uint64_t exact_to; /* what lies before is exact; from: nothing is */
};

/* The whole run as the profile's points have it. ERROR_MEMORY, or 0; release in both cases. */
int curve_from_points(struct curve *curve, const struct profile *profile);

struct curve_options {
	const struct filter *filter; /* NULL: everything. Its times and its instant count as well */
	uint64_t from, to;           /* to is at most the trace's end_tick + 1 */
	size_t intervals;            /* at most; never more than ticks */
};

/* Scans the events up to options->to. Errors as of filtered_scan(), ERROR_DAMAGED also where
 * more is given back than was allocated. Where recording events had stopped early, without a
 * filter, points follow. Release in every case. */
int curve_collect(struct curve *curve, const struct profile *profile,
		  const struct curve_options *options);
void curve_release(struct curve *curve);

/* The interval that a tick lies in: of those before `from` the first, behind `to` the last. The
 * curve has one. */
size_t curve_find(const struct curve *curve, uint64_t tick);

/*
 * The time between two ticks as columns of a picture. Each interval belongs to the column
 * in which it begins, so that none counts twice and no maximum is lost. Where
 * columns are narrower than intervals, several show the same one.
 */
struct curve_column {
	size_t first, count; /* its intervals */
	size_t highest;      /* that of the largest `high`, the first such */
	size_t best;         /* that of the largest `bytes`, likewise */
};
void curve_columns(const struct curve *curve, uint64_t from, uint64_t to,
		   struct curve_column *columns, size_t count);

/* The first tick of column i of count; that of column `count` is `to`. */
uint64_t curve_column_tick(uint64_t from, uint64_t to, size_t i, size_t count);

/* Resident memory of the process: the largest sample between two ticks, where there is none the one
 * before; 0: unknown. */
uint64_t curve_rss(const struct profile *profile, uint64_t from, uint64_t to);

#endif
