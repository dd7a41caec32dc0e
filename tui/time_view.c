/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tui/time_view.h"

#include <string.h>

#include "tui/state.h"

const struct curve *time_curve(const struct time_view *view, int side)
{
	return curves_of(&view->curves, side, view->from, view->to);
}

uint64_t time_column_start(const struct time_view *view, int column)
{
	return curve_column_tick(view->from, view->to, (size_t)column, (size_t)view->width);
}

/* The first column from where a tick is no more to the left; -1: it is not shown. */
int time_column_of(const struct time_view *view, uint64_t tick)
{
	int low = 0, high = view->width;

	if (tick < view->from || tick >= view->to || view->width < 1)
		return -1;
	while (low < high) {
		int middle = low + (high - low) / 2;

		if (time_column_start(view, middle + 1) <= tick)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* An interval is drawn where it begins. */
int time_cursor_column(const struct time_view *view)
{
	const struct curve *curve = time_curve(view, 0);
	uint64_t from;

	if (!curve)
		return -1;
	from = curve->intervals[curve_find(curve, view->cursor)].from;
	return time_column_of(view, from < view->from ? view->from : from);
}

struct curve_column time_column_at(const struct time_view *view, const struct curve *curve,
				   int column)
{
	struct curve_column found;

	curve_columns(curve, time_column_start(view, column), time_column_start(view, column + 1),
		      &found, 1);
	return found;
}

/* The time that the cursor's column stands for. */
void time_cursor_range(const struct time_view *view, uint64_t *from, uint64_t *to)
{
	const struct curve *curve = time_curve(view, 0);
	int at = time_cursor_column(view);
	struct curve_column column;
	size_t next;

	*from = view->cursor;
	*to = view->cursor + 1;
	if (!curve || at < 0)
		return;
	column = time_column_at(view, curve, at);
	next = column.first + column.count;
	*from = curve->intervals[column.first].from;
	*to = next < curve->count ? curve->intervals[next].from : curve->to;
}

int time_read(const struct tui *tui, const struct time_view *view, int side,
	      struct time_reading *reading)
{
	const struct curve *curve = time_curve(view, side);
	const struct curve_interval *interval;
	int at = time_cursor_column(view);

	if (!curve || at < 0)
		return 0;
	interval = &curve->intervals[curve_find(curve, view->cursor)];
	*reading = (struct time_reading){
	    .tick = interval->tick,
	    .bytes = interval->bytes,
	    .blocks = interval->blocks,
	    .high = curve->intervals[time_column_at(view, curve, at).highest].high,
	    .exact = interval->from < curve->exact_to,
	};
	if (view->at_peak && !side) {
		const struct profile_totals *totals = &tui->options->fresh->totals;

		reading->tick = totals->peak_tick;
		reading->bytes = totals->peak_bytes;
		reading->blocks = totals->peak_blocks;
		reading->exact = 1;
	}
	return 1;
}

int time_is_whole(const struct time_view *view)
{
	return filter_is_empty(&view->curves.filters[0]);
}

/* Of a selection that is not the whole the peak is known once its events were counted. */
int time_find_peak(const struct tui *tui, const struct time_view *view, uint64_t *tick)
{
	const struct curve *curve = &view->curves.whole[0];
	size_t best = 0;

	if (time_is_whole(view)) {
		*tick = tui->options->fresh->totals.peak_tick;
		return tui->options->fresh->totals.peak_bytes != 0;
	}
	for (size_t i = 1; i < curve->count; i++)
		if (curve->intervals[i].high > curve->intervals[best].high)
			best = i;
	if (!curve->count || !curve->intervals[best].high)
		return 0;
	*tick = curve->intervals[best].tick;
	return 1;
}

struct number_text time_text(uint64_t tick)
{
	struct number_text text = number_fixed((int64_t)tick, 1000, 3);

	strcat(text.text, "s");
	return text;
}
