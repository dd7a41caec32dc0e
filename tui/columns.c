/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tui/columns.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/query/names.h"
#include "analyzer/report/report.h"
#include "formats/numbers.h"

enum {
	NAME_LEAST = 30,
	WIDTH_LEAST = 9,
	SHARE_WIDTH = 8,
	BAR_WIDTH = 16,
	BAR_FROM = 110,
	SIDES = 3
};

static const enum cost_kind order[COLUMNS_KINDS] = {COST_PEAK, COST_LEAKED, COST_ALLOCATIONS,
						    COST_TEMPORARY, COST_BYTES};

struct number_text columns_figure(enum cost_kind kind, int64_t value)
{
	return report_in_bytes(kind) ? number_bytes(value) : number_plain(value);
}

/* The heading, and the largest number that can stand below. */
static int width_of(const struct tui *tui, enum cost_kind kind)
{
	struct tui_sides total = tui_total(tui, kind);
	uint64_t most = total.fresh > total.base ? total.fresh : total.base;
	int width = (int)strlen(columns_figure(kind, -(int64_t)most).text) + 1;
	int heading = (int)strlen(cost_name(kind)) + 1;

	if (width < heading)
		width = heading;
	return width > WIDTH_LEAST ? width : WIDTH_LEAST;
}

/* The others come in, in order, as long as there is room. */
static void add_others(struct columns *columns, const struct tui *tui, int width)
{
	for (int i = 0; i < COLUMNS_KINDS; i++) {
		int wanted = width_of(tui, order[i]);

		if (order[i] != columns->kind && columns->width + wanted + NAME_LEAST > width)
			continue;
		if (order[i] != columns->kind)
			columns->width += wanted;
		if (order[i] == columns->kind && columns->side_width)
			continue;
		columns->widths[columns->count] = wanted;
		columns->shown[columns->count++] = order[i];
	}
}

void columns_choose(struct columns *columns, const struct tui *tui, enum cost_kind kind, int width)
{
	int own = width_of(tui, kind);

	*columns = (struct columns){.kind = kind, .total = tui_total(tui, kind)};
	if (tui_is_diff(tui)) {
		columns->side_width = own < 11 ? 11 : own;
		columns->sides = SIDES;
		columns->width = SIDES * columns->side_width;
	} else {
		columns->share_width = SHARE_WIDTH;
		columns->width = SHARE_WIDTH + own;
	}
	if (!tui_is_diff(tui) && width >= BAR_FROM) {
		columns->bar_width = BAR_WIDTH;
		columns->width += BAR_WIDTH + 1;
	}
	add_others(columns, tui, width);
	columns->width += 2;
	/* where there is room for nothing else, the name and the cost share it */
	if (columns->width > width * 3 / 4 && width < 40) {
		columns->count = columns->side_width ? 0 : 1;
		columns->shown[0] = kind;
		columns->widths[0] = own;
		columns->share_width = 0;
		columns->sides = columns->side_width ? 1 : 0;
		columns->width = (columns->side_width ? columns->side_width : own) + 1;
	}
}

static int is_sorted_by(const struct columns *columns, const struct tui *tui, enum cost_kind kind)
{
	return tui->sort_by < 0 ? kind == columns->kind : (int)kind == tui->sort_by;
}

void columns_head(const struct columns *columns, const struct tui *tui, const struct canvas *canvas,
		  int row, const char *name)
{
	static const char *const sides[] = {"base", "new", "difference"};
	int column = 0;

	for (int i = SIDES - columns->sides; i < SIDES; i++, column += columns->side_width)
		canvas_text_right(canvas, row, column, columns->side_width,
				  i == 2 && is_sorted_by(columns, tui, columns->kind)
				      ? ROLE_SORTED
				      : ROLE_HEADING,
				  sides[i]);
	if (columns->share_width)
		canvas_text_right(canvas, row, column, columns->share_width, ROLE_HEADING, "share");
	column += columns->share_width + (columns->bar_width ? columns->bar_width + 1 : 0);
	for (int i = 0; i < columns->count; column += columns->widths[i++])
		canvas_text_right(canvas, row, column, columns->widths[i],
				  is_sorted_by(columns, tui, columns->shown[i]) ? ROLE_SORTED
										: ROLE_HEADING,
				  cost_name(columns->shown[i]));
	canvas_text(canvas, row, columns->width, canvas->columns - columns->width, ROLE_HEADING,
		    name);
}

static enum role sign_role(const struct tui *tui, int64_t value)
{
	if (!tui_is_diff(tui) || !value)
		return ROLE_NORMAL;
	return value > 0 ? ROLE_GROWTH : ROLE_SHRINK;
}

/* With the sign, that of growth, too: colours may be missing. */
static const char *signed_figure(const struct tui *tui, enum cost_kind kind, int64_t value,
				 char *text, size_t size)
{
	snprintf(text, size, "%s%s", tui_is_diff(tui) && value > 0 ? "+" : "",
		 columns_figure(kind, value).text);
	return text;
}

