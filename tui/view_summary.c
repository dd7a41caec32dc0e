/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The first thing that is seen: totals, what of the trace is in doubt, and who is at the top of
 * each of print's four sections. */
#include "tui/view.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/model/health.h"
#include "analyzer/report/report.h"
#include "formats/error.h"
#include "formats/numbers.h"
#include "formats/trace/reader.h"
#include "tui/columns.h"
#include "tui/list.h"
#include "tui/point.h"
#include "tui/state.h"
#include "tui/view_stack.h"

enum { LINES = 96, LINE_BYTES = 192, TOP_LEAST = 3, TOP_MOST = 10, LABEL = 30, FIGURE = 11 };

enum line_kind { LINE_TEXT, LINE_WARNING, LINE_SECTION, LINE_SITE };

struct summary_line {
	enum line_kind kind;
	char text[LINE_BYTES];        /* LINE_SITE: none */
	const struct view_ops *leads; /* where Enter goes */
	enum cost_kind cost;
	uint32_t site;
};

struct summary {
	struct list list;
	struct summary_line lines[LINES];
	size_t count;
	const struct sites *sites;
	int rows; /* that the top lists were made for */
	struct point_stacks stacks;
};

static struct summary_line *add(struct summary *summary, enum line_kind kind, const char *format,
				...) __attribute__((format(printf, 3, 4)));

static struct summary_line *add(struct summary *summary, enum line_kind kind, const char *format,
				...)
{
	static struct summary_line none;
	struct summary_line *line =
	    summary->count < LINES ? &summary->lines[summary->count++] : &none;
	va_list values;

	*line = (struct summary_line){.kind = kind};
	va_start(values, format);
	vsnprintf(line->text, sizeof(line->text), format, values);
	va_end(values);
	return line;
}

/* --- totals ------------------------------------------------------------------------------ */

/* A figure; of a diff the difference, and both sides. */
static void add_figure(const struct tui *tui, struct summary *summary, const char *label,
		       uint64_t fresh, uint64_t base, int in_bytes, const char *note)
{
	int64_t difference = (int64_t)(fresh - base);
	enum cost_kind kind = in_bytes ? COST_BYTES : COST_ALLOCATIONS;

	if (tui_is_diff(tui))
		add(summary, LINE_TEXT, "%-*s %s%s  base %s, new %s", LABEL, label,
		    difference > 0 ? "+" : "", columns_figure(kind, difference).text,
		    columns_figure(kind, (int64_t)base).text,
		    columns_figure(kind, (int64_t)fresh).text);
	else
		add(summary, LINE_TEXT, "%-*s %s%s", LABEL, label,
		    columns_figure(kind, (int64_t)fresh).text, note);
}

static struct number_text seconds(uint64_t ticks)
{
	return number_fixed((int64_t)ticks, TRACE_TICKS_PER_SECOND,
			    ticks < TRACE_TICKS_PER_SECOND ? 3 : 2);
}

static void add_runtime(const struct tui *tui, struct summary *summary,
			const struct profile_totals *fresh, const struct profile_totals *base)
{
	if (tui_is_diff(tui)) {
		add(summary, LINE_TEXT, "%-*s base %ss, new %ss", LABEL, "total runtime",
		    seconds(base->end_tick).text, seconds(fresh->end_tick).text);
		if (fresh->peak_rss && base->peak_rss)
			add_figure(tui, summary, "peak RSS", fresh->peak_rss, base->peak_rss, 1,
				   "");
	} else if (fresh->peak_rss) {
		add(summary, LINE_TEXT, "%-*s %ss, peak RSS %s", LABEL, "total runtime",
		    seconds(fresh->end_tick).text, number_bytes((int64_t)fresh->peak_rss).text);
	} else {
		add(summary, LINE_TEXT, "%-*s %ss", LABEL, "total runtime",
		    seconds(fresh->end_tick).text);
	}
}

static void add_command(struct summary *summary, const struct profile *profile, const char *label)
{
	char *command = profile_command(profile);

	add(summary, LINE_TEXT, "%s%s", label, command ? command : "");
	free(command);
}

/* "(1234/s)", as print has it; empty where there is no room in a diff. */
static const char *rate_text(const struct profile_totals *totals, uint64_t count, char *text,
			     size_t size)
{
	snprintf(text, size, " (%" PRIu64 "/s)", report_per_second(count, totals->end_tick));
	return text;
}

