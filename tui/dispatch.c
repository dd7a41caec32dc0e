/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tui/dispatch.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/frame.h"
#include "tui/screen.h"
#include "tui/view_callers.h"
#include "tui/view_stack.h"

/* --- searching ------------------------------------------------------------------------- */

static void search(struct tui *tui, int direction, int from_here)
{
	void *data = tui_view_data(tui, tui->view);

	if (!*tui->search)
		tui_message(tui, "/ searches");
	else if (!data || !tui->view->search)
		tui_message(tui, "there is nothing to search here");
	else if (!tui->view->search(tui, data, tui->search, direction, from_here))
		tui_message(tui,
			    tui->view->point
				? "not found: %s (rows alone; f function=... asks stacks)"
				: "not found: %s",
			    tui->search);
}

static void search_typed(struct tui *tui, const char *text)
{
	strcpy(tui->search, text);
	if (*text)
		search(tui, 1, 1);
}

static const struct prompt_kind search_prompt = {.label = "search: ", .done = search_typed};

/* --- threshold --------------------------------------------------------------------------- */

/* "10k", "1.5%"; hundredths of a percent, or a plain number. */
static int read_threshold(const char *text, uint64_t *number, uint64_t *percent)
{
	static const char units[] = "kMGT";
	unsigned long long whole, fraction = 0, unit = 1;
	unsigned long long scale = 1;
	char *end;
	const char *found;

	*number = *percent = 0;
	if (*text < '0' || *text > '9')
		return -1;
	whole = strtoull(text, &end, 10);
	if (*end == '.')
		for (end++; *end >= '0' && *end <= '9'; end++)
			if (scale < 100) {
				fraction = fraction * 10 + (unsigned)(*end - '0');
				scale *= 10;
			}
	if (whole > UINT64_MAX / 1000000000000000ULL)
		return -1;
	if (*end == '%' && !end[1]) {
		*percent = whole * 100 + fraction * 100 / scale;
		return *percent <= 10000 ? 0 : -1;
	}
	if (*end && (found = strchr(units, *end == 'K' ? 'k' : *end)) != NULL) {
		for (const char *at = units; at <= found; at++)
			unit *= 1000;
		end++;
	}
	*number = whole * unit + fraction * unit / scale;
	return *end ? -1 : 0;
}

static void threshold_typed(struct tui *tui, const char *text)
{
	uint64_t number = 0, percent = 0;

	if (*text && read_threshold(text, &number, &percent)) {
		tui_message(tui, "'%s' is no threshold: type 500, 10k, 1.5M or 1%%", text);
		return;
	}
	tui->threshold = number;
	tui->threshold_percent = percent;
	tui_changed(tui);
}

static const struct prompt_kind threshold_prompt = {
    .label = "at least (500, 10k, 1%; 0: all): ",
    .done = threshold_typed,
};

/* --- what all views have in common --------------------------------------------------------- */

/* Who goes on from a backtrace of leaks, or a line of them, asks about leaks. */
static void take_cost(struct tui *tui, const struct point *at)
{
	if (at->figures)
		tui_set_cost(tui, at->kind);
}

static void show_view(struct tui *tui, const struct view_ops *view)
{
	void *data = tui_view_data(tui, tui->view);
	struct point at = {0};

	if (view->follow && view != tui->view) {
		if (data && tui->view->point)
			tui->view->point(tui, data, &at);
		take_cost(tui, &at);
		data = tui_view_data(tui, view);
		if (data)
			view->follow(tui, data, &at);
	}
	tui_show(tui, view);
}

static void next_view(struct tui *tui, int direction)
{
	int tabs = 0, at = 0;

	if (!views[0] || !views[0]->key)
		return;
	for (; views[tabs] && views[tabs]->key; tabs++)
		if (views[tabs] == tui->view)
			at = tabs;
	show_view(tui, views[(at + direction + tabs) % tabs]);
}

static void next_cost(struct tui *tui)
{
	static const enum cost_kind next[] = {
	    [COST_PEAK] = COST_LEAKED,
	    [COST_LEAKED] = COST_ALLOCATIONS,
	    [COST_ALLOCATIONS] = COST_TEMPORARY,
	    [COST_TEMPORARY] = COST_BYTES,
	    [COST_BYTES] = COST_PEAK,
	};

	tui->cost = next[tui->cost];
	tui_changed(tui);
	tui_message(tui, "cost: %s", cost_name(tui->cost));
}

