/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who allocated: a flat list. Leaks and temporary ones are the same list about another cost. */
#include "tui/view.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/error.h"
#include "tui/columns.h"
#include "tui/list.h"
#include "tui/point.h"
#include "tui/state.h"
#include "tui/view_stack.h"

struct listed {
	struct list list;
	struct picture *picture; /* that by thread, where it is by threads */
	const struct sites *sites;
	uint32_t *order;
	enum cost_kind kind;
	enum lens_by by;
	struct point_stacks stacks;
};

static const char *const by_names[] = {
    [LENS_BY_SITE] = "site", [LENS_BY_FUNCTION] = "function", [LENS_BY_LINE] = "line",
    [LENS_BY_FILE] = "file", [LENS_BY_MODULE] = "module",     [LENS_BY_THREAD] = "thread",
    [LENS_BY_SIZE] = "size", [LENS_BY_ADDRESS] = "address",
};

/* --- what is listed ----------------------------------------------------------------------- */

static int refresh(struct tui *tui, struct listed *listed, enum cost_kind kind)
{
	struct ordering ordering = tui_ordering(tui, kind);
	size_t count = 0;

	free(listed->order);
	listed->order = NULL;
	listed->kind = kind;
	listed->sites = NULL;
	if (listed->by != LENS_BY_THREAD && tui->thread_picture)
		picture_forget_sites(tui->thread_picture);
	if (listed->by == LENS_BY_THREAD)
		picture_forget_sites(tui->picture);
	listed->picture = listed->by == LENS_BY_THREAD ? tui_thread_picture(tui) : tui->picture;
	if (listed->picture) {
		listed->sites = picture_sites(listed->picture, listed->by);
		listed->order =
		    listed->sites ? sites_sorted(listed->sites, &ordering, &count) : NULL;
		if (!listed->order)
			return ERROR_MEMORY;
	}
	list_resize(&listed->list, count);
	return 0;
}

static int refresh_sites(struct tui *tui, void *data)
{
	return refresh(tui, data, tui->cost);
}

static int refresh_leaks(struct tui *tui, void *data)
{
	return refresh(tui, data, COST_LEAKED);
}

static int refresh_temporary(struct tui *tui, void *data)
{
	return refresh(tui, data, COST_TEMPORARY);
}

/* A thread is worth a row though it has nothing of this cost: at the peak most have none. They
 * come last, by their allocations. */
static int add_the_rest(struct listed *listed, size_t *count)
{
	const struct ordering ordering = {.kind = COST_ALLOCATIONS, .sort_by = -1};
	size_t all, sites = listed->sites->site_count;
	uint32_t *order = sites_sorted(listed->sites, &ordering, &all);
	uint32_t *longer = realloc(listed->order, (sites + 1) * sizeof(*longer));
	unsigned char *there = calloc(sites + 1, 1);
	int error = order && longer && there ? 0 : ERROR_MEMORY;

	if (longer)
		listed->order = longer;
	for (size_t i = 0; i < *count && !error; i++)
		there[longer[i]] = 1;
	for (size_t i = 0; i < all && !error; i++)
		if (!there[order[i]])
			longer[(*count)++] = order[i];
	free(there);
	free(order);
	return error;
}

static int refresh_threads(struct tui *tui, void *data)
{
	struct listed *listed = data;
	size_t count, cursor = listed->list.cursor;
	int error;

	listed->by = LENS_BY_THREAD;
	error = refresh(tui, data, tui->cost);
	if (error || !listed->order)
		return error;
	count = listed->list.count;
	error = add_the_rest(listed, &count);
	list_resize(&listed->list, count);
	list_move_to(&listed->list, cursor);
	return error;
}

static void put_away(struct tui *tui, void *data)
{
	struct listed *listed = data;

	(void)tui;
	free(listed->order);
	listed->order = NULL;
	listed->sites = NULL;
	listed->picture = NULL;
}

static const struct site *site_at(const struct listed *listed, size_t row)
{
	return &listed->sites->sites[listed->order[row]];
}

/* Of a line or a file that is not known, what else is. */
static const char *part_or_address(struct tui *tui, const struct listed *listed,
				   const struct site *site, enum frame_part part)
{
	const struct profile *profile = listed->picture->profile;
	const char *text = captions_part(&tui->captions, profile, site->node, site->frame, part);

	if (strcmp(text, "??") || !site->node)
		return text;
	return captions_both(&tui->captions, profile, site->node, site->frame);
}

static const char *thread_text(const struct profile *profile, const struct site *site, char *text,
			       size_t size)
{
	const struct profile_thread *thread = &profile->threads[site->thread];
	const char *nameless = site_nameless_threads(profile, site);

	if (nameless)
		return nameless;
	snprintf(text, size, "%s (%" PRIu64 ")", *thread->name ? thread->name : "thread",
		 thread->tid);
	return text;
}