static void add_totals(const struct tui *tui, struct summary *summary)
{
	const struct profile *profile = tui->picture->profile;
	const struct profile_totals *fresh = &profile->totals, *base = &profile->base_totals;
	const struct suppressions *suppressed = &tui->picture->suppressions;
	struct tui_sides leaked = tui_total(tui, COST_LEAKED);
	char note[64];

	add_runtime(tui, summary, fresh, base);
	add_figure(tui, summary, "calls to allocation functions", fresh->allocations,
		   base->allocations, 0, rate_text(fresh, fresh->allocations, note, sizeof(note)));
	add_figure(tui, summary, "temporary allocations", fresh->temporary, base->temporary, 0,
		   rate_text(fresh, fresh->temporary, note, sizeof(note)));
	snprintf(note, sizeof(note), " at %ss", seconds(fresh->peak_tick).text);
	add_figure(tui, summary, "peak heap memory", fresh->peak_bytes, base->peak_bytes, 1, note);
	snprintf(note, sizeof(note), " in %" PRIu64 " blocks",
		 fresh->leaked_blocks - suppressed->leaked_blocks);
	add_figure(tui, summary, "leaked", leaked.fresh, leaked.base, 1, note);
	if (suppressed->leaked_blocks || suppressed->base_leaked_blocks)
		add_figure(tui, summary, "suppressed leaks", suppressed->leaked_bytes,
			   suppressed->base_leaked_bytes, 1, "");
}

static void add_health(struct summary *summary, const struct profile *profile, const char *side)
{
	char text[LINE_BYTES / 2];

	if (health_state_text(profile, text, sizeof(text)))
		add(summary, LINE_WARNING, "%strace %s", side, text);
	for (const struct health_item *item = health_items; item->label; item++)
		if (health_misleads(profile, item) &&
		    health_item_text(profile, item, text, sizeof(text)))
			add(summary, LINE_WARNING, "%s%s", side, text);
}

/* --- who is at the top -------------------------------------------------------------------- */

static int add_section(const struct tui *tui, struct summary *summary, size_t entries,
		       const struct view_ops *leads, enum cost_kind kind, const char *title)
{
	struct ordering ordering = tui_ordering(tui, kind);
	struct summary_line *line;
	size_t found;
	uint32_t *order;

	ordering.sort_by = -1;
	ordering.least = 0;
	order = sites_first(summary->sites, &ordering, entries, &found);
	if (!order)
		return ERROR_MEMORY;
	line = add(summary, LINE_SECTION, "%s", title);
	line->leads = leads;
	line->cost = kind;
	for (size_t i = 0; i < found; i++) {
		line = add(summary, LINE_SITE, "%s", "");
		line->leads = leads;
		line->cost = kind;
		line->site = order[i];
	}
	free(order);
	return 0;
}

static int make(const struct tui *tui, struct summary *summary)
{
	const struct profile *profile = tui->picture->profile;
	long entries;
	int error;

	summary->count = 0;
	summary->rows = tui->rows;
	if (tui_is_diff(tui))
		add_command(summary, profile->base, "base: ");
	add_command(summary, tui_is_diff(tui) ? profile->fresh : profile,
		    tui_is_diff(tui) ? "new:  " : "");
	add_totals(tui, summary);
	add_health(summary, tui_is_diff(tui) ? profile->fresh : profile,
		   tui_is_diff(tui) ? "new: " : "");
	if (tui_is_diff(tui))
		add_health(summary, profile->base, "base: ");
	/* as many as there is room for */
	entries = (tui->rows - (long)summary->count) / 4 - 1;
	entries = entries < TOP_LEAST ? TOP_LEAST : entries > TOP_MOST ? TOP_MOST : entries;
	error = add_section(tui, summary, (size_t)entries, &view_sites, COST_PEAK,
			    "Peak memory consumers");
	if (!error)
		error = add_section(tui, summary, (size_t)entries, &view_leaks, COST_LEAKED,
				    "Memory leaks");
	if (!error)
		error = add_section(tui, summary, (size_t)entries, &view_sites, COST_ALLOCATIONS,
				    "Most calls to allocation functions");
	if (!error)
		error = add_section(tui, summary, (size_t)entries, &view_temporary, COST_TEMPORARY,
				    "Most temporary allocations");
	list_resize(&summary->list, summary->count);
	return error;
}

static int refresh(struct tui *tui, void *data)
{
	struct summary *summary = data;

	summary->sites = picture_sites(tui->picture, LENS_BY_SITE);
	return summary->sites ? make(tui, summary) : ERROR_MEMORY;
}

/* --- drawing ------------------------------------------------------------------------------ */

static const char *share_text(const struct tui *tui, const struct site *site, enum cost_kind kind,
			      char *text, size_t size)
{
	int64_t value = cost_difference(&site->cost, &site->base, kind);

	if (tui_is_diff(tui))
		snprintf(text, size, "%s", value > 0 ? "more" : "less");
	else
		snprintf(text, size, "%s",
			 number_percent(value, (int64_t)tui_total(tui, kind).fresh).text);
	return text;
}

