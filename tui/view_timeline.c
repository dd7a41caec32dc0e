/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The heap over time. What is selected by time shows here as a part of the whole picture, and so
 * the view leaves those conditions out; all other views show that part. The cursor is a tick:
 * of its column the one behind which the heap was largest, so that what is said of it is what
 * `print --at` says.
 */
#include "tui/view.h"

#include <stdlib.h>
#include <string.h>

#include "formats/error.h"
#include "formats/numbers.h"
#include "tui/state.h"
#include "tui/time_view.h"

enum { PAGE_COLUMNS = 10, LEAST_TICKS = 8 };

/* --- the cursor --------------------------------------------------------------------------- */

static void set_cursor(struct time_view *view, uint64_t tick)
{
	view->cursor = tick < view->curves.end ? tick : view->curves.end - 1;
	view->at_peak = 0;
}

static void show_part(struct time_view *view, uint64_t from, uint64_t length)
{
	uint64_t end = view->curves.end;

	length = length < LEAST_TICKS ? LEAST_TICKS : length;
	length = length > end ? end : length;
	if (from > end - length)
		from = end - length;
	view->from = from;
	view->to = from + length;
	view->curves.failed = 0;
}

static uint64_t minus(uint64_t value, uint64_t less)
{
	return value > less ? value - less : 0;
}

static void keep_in_sight(struct time_view *view)
{
	uint64_t length = view->to - view->from;

	if (view->cursor < view->from || view->cursor >= view->to)
		show_part(view, minus(view->cursor, length / 2), length);
}

static void go_to_column(struct time_view *view, int column)
{
	const struct curve *curve = time_curve(view, 0);
	struct curve_column found;

	if (!curve || view->width < 1)
		return;
	column = column < 0 ? 0 : column >= view->width ? view->width - 1 : column;
	found = time_column_at(view, curve, column);
	set_cursor(view, curve->intervals[found.best].tick);
	keep_in_sight(view);
}

/* --- zoom --------------------------------------------------------------------------------- */

/* The cursor stays where it is on the screen. */
static void zoom(struct time_view *view, int in)
{
	uint64_t length = view->to - view->from, before = minus(view->cursor, view->from);

	if (in)
		show_part(view, minus(view->cursor, before / 2), length / 2);
	else
		show_part(view, minus(view->cursor, before * 2), length * 2);
	keep_in_sight(view);
}

/* To the next column that has another interval; beyond the edge of what is shown the part moves. */
static void move(struct time_view *view, int columns)
{
	const struct curve *curve = time_curve(view, 0);
	int at = time_cursor_column(view), step = columns < 0 ? -1 : 1, to = at + columns;
	size_t first;

	if (!curve || at < 0)
		return;
	first = time_column_at(view, curve, at).first;
	while (to >= 0 && to < view->width && time_column_at(view, curve, to).first == first)
		to += step;
	if ((to < 0 && view->from) || (to >= view->width && view->to < view->curves.end)) {
		uint64_t length = view->to - view->from, half = length / 2;
		uint64_t tick = to < 0 ? minus(view->from, 1) : view->to;

		show_part(view, to < 0 ? minus(view->from, half) : view->from + half, length);
		set_cursor(view, tick);
		return;
	}
	go_to_column(view, to);
}

/* --- what others show --------------------------------------------------------------------- */

/* In place of the times that the filter has; filter_copy() leaves room for one more. */
static void set_range(struct filter *filter, uint64_t from, uint64_t to)
{
	size_t kept = 0;

	for (size_t i = 0; i < filter->count; i++)
		if (filter->terms[i].key != FILTER_TIME)
			filter->terms[kept++] = filter->terms[i];
	filter->terms[kept++] = (struct filter_term){.key = FILTER_TIME, .from = from, .to = to};
	filter->count = kept;
	filter->instant = FILTER_END;
	filter->tick = 0;
}

static void mark(struct tui *tui, struct time_view *view)
{
	uint64_t from, to;
	struct filter filters[2];

	time_cursor_range(view, &from, &to);
	if (!view->marking) {
		view->marking = 1;
		view->mark_from = from;
		view->mark_to = to;
		tui_message(tui, "go to the other end of the range, and mark it; Esc: no range");
		return;
	}
	view->marking = 0;
	if (tui_copy_filters(tui, filters))
		return;
	from = from < view->mark_from ? from : view->mark_from;
	to = to > view->mark_to ? to : view->mark_to;
	for (int i = 0; i < 2; i++)
		set_range(&filters[i], from, to);
	tui_change_filters(tui, filters, NULL);
}

static void snapshot(struct tui *tui, const struct time_view *view, const struct view_ops *then)
{
	struct filter filters[2];
	struct time_reading now;

	if (!time_read(tui, view, 0, &now) || tui_copy_filters(tui, filters))
		return;
	for (int i = 0; i < 2; i++) {
		filters[i].instant = view->at_peak ? FILTER_AT_PEAK : FILTER_AT_TICK;
		filters[i].tick = view->at_peak ? 0 : now.tick;
	}
	tui_change_filters(tui, filters, then);
}

