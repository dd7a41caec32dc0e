/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_TIME_VIEW_H
#define MALLOGRAPH_TIME_VIEW_H

/*
 * For view_timeline.c and time_draw.c: what part of the time is shown, in which columns, and what
 * is under the cursor.
 */

#include "formats/numbers.h"
#include "tui/canvas.h"
#include "tui/curves.h"

struct time_view {
	struct curves curves;
	uint64_t from, to; /* what is shown */
	uint64_t cursor;
	int at_peak; /* the cursor is at the peak's instant, inside of its tick */
	int marking; /* one end of a range */
	uint64_t mark_from, mark_to;
	int rss;         /* drawn: 0 when it fits, 1, -1 */
	int left, width; /* of the graph, when it was drawn last */
};

/* Of fresh or base, the finest there is of what is shown; NULL: nothing is known yet. */
const struct curve *time_curve(const struct time_view *view, int side);

/* The tick that a column of the graph begins with; and its column: the first from where ticks are
 * no more to the left; -1: it is not shown. */
uint64_t time_column_start(const struct time_view *view, int column);
int time_column_of(const struct time_view *view, uint64_t tick);
struct curve_column time_column_at(const struct time_view *view, const struct curve *curve,
				   int column);

/* Where the cursor is drawn; -1: nowhere. And the time that this column stands for. */
int time_cursor_column(const struct time_view *view);
void time_cursor_range(const struct time_view *view, uint64_t *from, uint64_t *to);

/* What is known of the cursor: behind that tick; and the most in its column. */
struct time_reading {
	uint64_t tick, bytes, blocks, high;
	int exact;
};

/* 0: nothing is. */
int time_read(const struct tui *tui, const struct time_view *view, int side,
	      struct time_reading *reading);

/* All of the trace is looked at, its times apart. */
int time_is_whole(const struct time_view *view);
/* 0: there is none, or it is not known yet. */
int time_find_peak(const struct tui *tui, const struct time_view *view, uint64_t *tick);

/* "1.203s", as filters take it. */
struct number_text time_text(uint64_t tick);

void time_draw(struct tui *tui, void *data, const struct canvas *canvas);

#endif
