/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tui/frame.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "analyzer/model/health.h"
#include "formats/error.h"
#include "formats/numbers.h"

/* --- tabs --------------------------------------------------------------------------------- */

/* How the tabs are written: by their names, or, where these don't fit, all but the current one by
 * their brief ones. */
struct tabs {
	int brief;
	size_t first, current;
};

static const char *tab_name(const struct tabs *tabs, size_t i)
{
	return tabs->brief && i != tabs->current && views[i]->brief ? views[i]->brief
								    : views[i]->name;
}

/* With the key in front, and blanks. */
static int tab_width(const struct tabs *tabs, size_t i)
{
	return (int)strlen(tab_name(tabs, i)) + (tabs->brief ? 2 : 4);
}

static int tabs_width(const struct tabs *tabs)
{
	int width = 0;

	for (size_t i = tabs->first; views[i] && views[i]->key; i++)
		width += tab_width(tabs, i);
	return width;
}

/* Where even brief names are too long, tabs to the left go. */
static void choose_tabs(const struct tui *tui, struct tabs *tabs)
{
	*tabs = (struct tabs){0};
	for (size_t i = 0; views[i] && views[i]->key; i++)
		if (views[i] == tui->view)
			tabs->current = i;
	tabs->brief = tabs_width(tabs) > tui->grid.columns;
	while (tabs_width(tabs) > tui->grid.columns && tabs->first < tabs->current)
		tabs->first++;
}

static void draw_tab(const struct canvas *canvas, const struct tabs *tabs, size_t i, int column)
{
	canvas_print(canvas, 0, column, tab_width(tabs, i),
		     i == tabs->current ? ROLE_TAB : ROLE_BAR_LINE,
		     tabs->brief ? "%c%s " : " %c %s ", views[i]->key, tab_name(tabs, i));
}

static void draw_tabs(const struct tui *tui, const struct canvas *canvas)
{
	struct tabs tabs;
	int column = 0;

	canvas_paint(canvas, 0, 0, canvas->columns, ROLE_BAR_LINE);
	if (!tui->view->key) {
		canvas_print(canvas, 0, 1, canvas->columns - 1, ROLE_BAR_LINE, "%s (q: back)",
			     tui->view->name);
		return;
	}
	choose_tabs(tui, &tabs);
	for (size_t i = tabs.first; views[i] && views[i]->key && column < canvas->columns; i++) {
		draw_tab(canvas, &tabs, i, column);
		column += tab_width(&tabs, i);
	}
}

const struct view_ops *frame_tab_at(const struct tui *tui, int row, int column)
{
	struct tabs tabs;
	int left = 0;

	if (row || !frame_first_row(tui) || !tui->view->key)
		return NULL;
	choose_tabs(tui, &tabs);
	for (size_t i = tabs.first; views[i] && views[i]->key; i++) {
		left += tab_width(&tabs, i);
		if (column < left)
			return views[i];
	}
	return NULL;
}

int frame_first_row(const struct tui *tui)
{
	return tui->grid.rows > 2;
}

/* --- the status line ------------------------------------------------------------------------ */

/* What is wrong with the trace, shortest. */
static const char *health(const struct tui *tui)
{
	const struct profile *profile = tui->options->fresh;

	switch (profile->state) {
	case TRACE_COMPLETE:
		break;
	case TRACE_RECORDING:
		return "still recording ";
	case TRACE_CUT:
		return "cut off ";
	case TRACE_DAMAGED:
		return "damaged ";
	}
	for (const struct health_item *item = health_items; item->label; item++)
		if (health_misleads(profile, item))
			return "incomplete ";
	return "";
}

static enum cost_kind cost_in_view(struct tui *tui)
{
	const void *data = tui->view->about ? tui_view_data(tui, tui->view) : NULL;

	return data ? tui->view->about(tui, data) : tui->cost;
}

/* How much of the whole is in view. */
static void share_text(struct tui *tui, char *text, size_t size)
{
	const struct profile *whole = tui->options->fresh;
	uint64_t all = whole->totals.allocations;
	uint64_t shown = tui_is_diff(tui) ? tui->picture->profile->fresh->totals.allocations
					  : tui->picture->profile->totals.allocations;

	int length = 0;

	if (shown != all)
		length = snprintf(text, size, "%s of allocations, ",
				  number_percent((int64_t)shown, (int64_t)all).text);
	if (tui->threshold_percent)
		length += snprintf(text + length, size - (size_t)length, "from %s, ",
				   number_percent((int64_t)tui->threshold_percent, 10000).text);
	else if (tui->threshold)
		length += snprintf(text + length, size - (size_t)length, "from %" PRIu64 ", ",
				   tui->threshold);
	snprintf(text + length, size - (size_t)length, "%s%s", tui_is_diff(tui) ? "diff, " : "",
		 cost_name(cost_in_view(tui)));
}

static void left_text(const struct tui *tui, char *text, size_t size)
{
	char filter[TUI_MESSAGE_BYTES - 64];

	if (*tui->message) {
		snprintf(text, size, "%s", tui->message);
	} else if (!job_text(tui, text, size)) {
		tui_filter_text(tui, filter, sizeof(filter));
		snprintf(text, size, "%s%s",
			 *filter ? "only " : "? help  q quit  f filter  / search", filter);
	}
}

static void draw_status(struct tui *tui, const struct canvas *canvas, int row)
{
	char left[TUI_MESSAGE_BYTES], right[128];
	const char *ill = health(tui);
	int used, width;

	canvas_paint(canvas, row, 0, canvas->columns, ROLE_STATUS);
	left_text(tui, left, sizeof(left));
	used = canvas_text(canvas, row, 0, canvas->columns, ROLE_STATUS, left);
	share_text(tui, right, sizeof(right));
	width = (int)(strlen(right) + strlen(ill)) + 1;
	if (used + 2 + width > canvas->columns)
		return;
	canvas_text(canvas, row, canvas->columns - width, width, ROLE_WARNING, ill);
	canvas_text(canvas, row, canvas->columns - (int)strlen(right) - 1, (int)strlen(right),
		    ROLE_STATUS, right);
}

/* --- all ---------------------------------------------------------------------------------- */

static void draw_view(struct tui *tui, const struct canvas *canvas)
{
	void *data = tui_view_data(tui, tui->view);

	if (data)
		tui->view->draw(tui, data, canvas);
	else
		canvas_print(canvas, 0, 1, canvas->columns - 1, ROLE_WARNING, "%s",
			     error_text(tui_view_error(tui, tui->view)));
}

void frame_draw(struct tui *tui)
{
	struct canvas all = canvas_of(&tui->grid), inner;
	int first = frame_first_row(tui);
	int status = all.rows > 1;

	grid_clear(&tui->grid);
	inner = canvas_part(&all, first, 0, all.rows - first - status, all.columns);
	tui->rows = inner.rows;
	draw_view(tui, &inner);
	if (first)
		draw_tabs(tui, &all);
	if (tui->prompt.kind)
		prompt_draw(&tui->prompt, &all, all.rows - 1);
	else if (status)
		draw_status(tui, &all, all.rows - 1);
}