/* The name of a row; buffer may hold it. */
static const char *name_of(struct tui *tui, const struct listed *listed, const struct site *site,
			   char *buffer, size_t size)
{
	const struct profile *profile = listed->picture->profile;

	switch (listed->by) {
	case LENS_BY_THREAD:
		return thread_text(profile, site, buffer, size);
	case LENS_BY_SIZE:
		snprintf(buffer, size, "blocks of %" PRIu64 " bytes", site->size);
		return buffer;
	case LENS_BY_FUNCTION:
		return captions_function(&tui->captions, profile, site->node, site->frame);
	case LENS_BY_LINE:
		return part_or_address(tui, listed, site, FRAME_LINE);
	case LENS_BY_FILE:
	case LENS_BY_MODULE: {
		const char *file = listed->by == LENS_BY_FILE
				       ? captions_part(&tui->captions, profile, site->node,
						       site->frame, FRAME_FILE)
				       : "??";

		return strcmp(file, "??") ? file
					  : captions_part(&tui->captions, profile, site->node,
							  site->frame, FRAME_MODULE);
	}
	case LENS_BY_ADDRESS:
		return captions_part(&tui->captions, profile, site->node, site->frame,
				     FRAME_ADDRESS);
	case LENS_BY_SITE:
		break;
	}
	return captions_both(&tui->captions, profile, site->node, site->frame);
}

/* --- drawing ------------------------------------------------------------------------------ */

static void draw_row(struct tui *tui, void *data, size_t row, const struct canvas *canvas)
{
	const struct listed *listed = data;
	const struct site *site = site_at(listed, row);
	struct columns columns;
	char buffer[256];

	columns_choose(&columns, tui, listed->kind, canvas->columns);
	columns_draw(&columns, tui, canvas, 0, &site->cost, &site->base);
	if (listed->by == LENS_BY_SITE && listed->picture == tui->picture) {
		columns_name(tui, canvas, columns.width, site->node, site->frame,
			     listed->list.shift);
		return;
	}
	canvas_text_from(canvas, 0, columns.width, canvas->columns - columns.width, ROLE_NORMAL,
			 name_of(tui, listed, site, buffer, sizeof(buffer)), listed->list.shift);
}

static void write_row(struct tui *tui, void *data, size_t row, FILE *out)
{
	const struct listed *listed = data;
	const struct site *site = site_at(listed, row);
	char buffer[256];

	columns_write(tui, listed->kind, &site->cost, &site->base, out);
	fputs(name_of(tui, listed, site, buffer, sizeof(buffer)), out);
}

/* What a search looks at: the name alone. */
static void name_row(struct tui *tui, void *data, size_t row, FILE *out)
{
	const struct listed *listed = data;
	char buffer[256];

	fputs(name_of(tui, listed, site_at(listed, row), buffer, sizeof(buffer)), out);
}

static int may_have(struct tui *tui, void *data, size_t row, const char *letters)
{
	const struct listed *listed = data;
	const struct site *site = site_at(listed, row);

	return (listed->by != LENS_BY_SITE && listed->by != LENS_BY_FUNCTION &&
		listed->by != LENS_BY_LINE) ||
	       captions_may_have(&tui->captions, listed->picture->profile, tui->picture_number,
				 &(struct frame_reference){site->node, site->frame}, letters);
}

static const struct list_ops rows = {.draw = draw_row, .text = name_row, .may_have = may_have};
static const struct list_ops written_rows = {.draw = draw_row, .text = write_row};

static void draw(struct tui *tui, void *data, const struct canvas *canvas)
{
	struct listed *listed = data;
	struct columns columns;
	char heading[64];

	if (!listed->picture) {
		canvas_text(canvas, 0, 1, canvas->columns - 1, ROLE_DIM,
			    *tui->thread_complaint ? tui->thread_complaint : "counting ...");
		return;
	}
	columns_choose(&columns, tui, listed->kind, canvas->columns);
	snprintf(heading, sizeof(heading), "%s %zu/%zu", by_names[listed->by],
		 listed->list.count ? listed->list.cursor + 1 : 0, listed->list.count);
	columns_head(&columns, tui, canvas, 0, heading);
	if (!listed->list.count)
		canvas_print(canvas, 1, 1, canvas->columns - 1, ROLE_DIM, "nothing: %s is %s here",
			     cost_name(listed->kind), tui_is_diff(tui) ? "the same" : "0");
	list_draw(tui, listed, &listed->list, &rows, canvas, 1);
}

/* --- going on ----------------------------------------------------------------------------- */

/* A filter that tells a row from the others. */
static void only(const struct listed *listed, const struct site *site, char *text, size_t size)
{
	const struct profile *profile = listed->picture->profile;
	const struct profile_frame *frame = captions_frame(profile, site->node, site->frame);
	const char *module =
	    profile->modules[profile->locations[profile->nodes[site->node].location].module].path;

	*text = '\0';
	switch (listed->by) {
	case LENS_BY_THREAD:
		if (site->thread && !site_nameless_threads(profile, site))
			snprintf(text, size, "thread=%" PRIu64, profile->threads[site->thread].tid);
		return;
	case LENS_BY_SIZE:
		snprintf(text, size, "size=%" PRIu64, site->size);
		return;
	case LENS_BY_FILE:
	case LENS_BY_LINE:
		if (frame && frame->file)
			snprintf(text, size, "file=%s", frame->file);
		return;
	case LENS_BY_MODULE:
		if (*module)
			snprintf(text, size, "module=%s", module);
		return;
	default:
		if (frame && frame->function)
			snprintf(text, size, "function=%s", frame->function);
	}
}

