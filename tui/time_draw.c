/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tui/time_view.h"

#include <stdlib.h>
#include <string.h>

#include "formats/error.h"
#include "tui/plot.h"
#include "tui/state.h"

enum {
	LABEL_COLUMNS = 10, /* "1000.00K |" */
	LABEL_ROWS = 4,
	TIME_COLUMNS = 12,  /* "1000.000s" and room */
	LEAST_COLUMNS = 10, /* of a graph with labels */
	RSS_TIMES = 4       /* more than so many times the heap would leave nothing of it to see */
};

static void describe(const struct tui *tui, const struct time_view *view, FILE *out)
{
	uint64_t from, to, rss;
	struct time_reading now, base;

	if (!time_read(tui, view, 0, &now)) {
		fputs("the heap over time is being counted", out);
		return;
	}
	time_cursor_range(view, &from, &to);
	fprintf(out, "%s%s  %s in %s blocks", view->at_peak ? "peak " : "",
		time_text(now.tick).text, number_bytes((int64_t)now.bytes).text,
		number_plain((int64_t)now.blocks).text);
	if (tui_is_diff(tui) && time_read(tui, view, 1, &base)) {
		fprintf(out, "  base %s in %s", number_bytes((int64_t)base.bytes).text,
			number_plain((int64_t)base.blocks).text);
		if (base.tick == now.tick)
			fprintf(out, "  difference %s",
				number_bytes((int64_t)now.bytes - (int64_t)base.bytes).text);
		else
			fprintf(out, " at %s", time_text(base.tick).text);
	}
	rss = curve_rss(tui->options->fresh, from, now.tick + 1);
	if (rss)
		fprintf(out, "  RSS %s", number_bytes((int64_t)rss).text);
	if (strcmp(number_bytes((int64_t)now.high).text, number_bytes((int64_t)now.bytes).text) !=
	    0)
		fprintf(out, "  at most %s", number_bytes((int64_t)now.high).text);
	if (!now.exact)
		fputs("  (as sampled while recording)", out);
}

static void draw_reading(struct tui *tui, const struct time_view *view, const struct canvas *canvas)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return;
	describe(tui, view, out);
	fclose(out);
	canvas_text(canvas, 0, 0, canvas->columns, ROLE_HEADING, text ? text : "");
	free(text);
}

/* By column of dots. */
struct values {
	uint64_t *area, *line;
	uint64_t top;
};

static void heap_values(const struct time_view *view, const struct profile *profile, int side,
			uint64_t *values)
{
	const struct curve *curve = time_curve(view, side);
	size_t dots = (size_t)view->width * PLOT_DOTS_WIDE;
	struct curve_column *columns = curve ? calloc(dots, sizeof(*columns)) : NULL;

	if (columns)
		curve_columns(curve, view->from, view->to, columns, dots);
	for (size_t i = 0; i < dots; i++)
		values[i] =
		    !columns || curve->intervals[columns[i].first].from > profile->totals.end_tick
			? PLOT_NOTHING
			: curve->intervals[columns[i].highest].high;
	free(columns);
}

static void rss_values(const struct time_view *view, const struct profile *profile,
		       uint64_t *values)
{
	size_t dots = (size_t)view->width * PLOT_DOTS_WIDE;

	for (size_t i = 0; i < dots; i++) {
		uint64_t rss = curve_rss(profile, curve_column_tick(view->from, view->to, i, dots),
					 curve_column_tick(view->from, view->to, i + 1, dots));

		values[i] = rss ? rss : PLOT_NOTHING;
	}
}

static uint64_t largest(const uint64_t *values, size_t count)
{
	uint64_t most = 0;

	for (size_t i = 0; i < count; i++)
		if (values[i] != PLOT_NOTHING && values[i] > most)
			most = values[i];
	return most;
}

