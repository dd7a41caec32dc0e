/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tui/state.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/error.h"
#include "tui/filters.h"
#include "tui/marks.h"

static size_t index_of(const struct view_ops *view)
{
	size_t i = 0;

	while (views[i] && views[i] != view)
		i++;
	return i;
}

void tui_message(struct tui *tui, const char *format, ...)
{
	va_list values;

	va_start(values, format);
	vsnprintf(tui->message, sizeof(tui->message), format, values);
	va_end(values);
}

int tui_init(struct tui *tui, const struct tui_options *options, char *complaint,
	     size_t complaint_bytes)
{
	struct filter filters[2] = {{0}, {0}};
	int error = 0;

	*tui = (struct tui){.options = options,
			    .generation = 1,
			    .cost = COST_PEAK,
			    .sort_by = -1,
			    .view = views[0],
			    .restore = SIZE_MAX};
	for (int i = 0; i < 2 && !error; i++)
		error = filter_copy(&filters[i], options->filters[i]);
	if (error) {
		filter_release(&filters[0]);
		return error;
	}
	error = picture_new(&tui->picture, options, filters, 0, complaint, complaint_bytes);
	if (error)
		return error;
	error = places_init(&tui->places, tui->picture->profile, &tui->picture->lens);
	tui->picture->lens.places = &tui->places;
	return error;
}

static void place_release(struct tui_place *place)
{
	filter_release(&place->filters[0]);
	filter_release(&place->filters[1]);
}

void tui_release(struct tui *tui)
{
	job_stop(tui);
	for (size_t i = 0; views[i]; i++) {
		if (tui->state[i].data && views[i]->release)
			views[i]->release(tui->state[i].data);
		free(tui->state[i].data);
	}
	while (tui->history_count)
		place_release(&tui->history[--tui->history_count]);
	picture_free(tui->thread_picture);
	picture_free(tui->picture);
	places_release(&tui->places);
	captions_release(&tui->captions);
	grid_release(&tui->grid);
}

/* --- views ------------------------------------------------------------------------------ */

void *tui_view_storage(struct tui *tui, const struct view_ops *view)
{
	struct tui_view *state = &tui->state[index_of(view)];

	if (!state->data) {
		state->data = calloc(1, view->data_bytes + 1);
		state->error = state->data ? 0 : ERROR_MEMORY;
	}
	return state->data;
}

void *tui_view_data(struct tui *tui, const struct view_ops *view)
{
	struct tui_view *state = &tui->state[index_of(view)];

	tui_view_storage(tui, view);
	if (state->data && state->generation != tui->generation) {
		state->generation = tui->generation;
		state->error = view->refresh ? view->refresh(tui, state->data) : 0;
		if (state->error == ERROR_SYSTEM)
			tui_message(tui, "%s", strerror(errno));
	}
	if (state->error)
		return NULL;
	if (view == tui->view && tui->restore != SIZE_MAX) {
		size_t position = tui->restore;

		tui->restore = SIZE_MAX;
		if (view->move_to)
			view->move_to(tui, state->data, position);
	}
	return state->data;
}

int tui_view_error(struct tui *tui, const struct view_ops *view)
{
	return tui->state[index_of(view)].error;
}

void tui_remember(struct tui *tui)
{
	struct tui_place place = {.view = tui->view, .cost = tui->cost};
	void *data = tui->state[index_of(tui->view)].data;

	if (data && tui->view->position)
		place.position = tui->view->position(data);
	if (filter_copy(&place.filters[0], &tui->picture->filters[0]))
		return;
	if (filter_copy(&place.filters[1], &tui->picture->filters[1])) {
		filter_release(&place.filters[0]);
		return;
	}
	if (tui->history_count == TUI_HISTORY) {
		place_release(&tui->history[0]);
		memmove(tui->history, tui->history + 1, (TUI_HISTORY - 1) * sizeof(*tui->history));
		tui->history_count--;
	}
	tui->history[tui->history_count++] = place;
}

