/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How large the blocks are: powers of two, with what they cost together. */
#include "tui/view.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tui/columns.h"
#include "tui/list.h"
#include "tui/state.h"

enum { RANGES = 65, LABEL_WIDTH = 20, BAR_LEAST = 10 };

struct sizes_range {
	uint64_t first, last; /* bytes */
	struct cost cost, base;
};

struct sizes_view {
	struct list list;
	struct sizes_range ranges[RANGES]; /* those with anything, smallest first */
	enum cost_kind kind;
	uint64_t most; /* of all ranges */
};

/* 0, 1, 2 to 3, 4 to 7 ...: range n has the sizes of n bits. */
static unsigned range_of(uint64_t size)
{
	return size ? 64 - (unsigned)__builtin_clzll(size) : 0;
}

static void gather(struct sizes_view *view, const struct picture *picture)
{
	const struct profile *profile = picture->profile;

	for (unsigned i = 0; i < RANGES; i++)
		view->ranges[i] = (struct sizes_range){
		    .first = i ? UINT64_C(1) << (i - 1) : 0,
		    .last = i ? (UINT64_C(1) << (i - 1)) * 2 - 1 : 0,
		};
	for (size_t i = 1; i < profile->class_count; i++) {
		const struct profile_class *class_ = &profile->classes[i];
		struct sizes_range *range = &view->ranges[range_of(class_->size)];
		struct cost cost = cost_of_class(profile, &picture->lens, (uint32_t)i);

		cost_add(class_->base ? &range->base : &range->cost, &cost);
	}
}

static uint64_t magnitude(const struct sizes_view *view, const struct sizes_range *range)
{
	int64_t value = cost_difference(&range->cost, &range->base, view->kind);

	return value < 0 ? (uint64_t)-value : (uint64_t)value;
}

static int refresh(struct tui *tui, void *data)
{
	struct sizes_view *view = data;
	size_t count = 0;

	view->kind = tui->cost;
	view->most = 0;
	gather(view, tui->picture);
	for (size_t i = 0; i < RANGES; i++) {
		const struct sizes_range *range = &view->ranges[i];

		if (!range->cost.allocations && !range->base.allocations)
			continue;
		if (magnitude(view, range) > view->most)
			view->most = magnitude(view, range);
		view->ranges[count++] = *range;
	}
	list_resize(&view->list, count);
	return 0;
}

static void label(const struct sizes_range *range, char *text, size_t size)
{
	if (range->first == range->last)
		snprintf(text, size, "%" PRIu64 " bytes", range->first);
	else
		snprintf(text, size, "%" PRIu64 " to %" PRIu64, range->first, range->last);
}

static enum role bar_role(const struct tui *tui, const struct sizes_view *view,
			  const struct sizes_range *range)
{
	if (!tui_is_diff(tui))
		return ROLE_BAR;
	return cost_difference(&range->cost, &range->base, view->kind) < 0 ? ROLE_SHRINK
									   : ROLE_GROWTH;
}

static void draw_row(struct tui *tui, void *data, size_t row, const struct canvas *canvas)
{
	const struct sizes_view *view = data;
	const struct sizes_range *range = &view->ranges[row];
	struct columns columns;
	int column, bar;
	char text[64];

	columns_choose(&columns, tui, view->kind, canvas->columns);
	columns_draw(&columns, tui, canvas, 0, &range->cost, &range->base);
	label(range, text, sizeof(text));
	canvas_text(canvas, 0, columns.width, canvas->columns - columns.width, ROLE_NORMAL, text);
	column = columns.width + LABEL_WIDTH;
	bar = canvas->columns - column;
	if (!columns.bar_width && bar >= BAR_LEAST && canvas_width(canvas, text) < LABEL_WIDTH)
		canvas_bar(canvas, 0, column, bar, bar_role(tui, view, range),
			   magnitude(view, range), view->most);
}

static void write_row(struct tui *tui, void *data, size_t row, FILE *out)
{
	const struct sizes_view *view = data;
	const struct sizes_range *range = &view->ranges[row];
	char text[64];

	columns_write(tui, view->kind, &range->cost, &range->base, out);
	label(range, text, sizeof(text));
	fputs(text, out);
}

static const struct list_ops rows = {.draw = draw_row, .text = write_row};

static void draw(struct tui *tui, void *data, const struct canvas *canvas)
{
	struct sizes_view *view = data;
	struct columns columns;

	columns_choose(&columns, tui, view->kind, canvas->columns);
	columns_head(&columns, tui, canvas, 0, "bytes of a block");
	if (!view->list.count)
		canvas_text(canvas, 1, 1, canvas->columns - 1, ROLE_DIM, "nothing was allocated");
	list_draw(tui, view, &view->list, &rows, canvas, 1);
}

static void filter_of(const struct sizes_range *range, char *text, size_t size)
{
	if (range->last == UINT64_MAX)
		snprintf(text, size, "size=%" PRIu64 "..", range->first);
	else
		snprintf(text, size, "size=%" PRIu64 "..%" PRIu64, range->first, range->last + 1);
}

static int point(struct tui *tui, void *data, struct point *at)
{
	const struct sizes_view *view = data;

	(void)tui;
	if (!view->list.count)
		return 0;
	filter_of(&view->ranges[view->list.cursor], at->only, sizeof(at->only));
	return 1;
}

static int act(struct tui *tui, void *data, enum action action)
{
	struct sizes_view *view = data;
	struct point at = {0};

	if (list_act(&view->list, action))
		return 1;
	if (action != ACTION_OPEN)
		return 0;
	if (point(tui, data, &at))
		tui_add_filter(tui, at.only);
	return 1;
}

static void click(struct tui *tui, void *data, int row, int column)
{
	(void)tui;
	(void)column;
	list_click(&((struct sizes_view *)data)->list, row);
}

static int search(struct tui *tui, void *data, const char *text, int direction, int from_here)
{
	return list_search(tui, data, &((struct sizes_view *)data)->list, &rows, text, direction,
			   from_here);
}

static int write_sizes(struct tui *tui, void *data, FILE *out)
{
	columns_write_head(tui, tui->cost, out);
	fputs("bytes of a block\n", out);
	return list_write(tui, data, &((struct sizes_view *)data)->list, &rows, out);
}

const struct view_ops view_sizes = {
    .name = "Sizes",
    .key = 'z',
    .help = "how large the blocks are; Enter shows those of a row alone",
    .data_bytes = sizeof(struct sizes_view),
    .refresh = refresh,
    .draw = draw,
    .act = act,
    .click = click,
    .search = search,
    .point = point,
    .write = write_sizes,
};