/* The line is base's, of a diff; otherwise what was resident. */
static int make_values(const struct tui *tui, const struct time_view *view, struct values *values)
{
	size_t dots = (size_t)view->width * PLOT_DOTS_WIDE;
	uint64_t line;

	values->area = calloc(dots + 1, sizeof(*values->area));
	values->line = calloc(dots + 1, sizeof(*values->line));
	if (!values->area || !values->line)
		return ERROR_MEMORY;
	heap_values(view, tui->options->fresh, 0, values->area);
	values->top = largest(values->area, dots);
	for (size_t i = 0; i < dots; i++)
		values->area[i] = values->area[i] == PLOT_NOTHING ? 0 : values->area[i];
	if (tui_is_diff(tui))
		heap_values(view, tui->options->base, 1, values->line);
	else
		rss_values(view, tui->options->fresh, values->line);
	line = largest(values->line, dots);
	if (tui_is_diff(tui) || view->rss > 0 || (!view->rss && line / RSS_TIMES <= values->top)) {
		values->top = line > values->top ? line : values->top;
	} else {
		free(values->line);
		values->line = NULL;
	}
	return 0;
}

static void draw_cells(const struct time_view *view, const struct canvas *canvas,
		       const struct plot *plot)
{
	int cursor = time_cursor_column(view);

	for (int row = 0; row < plot->rows; row++)
		for (int i = 0; i < plot->columns; i++) {
			size_t cell = (size_t)row * (size_t)plot->columns + (size_t)i;
			wchar_t symbol = plot_symbol(plot, row, i);
			char plain = plot_plain(plot, row, i);
			enum role role = plot->line[cell] ? ROLE_MODULE : ROLE_BAR;

			if (symbol == L' ' && i == cursor) {
				symbol = L'│';
				plain = '|';
				role = ROLE_DIM;
			}
			canvas_symbol(canvas, row, i, role, symbol, plain);
		}
	if (cursor >= 0)
		for (int row = 0; row < plot->rows; row++)
			canvas_flag(canvas, row, cursor, 1, CELL_CURSOR);
}

static void draw_labels(const struct canvas *canvas, int rows, uint64_t top)
{
	for (int row = 0; row < rows; row++) {
		uint64_t value =
		    (uint64_t)((unsigned __int128)top * (unsigned)(rows - row) / (unsigned)rows);

		if (row % LABEL_ROWS == 0)
			canvas_text_right(canvas, 1 + row, 0, LABEL_COLUMNS - 2, ROLE_DIM,
					  number_bytes((int64_t)value).text);
		canvas_symbol(canvas, 1 + row, LABEL_COLUMNS - 1, ROLE_DIM, L'│', '|');
	}
}

/* The part of the time that other views show; 0: all of it. */
static int find_range(const struct tui *tui, uint64_t *from, uint64_t *to)
{
	const struct filter *filter = &tui->picture->filters[0];

	for (size_t i = 0; i < filter->count; i++)
		if (filter->terms[i].key == FILTER_TIME && !filter->terms[i].exclude) {
			*from = filter->terms[i].from;
			*to = filter->terms[i].to;
			return 1;
		}
	return 0;
}

static void put_mark(const struct time_view *view, const struct canvas *canvas, uint64_t tick,
		     enum role role, char sign)
{
	int column = time_column_of(view, tick);

	if (column >= 0)
		canvas_symbol(canvas, 0, column, role, (wchar_t)sign, sign);
}

/* Times that are told are 1, 2 or 5 of a unit apart, and far enough for their labels. */
static uint64_t round_step(const struct time_view *view)
{
	static const uint64_t steps[] = {1, 2, 5};
	uint64_t labels = (uint64_t)(view->width / TIME_COLUMNS), unit = 1;

	for (; unit < UINT64_MAX / 10 / 5; unit *= 10)
		for (int i = 0; i < 3; i++)
			if (steps[i] * unit * (labels ? labels : 1) >= view->to - view->from)
				return steps[i] * unit;
	return unit;
}

static uint64_t first_round(const struct time_view *view, uint64_t step)
{
	return (view->from + step - 1) / step * step;
}

static uint64_t next_round(const struct time_view *view, uint64_t tick, uint64_t step)
{
	return view->to - tick > step ? tick + step : view->to;
}