static void next_order(struct tui *tui)
{
	tui->sort_by = tui->sort_by == COST_BYTES ? -1 : tui->sort_by + 1;
	tui_changed(tui);
	tui_message(tui, "sorted by %s",
		    tui->sort_by < 0 ? "the cost" : cost_name((enum cost_kind)tui->sort_by));
}

static int point(struct tui *tui, struct point *at)
{
	void *data = tui_view_data(tui, tui->view);

	*at = (struct point){0};
	if (data && tui->view->point && tui->view->point(tui, data, at))
		return 1;
	tui_message(tui, "there is nothing under the cursor");
	return 0;
}

static void show_only(struct tui *tui)
{
	struct point at;

	if (!point(tui, &at))
		return;
	if (*at.only)
		tui_add_filter(tui, at.only);
	else
		tui_message(tui, "no filter tells this from the rest");
}

static void leave(struct tui *tui)
{
	if (!tui->view->key && tui->history_count)
		tui_back(tui);
	else
		tui->quit = 1;
}

static void interrupt(struct tui *tui)
{
	if (tui->job.kind)
		job_stop(tui);
	else
		tui->quit = 1;
}

static void act(struct tui *tui, enum action action)
{
	struct point at;

	switch (action) {
	case ACTION_BACK:
		tui_back(tui);
		break;
	case ACTION_NEXT_VIEW:
		next_view(tui, 1);
		break;
	case ACTION_PREVIOUS_VIEW:
		next_view(tui, -1);
		break;
	case ACTION_OPEN:
	case ACTION_CALLERS:
		if (point(tui, &at)) {
			take_cost(tui, &at);
			callers_show(tui, at.at);
		}
		break;
	case ACTION_BACKTRACE:
		if (point(tui, &at))
			stack_show(tui, &at);
		break;
	case ACTION_HELP:
		tui_show(tui, &view_help);
		break;
	case ACTION_SEARCH:
		prompt_begin(&tui->prompt, &search_prompt, "");
		break;
	case ACTION_SEARCH_NEXT:
		search(tui, 1, 0);
		break;
	case ACTION_SEARCH_PREVIOUS:
		search(tui, -1, 0);
		break;
	case ACTION_FILTER:
		prompt_begin(&tui->prompt, &filter_prompt, "");
		break;
	case ACTION_ONLY:
		show_only(tui);
		break;
	case ACTION_EVERYTHING:
		tui_remove_filters(tui);
		break;
	case ACTION_COST:
		next_cost(tui);
		break;
	case ACTION_SORT:
		next_order(tui);
		break;
	case ACTION_THRESHOLD:
		prompt_begin(&tui->prompt, &threshold_prompt, "");
		break;
	case ACTION_EXPORT:
		prompt_begin(&tui->prompt, &export_prompt, "");
		break;
	case ACTION_STOP:
		if (tui->job.kind)
			job_stop(tui);
		else
			*tui->search = '\0';
		break;
	case ACTION_INTERRUPT:
		interrupt(tui);
		break;
	case ACTION_REDRAW:
		screen_redraw();
		break;
	case ACTION_QUIT:
		leave(tui);
		break;
	default:
		break;
	}
}

static const struct view_ops *view_of_key(uint32_t key)
{
	for (size_t i = 0; views[i] && views[i]->key; i++)
		if ((uint32_t)(unsigned char)views[i]->key == key)
			return views[i];
	return NULL;
}

static void click(struct tui *tui, const struct key *key)
{
	const struct view_ops *tab = frame_tab_at(tui, key->row, key->column);
	int row = key->row - frame_first_row(tui);
	void *data;

	if (tab) {
		show_view(tui, tab);
		return;
	}
	data = tui_view_data(tui, tui->view);
	if (data && tui->view->click && row >= 0 && row < tui->rows)
		tui->view->click(tui, data, row, key->column);
}

void dispatch_key(struct tui *tui, const struct key *key)
{
	enum action action = action_of_key(key->code);
	const struct view_ops *view = view_of_key(key->code);
	void *data;

	tui->message[0] = '\0';
	if (key->code == KEY_CODE_CLICK) {
		click(tui, key);
	} else if (tui->prompt.kind) {
		prompt_key(tui, &tui->prompt, key->code);
	} else if (view) {
		show_view(tui, view);
	} else if (action) {
		data = tui_view_data(tui, tui->view);
		if (!data || !tui->view->act || !tui->view->act(tui, data, action))
			act(tui, action);
	}
}
