/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_TUI_STATE_H
#define MALLOGRAPH_TUI_STATE_H

/*
 * What the user has in front of him: the picture, the view, how it is ordered, and how he
 * came there. Views read it and call the functions below; all in the thread of the main loop.
 */

#include "analyzer/model/select.h"
#include "analyzer/query/cost.h"
#include "analyzer/query/places.h"
#include "tui/canvas.h"
#include "tui/captions.h"
#include "tui/job.h"
#include "tui/picture.h"
#include "tui/prompt.h"
#include "tui/tui.h"
#include "tui/view.h"

enum { TUI_VIEWS = 20, TUI_HISTORY = 64, TUI_MESSAGE_BYTES = 512 };

struct tui_place { /* where one can go back to */
	const struct view_ops *view;
	size_t position;
	enum cost_kind cost;
	struct filter filters[2];
};

struct tui {
	const struct tui_options *options;
	struct grid grid;
	struct captions captions;
	struct job job;
	struct prompt prompt;

	struct places places; /* of all pictures: what they are parts of is the same */
	struct picture *picture;
	unsigned picture_number; /* another for each */
	/* The same, by thread (SELECT_BY_THREAD); NULL: not asked for yet. See tui_thread_picture.
	 */
	struct picture *thread_picture;
	char thread_complaint[JOB_COMPLAINT_BYTES]; /* why there is none */

	/* Moves when what is shown, or how, is another: then views refresh. */
	unsigned generation;
	enum cost_kind cost;
	int sort_by;                /* enum cost_kind; -1: the cost */
	uint64_t threshold;         /* what costs less is left out */
	uint64_t threshold_percent; /* the same in hundredths of a percent of the whole; or 0 */

	const struct view_ops *view;
	struct tui_view {
		void *data;
		unsigned generation; /* that its data is of; 0: of none */
		int error;
	} state[TUI_VIEWS]; /* in the order of views */
	struct tui_place history[TUI_HISTORY];
	size_t history_count;
	size_t restore; /* position to move to when the view is refreshed; SIZE_MAX: none */

	char search[PROMPT_BYTES];
	char message[TUI_MESSAGE_BYTES]; /* until the next key */
	int rows;                        /* of the view, when it was drawn last */
	int random;                      /* keys are random: nothing is written */
	int quit;
};

/* Begins with the options' filters. 0 or an error, and complaint then says why. Release in any
 * case. */
int tui_init(struct tui *tui, const struct tui_options *options, char *complaint,
	     size_t complaint_bytes);
void tui_release(struct tui *tui);

/* One line, shown until the next key. */
void tui_message(struct tui *tui, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The data of a view, fresh; NULL when it can't be made: then the view's error says why. */
void *tui_view_data(struct tui *tui, const struct view_ops *view);
/* The same as it was made last, if ever: for what decides what will be made. NULL: out of memory.
 */
void *tui_view_storage(struct tui *tui, const struct view_ops *view);
int tui_view_error(struct tui *tui, const struct view_ops *view);
/* Goes to a view; back comes here again. */
void tui_show(struct tui *tui, const struct view_ops *view);
void tui_back(struct tui *tui);
/* The same without the history. */
void tui_turn_to(struct tui *tui, const struct view_ops *view);
/* What views have made of the picture is let go: it goes, too. */
void tui_put_away(struct tui *tui);
/* Back comes to where the view is now: for what changes within one. */
void tui_remember(struct tui *tui);
void tui_set_cost(struct tui *tui, enum cost_kind cost);
/* The data of views is made again at the next look. */
void tui_changed(struct tui *tui);

/* Selects by other filters, which it takes and leaves empty; in a job where events are scanned.
 * then: the view that is shown when they are in force, unless the user went elsewhere; NULL: it
 * stays. The history gets where it was. */
void tui_change_filters(struct tui *tui, struct filter filters[2], const struct view_ops *then);
/* Those of what is shown, for a change. ERROR_MEMORY, which is said; or 0. */
int tui_copy_filters(struct tui *tui, struct filter filters[2]);
/* Adds a condition: KEY=VALUE, behind '-' an exclusion; says what is wrong with it. */
void tui_add_filter(struct tui *tui, const char *expression);
void tui_remove_filters(struct tui *tui);
/* "time=1s..2s"; "" for everything. The caller gives the room. */
void tui_filter_text(const struct tui *tui, char *text, size_t size);

/* The picture by thread: NULL while a job counts it, or when that can't be
 * (thread_complaint). */
struct picture *tui_thread_picture(struct tui *tui);

int tui_is_diff(const struct tui *tui);
/* By which entries are listed: by cost, sort_by, threshold, difference. */
struct ordering tui_ordering(const struct tui *tui, enum cost_kind kind);
/* Entries with less of that kind are left out; total: of all. */
uint64_t tui_least(const struct tui *tui, enum cost_kind kind);
/* All that the picture has of a kind: of both sides, without suppressed leaks. */
struct tui_sides {
	uint64_t fresh, base;
} tui_total(const struct tui *tui, enum cost_kind kind);

/* A search finds it. */
int tui_matches(const char *needle, const char *text);

#endif