static void draw_axis(const struct tui *tui, const struct time_view *view,
		      const struct canvas *canvas)
{
	const struct filter *filter = &tui->picture->filters[0];
	uint64_t from, to, tick;
	int column = time_cursor_column(view);

	for (int i = 0; i < canvas->columns; i++)
		canvas_symbol(canvas, 0, i, ROLE_DIM, L'─', '-');
	for (tick = first_round(view, round_step(view)); tick < view->to;
	     tick = next_round(view, tick, round_step(view)))
		canvas_symbol(canvas, 0, time_column_of(view, tick), ROLE_DIM, L'┬', '+');
	if (find_range(tui, &from, &to)) {
		for (int i = 0; i < canvas->columns; i++)
			if (time_column_start(view, i) >= from && time_column_start(view, i) < to)
				canvas_symbol(canvas, 0, i, ROLE_SORTED, L'=', '=');
		put_mark(view, canvas, from, ROLE_SORTED, '[');
		put_mark(view, canvas, to > view->curves.end ? view->curves.end - 1 : to - 1,
			 ROLE_SORTED, ']');
	}
	if (time_find_peak(tui, view, &tick))
		put_mark(view, canvas, tick, ROLE_HEADING, 'P');
	if (filter->instant != FILTER_END)
		put_mark(view, canvas,
			 filter->instant == FILTER_AT_TICK ? filter->tick
							   : tui->options->fresh->totals.peak_tick,
			 ROLE_SORTED, '@');
	if (view->marking)
		put_mark(view, canvas, view->mark_from, ROLE_SORTED, 'm');
	if (column >= 0)
		canvas_symbol(canvas, 0, column, ROLE_KEY, L'^', '^');
}

static void draw_times(const struct time_view *view, const struct canvas *canvas)
{
	struct number_text end = time_text(view->to);
	uint64_t step = round_step(view);
	int used = 0;

	for (uint64_t tick = first_round(view, step); tick < view->to;
	     tick = next_round(view, tick, step)) {
		struct number_text text = number_fixed((int64_t)tick, 1000,
						       step % 1000 == 0  ? 0
						       : step % 100 == 0 ? 1
						       : step % 10 == 0  ? 2
									 : 3);
		int column = time_column_of(view, tick);

		strcat(text.text, "s");
		if (column >= used && column + (int)strlen(text.text) <= canvas->columns)
			used = column +
			       canvas_text(canvas, 0, column, canvas->columns - column, ROLE_DIM,
					   text.text) +
			       1;
	}
	if (used + (int)strlen(end.text) <= canvas->columns)
		canvas_text_right(canvas, 0, used, canvas->columns - used, ROLE_DIM, end.text);
}

static void draw_graph(struct tui *tui, const struct time_view *view, const struct canvas *canvas,
		       int rows)
{
	struct values values = {0};
	struct canvas cells = canvas_part(canvas, 1, view->left, rows, view->width);
	struct plot plot;

	if (!plot_init(&plot, rows, view->width) && !make_values(tui, view, &values)) {
		plot_area(&plot, values.area, values.top);
		if (values.line)
			plot_line(&plot, values.line, values.top);
		draw_cells(view, &cells, &plot);
		if (view->left)
			draw_labels(canvas, rows, values.top);
	}
	free(values.area);
	free(values.line);
	plot_release(&plot);
}

/* Of few rows the graph gets what the axis needs. */
void time_draw(struct tui *tui, void *data, const struct canvas *canvas)
{
	struct time_view *view = data;
	int below = canvas->rows < 4 ? 0 : canvas->rows < 6 ? 1 : 2;
	int rows = canvas->rows - 1 - below;
	struct canvas line;

	view->left = canvas->columns >= LABEL_COLUMNS + LEAST_COLUMNS ? LABEL_COLUMNS : 0;
	view->width = canvas->columns - view->left;
	if (view->width < 1 || canvas->rows < 1)
		return;
	curves_want(tui, &view->curves, view->from, view->to, (size_t)view->width * PLOT_DOTS_WIDE);
	draw_reading(tui, view, canvas);
	if (rows > 0)
		draw_graph(tui, view, canvas, rows);
	line = canvas_part(canvas, 1 + rows, view->left, 1, view->width);
	if (below > 0)
		draw_axis(tui, view, &line);
	line = canvas_part(canvas, 2 + rows, view->left, 1, view->width);
	if (below > 1)
		draw_times(view, &line);
}