void tui_put_away(struct tui *tui)
{
	struct tui_view *state = &tui->state[index_of(tui->view)];

	if (state->data && state->generation && tui->view->put_away)
		tui->view->put_away(tui, state->data);
	state->generation = 0;
	if (tui->picture->sites_by != LENS_BY_SITE)
		picture_forget_sites(tui->picture);
	if (tui->thread_picture)
		picture_forget_sites(tui->thread_picture);
}

void tui_turn_to(struct tui *tui, const struct view_ops *view)
{
	if (view != tui->view)
		tui_put_away(tui);
	tui->view = view;
}

void tui_show(struct tui *tui, const struct view_ops *view)
{
	if (view == tui->view)
		return;
	tui_remember(tui);
	tui_turn_to(tui, view);
	tui->restore = SIZE_MAX;
}

void tui_set_cost(struct tui *tui, enum cost_kind cost)
{
	if (tui->cost == cost)
		return;
	tui->cost = cost;
	tui_changed(tui);
}

void tui_changed(struct tui *tui)
{
	tui->generation++;
}

/* --- back --------------------------------------------------------------------------------- */

static int same_filters(const struct filter *a, const struct filter *b)
{
	char left[PROMPT_BYTES * 2], right[PROMPT_BYTES * 2];

	if (a->instant != b->instant || a->tick != b->tick || a->count != b->count)
		return 0;
	filter_text(a, left, sizeof(left));
	filter_text(b, right, sizeof(right));
	return !strcmp(left, right);
}

void tui_back(struct tui *tui)
{
	struct tui_place place;

	if (!tui->history_count) {
		tui_message(tui, "this is where you began; q quits");
		return;
	}
	place = tui->history[--tui->history_count];
	tui_set_cost(tui, place.cost);
	if (same_filters(&place.filters[0], &tui->picture->filters[0])) {
		tui_turn_to(tui, place.view);
		tui->restore = place.position;
		place_release(&place);
	} else {
		filters_go_back(tui, &place);
	}
}

/* --- costs ------------------------------------------------------------------------------- */

int tui_is_diff(const struct tui *tui)
{
	return tui->options->base != NULL;
}

static uint64_t total_of(const struct profile_totals *totals, uint64_t suppressed,
			 enum cost_kind kind)
{
	switch (kind) {
	case COST_ALLOCATIONS:
		return totals->allocations;
	case COST_TEMPORARY:
		return totals->temporary;
	case COST_PEAK:
		return totals->peak_bytes;
	case COST_LEAKED:
		return totals->leaked_bytes - suppressed;
	case COST_BYTES:
		return totals->bytes;
	}
	return 0;
}

struct tui_sides tui_total(const struct tui *tui, enum cost_kind kind)
{
	const struct picture *picture = tui->picture;
	const struct suppressions *suppressed = &picture->suppressions;

	return (struct tui_sides){
	    .fresh = total_of(&picture->profile->totals, suppressed->leaked_bytes, kind),
	    .base = total_of(&picture->profile->base_totals, suppressed->base_leaked_bytes, kind),
	};
}

uint64_t tui_least(const struct tui *tui, enum cost_kind kind)
{
	struct tui_sides total = tui_total(tui, kind);
	uint64_t most = total.fresh > total.base ? total.fresh : total.base;

	if (tui->threshold_percent)
		return (uint64_t)((unsigned __int128)most * tui->threshold_percent / 10000);
	return tui->threshold;
}

struct ordering tui_ordering(const struct tui *tui, enum cost_kind kind)
{
	return (struct ordering){
	    .kind = kind,
	    .sort_by = tui->sort_by,
	    .difference = tui_is_diff(tui),
	    .least = tui_least(tui, kind),
	};
}

/* A capital in what is searched for says that capitals count. */
int tui_matches(const char *needle, const char *text)
{
	for (const char *at = needle; *at; at++)
		if (isupper((unsigned char)*at))
			return strstr(text, needle) != NULL;
	return marks_folded(text, needle);
}