static void draw_site(struct tui *tui, const struct summary *summary,
		      const struct summary_line *line, const struct canvas *canvas)
{
	const struct site *site = &summary->sites->sites[line->site];
	int64_t value = cost_difference(&site->cost, &site->base, line->cost);
	enum role role = !tui_is_diff(tui) || !value ? ROLE_NORMAL
			 : value > 0                 ? ROLE_GROWTH
						     : ROLE_SHRINK;
	char text[64];

	canvas_text_right(canvas, 0, 0, FIGURE, role, columns_figure(line->cost, value).text);
	canvas_text_right(canvas, 0, FIGURE, 9, ROLE_DIM,
			  share_text(tui, site, line->cost, text, sizeof(text)));
	columns_name(tui, canvas, FIGURE + 11, site->node, site->frame, summary->list.shift);
}

static void draw_row(struct tui *tui, void *data, size_t row, const struct canvas *canvas)
{
	const struct summary *summary = data;
	const struct summary_line *line = &summary->lines[row];
	enum role role = line->kind == LINE_WARNING   ? ROLE_WARNING
			 : line->kind == LINE_SECTION ? ROLE_HEADING
						      : ROLE_NORMAL;

	if (line->kind == LINE_SITE)
		draw_site(tui, summary, line, canvas);
	else
		canvas_text_from(canvas, 0, 0, canvas->columns, role, line->text,
				 summary->list.shift);
}

static void write_row(struct tui *tui, void *data, size_t row, FILE *out)
{
	const struct summary *summary = data;
	const struct summary_line *line = &summary->lines[row];
	const struct site *site;
	char text[64];

	if (line->kind != LINE_SITE) {
		/* a command line may hold anything */
		char escaped[LINE_BYTES * 4];

		text_escape(escaped, sizeof(escaped), line->text, strlen(line->text));
		fputs(escaped, out);
		return;
	}
	site = &summary->sites->sites[line->site];
	fprintf(
	    out, "%*s %8s  %s", FIGURE,
	    columns_figure(line->cost, cost_difference(&site->cost, &site->base, line->cost)).text,
	    share_text(tui, site, line->cost, text, sizeof(text)),
	    captions_both(&tui->captions, tui->picture->profile, site->node, site->frame));
}

static const struct list_ops rows = {.draw = draw_row, .text = write_row};

static void draw(struct tui *tui, void *data, const struct canvas *canvas)
{
	struct summary *summary = data;

	if (summary->rows != tui->rows && make(tui, summary))
		tui_message(tui, "%s", error_text(ERROR_MEMORY));
	list_draw(tui, summary, &summary->list, &rows, canvas, 0);
}

/* --- going on ----------------------------------------------------------------------------- */

static int point(struct tui *tui, void *data, struct point *at)
{
	struct summary *summary = data;
	const struct summary_line *line = &summary->lines[summary->list.cursor];
	const struct site *site;

	if (line->kind != LINE_SITE)
		return 0;
	site = &summary->sites->sites[line->site];
	at->at = (struct frame_reference){site->node, site->frame};
	point_add_site(at, &summary->stacks, tui, summary->sites, site, line->cost);
	point_add_function(at, tui->picture->profile);
	return 1;
}

static int open_line(struct tui *tui, struct summary *summary)
{
	const struct summary_line *line = &summary->lines[summary->list.cursor];
	struct point at = {0};

	if (point(tui, summary, &at)) {
		stack_show(tui, &at);
	} else if (line->leads) {
		tui_set_cost(tui, line->cost);
		tui_show(tui, line->leads);
	}
	return 1;
}

static int act(struct tui *tui, void *data, enum action action)
{
	struct summary *summary = data;

	if (list_act(&summary->list, action) || list_shift(&summary->list, action))
		return 1;
	return action == ACTION_OPEN && open_line(tui, summary);
}

static void click(struct tui *tui, void *data, int row, int column)
{
	struct summary *summary = data;
	size_t before = summary->list.cursor;

	(void)column;
	if (list_click(&summary->list, row) && summary->list.cursor == before)
		open_line(tui, summary);
}

static int search(struct tui *tui, void *data, const char *text, int direction, int from_here)
{
	struct summary *summary = data;

	return list_search(tui, summary, &summary->list, &rows, text, direction, from_here);
}

static size_t position(void *data)
{
	return ((struct summary *)data)->list.cursor;
}

static void move_to(struct tui *tui, void *data, size_t where)
{
	(void)tui;
	list_move_to(&((struct summary *)data)->list, where);
}

static int write_all(struct tui *tui, void *data, FILE *out)
{
	struct summary *summary = data;

	return list_write(tui, summary, &summary->list, &rows, out);
}

static void release(void *data)
{
	point_stacks_release(&((struct summary *)data)->stacks);
}

const struct view_ops view_summary = {
    .name = "Summary",
    .brief = "Sum",
    .key = '1',
    .help = "totals, what is in doubt, and the top of each list",
    .data_bytes = sizeof(struct summary),
    .refresh = refresh,
    .draw = draw,
    .act = act,
    .click = click,
    .search = search,
    .point = point,
    .position = position,
    .move_to = move_to,
    .write = write_all,
    .release = release,
};