static int point(struct tui *tui, void *data, struct point *at)
{
	struct listed *listed = data;
	const struct site *site;

	if (!listed->list.count)
		return 0;
	site = site_at(listed, listed->list.cursor);
	at->at = (struct frame_reference){site->node, site->frame};
	if (listed->picture == tui->picture)
		point_add_site(at, &listed->stacks, tui, listed->sites, site, listed->kind);
	only(listed, site, at->only, sizeof(at->only));
	return 1;
}

/* A site's stacks; what is more than a place is looked at alone. */
static int open_row(struct tui *tui, struct listed *listed)
{
	struct point at = {0};

	if (!point(tui, listed, &at))
		return 1;
	if (listed->by == LENS_BY_SITE || listed->by == LENS_BY_FUNCTION ||
	    listed->by == LENS_BY_LINE || listed->by == LENS_BY_ADDRESS)
		stack_show(tui, &at);
	else if (*at.only)
		tui_add_filter(tui, at.only);
	return 1;
}

static int act(struct tui *tui, void *data, enum action action)
{
	struct listed *listed = data;

	if (list_act(&listed->list, action) || list_shift(&listed->list, action))
		return 1;
	if (action == ACTION_OPEN)
		return open_row(tui, listed);
	return 0;
}

static int act_sites(struct tui *tui, void *data, enum action action)
{
	struct listed *listed = data;

	if (action != ACTION_GROUP)
		return act(tui, data, action);
	listed->by = listed->by == LENS_BY_ADDRESS ? LENS_BY_SITE : listed->by + 1;
	list_move_to(&listed->list, 0);
	tui_changed(tui);
	tui_message(tui, "by %s", by_names[listed->by]);
	return 1;
}

/* These two are about one cost. */
static int act_about(struct tui *tui, void *data, enum action action)
{
	if (action != ACTION_COST)
		return act(tui, data, action);
	tui_message(tui, "this list has one cost; 3 shows sites by any (s sorts this one)");
	return 1;
}

static void click(struct tui *tui, void *data, int row, int column)
{
	struct listed *listed = data;
	size_t before = listed->list.cursor;

	(void)column;
	if (list_click(&listed->list, row) && listed->list.cursor == before)
		open_row(tui, listed);
}

static int search(struct tui *tui, void *data, const char *text, int direction, int from_here)
{
	struct listed *listed = data;

	return list_search(tui, listed, &listed->list, &rows, text, direction, from_here);
}

static enum cost_kind about(const struct tui *tui, const void *data)
{
	(void)tui;
	return ((const struct listed *)data)->kind;
}

static size_t position(void *data)
{
	return ((struct listed *)data)->list.cursor;
}

static void move_to(struct tui *tui, void *data, size_t where)
{
	(void)tui;
	list_move_to(&((struct listed *)data)->list, where);
}

static int write_list(struct tui *tui, void *data, FILE *out)
{
	struct listed *listed = data;

	columns_write_head(tui, listed->kind, out);
	fprintf(out, "%s\n", by_names[listed->by]);
	return list_write(tui, listed, &listed->list, &written_rows, out);
}

static void release(void *data)
{
	struct listed *listed = data;

	free(listed->order);
	point_stacks_release(&listed->stacks);
}

#define LIST_OPS                                                                                   \
	.data_bytes = sizeof(struct listed), .put_away = put_away, .draw = draw, .click = click,   \
	.search = search, .point = point, .position = position, .move_to = move_to,                \
	.write = write_list, .release = release

const struct view_ops view_sites = {
    LIST_OPS,
    .name = "Sites",
    .key = '3',
    .help = "who allocated, by function, line, file, module, thread or size (v)",
    .refresh = refresh_sites,
    .act = act_sites,
};

const struct view_ops view_leaks = {
    LIST_OPS,         .name = "Leaks",
    .key = '8',       .help = "what was not given back, suppressed leaks apart",
    .about = about,   .refresh = refresh_leaks,
    .act = act_about,
};

const struct view_ops view_temporary = {
    LIST_OPS,
    .name = "Temporary",
    .brief = "Temp",
    .key = '9',
    .help = "what was given back at once",
    .about = about,
    .refresh = refresh_temporary,
    .act = act_about,
};

const struct view_ops view_threads = {
    LIST_OPS,
    .name = "Threads",
    .brief = "Thr",
    .key = 'T',
    .help = "what each thread allocated; Enter shows one alone",
    .refresh = refresh_threads,
    .act = act,
};