static int draw_sides(const struct columns *columns, const struct tui *tui,
		      const struct canvas *canvas, int row, const struct cost *cost,
		      const struct cost *base)
{
	enum cost_kind kind = columns->kind;
	int64_t difference = cost_difference(cost, base, kind);
	int width = columns->side_width;
	char text[64];

	if (!width)
		return 0;
	if (columns->sides == SIDES) {
		canvas_text_right(canvas, row, 0, width, ROLE_NORMAL,
				  columns_figure(kind, (int64_t)cost_of(base, kind)).text);
		canvas_text_right(canvas, row, width, width, ROLE_NORMAL,
				  columns_figure(kind, (int64_t)cost_of(cost, kind)).text);
	}
	canvas_text_right(canvas, row, (columns->sides - 1) * width, width,
			  sign_role(tui, difference),
			  signed_figure(tui, kind, difference, text, sizeof(text)));
	return columns->sides * width;
}

void columns_draw(const struct columns *columns, const struct tui *tui, const struct canvas *canvas,
		  int row, const struct cost *cost, const struct cost *base)
{
	uint64_t own = cost_of(cost, columns->kind);
	int column = draw_sides(columns, tui, canvas, row, cost, base);
	char text[64];

	if (columns->share_width) {
		canvas_text_right(canvas, row, column, columns->share_width, ROLE_NORMAL,
				  number_percent((int64_t)own, (int64_t)columns->total.fresh).text);
		column += columns->share_width;
	}
	if (columns->bar_width) {
		canvas_bar(canvas, row, column + 1, columns->bar_width, ROLE_BAR, own,
			   columns->total.fresh);
		column += columns->bar_width + 1;
	}
	for (int i = 0; i < columns->count; column += columns->widths[i++]) {
		enum cost_kind kind = columns->shown[i];
		int64_t value = cost_difference(cost, base, kind);

		canvas_text_right(canvas, row, column, columns->widths[i], sign_role(tui, value),
				  signed_figure(tui, kind, value, text, sizeof(text)));
	}
}

/* --- names -------------------------------------------------------------------------------- */

/* Returns the columns that it took. */
static int draw_bare(const struct canvas *canvas, int column, int width, const char *function)
{
	char *bare = malloc(strlen(function) + 1);
	int used;

	if (!bare)
		return 0;
	name_bare(bare, function);
	used = canvas_text(canvas, 0, column, width, ROLE_NORMAL, bare);
	free(bare);
	return used;
}

void columns_name(struct tui *tui, const struct canvas *canvas, int column, uint32_t node,
		  uint32_t frame, int shift)
{
	const struct profile *profile = tui->picture->profile;
	const struct profile_frame *known = captions_frame(profile, node, frame);
	const char *text = captions_where(&tui->captions, profile, node, frame);
	int room = canvas->columns - column, where = canvas_width(canvas, text), name;

	text = captions_function(&tui->captions, profile, node, frame);
	name = canvas_width(canvas, text) - shift;
	if (name < 0)
		name = 0;
	/* an address names its module */
	if ((name + where > room && where > room / 2) || !known || !known->function)
		where = 0;
	if (name + where <= room || shift || !known || !known->function)
		column +=
		    canvas_text_from(canvas, 0, column, room - where, ROLE_NORMAL, text, shift);
	else
		column += draw_bare(canvas, column, room - where, known->function);
	if (where)
		canvas_text(canvas, 0, column, where, ROLE_MODULE,
			    captions_where(&tui->captions, profile, node, frame));
}

/* --- as text ------------------------------------------------------------------------------ */

void columns_write_head(const struct tui *tui, enum cost_kind kind, FILE *out)
{
	if (tui_is_diff(tui))
		fprintf(out, "%14s %14s ", "base", "new");
	else
		fprintf(out, "%8s ", "share");
	fprintf(out, "%14s ", cost_name(kind));
	for (int i = 0; i < COLUMNS_KINDS; i++)
		if (order[i] != kind)
			fprintf(out, "%14s ", cost_name(order[i]));
}

void columns_write(const struct tui *tui, enum cost_kind kind, const struct cost *cost,
		   const struct cost *base, FILE *out)
{
	int64_t own = cost_difference(cost, base, kind);

	if (tui_is_diff(tui))
		fprintf(out, "%14s %14s ", columns_figure(kind, (int64_t)cost_of(base, kind)).text,
			columns_figure(kind, (int64_t)cost_of(cost, kind)).text);
	else
		fprintf(out, "%8s ", number_percent(own, (int64_t)tui_total(tui, kind).fresh).text);
	fprintf(out, "%14s ", columns_figure(kind, own).text);
	for (int i = 0; i < COLUMNS_KINDS; i++)
		if (order[i] != kind)
			fprintf(
			    out, "%14s ",
			    columns_figure(order[i], cost_difference(cost, base, order[i])).text);
}