static int go_to_peak(const struct tui *tui, struct time_view *view)
{
	uint64_t tick;

	if (!time_find_peak(tui, view, &tick))
		return 0;
	set_cursor(view, tick);
	view->at_peak = time_is_whole(view);
	keep_in_sight(view);
	return 1;
}

/* --- the view ----------------------------------------------------------------------------- */

static int timeline_refresh(struct tui *tui, void *data)
{
	struct time_view *view = data;
	int first = !view->curves.key;
	int error = curves_refresh(tui, &view->curves);

	if (!error && first) {
		show_part(view, 0, view->curves.end);
		go_to_peak(tui, view);
	}
	return error;
}

static int act_on_picture(struct tui *tui, struct time_view *view, enum action action)
{
	switch (action) {
	case ACTION_MARK:
	case ACTION_GROUP:
		mark(tui, view);
		return 1;
	case ACTION_STOP:
		if (!view->marking)
			return 0;
		view->marking = 0;
		return 1;
	case ACTION_OPEN:
		snapshot(tui, view, &view_leaks);
		return 1;
	case ACTION_INSTANT:
		snapshot(tui, view, NULL);
		return 1;
	case ACTION_HOTTEST:
		if (!go_to_peak(tui, view))
			tui_message(tui, "there is no peak: nothing was allocated");
		return 1;
	case ACTION_SORT:
		view->rss = view->rss > 0 ? -1 : 1;
		return 1;
	default:
		return 0;
	}
}

static int timeline_act(struct tui *tui, void *data, enum action action)
{
	struct time_view *view = data;

	switch (action) {
	case ACTION_LEFT:
		move(view, -1);
		break;
	case ACTION_RIGHT:
		move(view, 1);
		break;
	case ACTION_PAGE_UP:
		move(view, -PAGE_COLUMNS);
		break;
	case ACTION_PAGE_DOWN:
		move(view, PAGE_COLUMNS);
		break;
	case ACTION_FIRST:
		go_to_column(view, 0);
		break;
	case ACTION_LAST:
		go_to_column(view, view->width - 1);
		break;
	case ACTION_UP:
	case ACTION_WHEEL_UP:
	case ACTION_ZOOM_IN:
		zoom(view, 1);
		break;
	case ACTION_DOWN:
	case ACTION_WHEEL_DOWN:
	case ACTION_ZOOM_OUT:
		zoom(view, 0);
		break;
	case ACTION_ZOOM_ALL:
		show_part(view, 0, view->curves.end);
		break;
	default:
		return act_on_picture(tui, view, action);
	}
	return 1;
}

static void timeline_click(struct tui *tui, void *data, int row, int column)
{
	struct time_view *view = data;

	(void)tui;
	(void)row;
	if (column >= view->left)
		go_to_column(view, column - view->left);
}

static int timeline_point(struct tui *tui, void *data, struct point *point)
{
	const struct time_view *view = data;
	uint64_t from, to;

	(void)tui;
	if (!time_curve(view, 0))
		return 0;
	time_cursor_range(view, &from, &to);
	snprintf(point->only, sizeof(point->only), "time=%s..%s", time_text(from).text,
		 time_text(to).text);
	return 1;
}

static size_t timeline_position(void *data)
{
	return ((const struct time_view *)data)->cursor;
}

static void timeline_move_to(struct tui *tui, void *data, size_t position)
{
	struct time_view *view = data;

	(void)tui;
	set_cursor(view, position);
	keep_in_sight(view);
}

/* What is on the screen, a line a column. */
static int timeline_write(struct tui *tui, void *data, FILE *out)
{
	const struct time_view *view = data;
	const struct curve *curve = time_curve(view, 0);
	size_t last = SIZE_MAX;

	fprintf(out, "%12s %12s %12s %12s %12s\n", "time", "heap", "blocks", "highest", "RSS");
	for (int i = 0; curve && i < view->width; i++) {
		struct curve_column column = time_column_at(view, curve, i);
		const struct curve_interval *best = &curve->intervals[column.best];
		uint64_t rss = curve_rss(tui->options->fresh, best->tick, best->tick + 1);

		if (column.best == last)
			continue;
		last = column.best;
		fprintf(out, "%12s %12s %12s %12s %12s\n", time_text(best->tick).text,
			number_bytes((int64_t)best->bytes).text,
			number_plain((int64_t)best->blocks).text,
			number_bytes((int64_t)curve->intervals[column.highest].high).text,
			rss ? number_bytes((int64_t)rss).text : "-");
	}
	return 0;
}

static void timeline_release(void *data)
{
	struct time_view *view = data;

	curves_release(&view->curves);
}

const struct view_ops view_timeline = {
    .name = "Timeline",
    .brief = "Time",
    .key = '2',
    .help = "the heap over time: m at both ends of a range, and all views show that range; Enter "
	    "or i: what is alive at the cursor; x: the peak; s: with RSS; up and down zoom",
    .data_bytes = sizeof(struct time_view),
    .refresh = timeline_refresh,
    .draw = time_draw,
    .act = timeline_act,
    .click = timeline_click,
    .point = timeline_point,
    .position = timeline_position,
    .move_to = timeline_move_to,
    .write = timeline_write,
    .release = timeline_release,
};
