/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is shown is another part: pictures are made in a job, and take the old one's place when they
 * are done. */
#include "tui/filters.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/error.h"

struct selecting { /* a picture that a job makes */
	const struct tui_options *options;
	struct filter filters[2];
	unsigned flags;
	struct picture *picture;
	int back;            /* to a place of the history */
	struct tui_place to; /* (its filters are not used) */
	/* That was shown when it began, and is it still, then that which is shown then. */
	const struct view_ops *from, *then;
};

static int select_work(void *context, char *complaint)
{
	struct selecting *selecting = context;

	return picture_new(&selecting->picture, selecting->options, selecting->filters,
			   selecting->flags, complaint, JOB_COMPLAINT_BYTES);
}

static void selecting_free(struct selecting *selecting)
{
	filter_release(&selecting->filters[0]);
	filter_release(&selecting->filters[1]);
	picture_free(selecting->picture);
	free(selecting);
}

static void say_error(struct tui *tui, int error, const char *complaint)
{
	if (error == ERROR_CANCELLED)
		tui_message(tui, "stopped: nothing has changed");
	else
		tui_message(tui, "%s",
			    *complaint              ? complaint
			    : error == ERROR_SYSTEM ? strerror(errno)
						    : error_text(error));
}

static void select_done(struct tui *tui, void *context, int error, const char *complaint)
{
	struct selecting *selecting = context;

	if (error) {
		say_error(tui, error, complaint);
		selecting_free(selecting);
		return;
	}
	if (!selecting->back)
		tui_remember(tui);
	tui_put_away(tui);
	picture_free(tui->thread_picture);
	tui->thread_picture = NULL;
	tui->thread_complaint[0] = '\0';
	picture_free(tui->picture);
	tui->picture = selecting->picture;
	tui->picture->lens.places = &tui->places;
	tui->picture_number++;
	selecting->picture = NULL;
	tui_changed(tui);
	if (selecting->back) {
		tui_turn_to(tui, selecting->to.view);
		tui->restore = selecting->to.position;
	} else if (selecting->then && selecting->from == tui->view) {
		tui_turn_to(tui, selecting->then);
	}
	if (*complaint)
		tui_message(tui, "%s", complaint);
	selecting_free(selecting);
}

static const struct job_kind filtering = {"filtering", select_work, select_done};

static void change(struct tui *tui, struct filter filters[2], const struct tui_place *back,
		   const struct view_ops *then)
{
	struct selecting *selecting = calloc(1, sizeof(*selecting));

	if (!selecting) {
		filter_release(&filters[0]);
		filter_release(&filters[1]);
		tui_message(tui, "%s", error_text(ERROR_MEMORY));
		return;
	}
	selecting->options = tui->options;
	for (int i = 0; i < 2; i++) {
		selecting->filters[i] = filters[i];
		filters[i] = (struct filter){0};
	}
	selecting->from = tui->view;
	selecting->then = then;
	if (back) {
		selecting->back = 1;
		selecting->to = *back;
	}
	job_start(tui, &filtering, selecting);
}

void filters_go_back(struct tui *tui, const struct tui_place *place)
{
	struct filter filters[2] = {place->filters[0], place->filters[1]};

	change(tui, filters, place, NULL);
}

void tui_change_filters(struct tui *tui, struct filter filters[2], const struct view_ops *then)
{
	change(tui, filters, NULL, then);
}

int tui_copy_filters(struct tui *tui, struct filter filters[2])
{
	filters[1] = (struct filter){0};
	if (!filter_copy(&filters[0], &tui->picture->filters[0]) &&
	    !filter_copy(&filters[1], &tui->picture->filters[1]))
		return 0;
	filter_release(&filters[0]);
	tui_message(tui, "%s", error_text(ERROR_MEMORY));
	return ERROR_MEMORY;
}

void tui_add_filter(struct tui *tui, const char *expression)
{
	char complaint[TUI_MESSAGE_BYTES] = "";
	struct filter filters[2];
	int exclude = *expression == '-', error = 0;

	if (tui_copy_filters(tui, filters))
		return;
	for (int i = 0; i < 2 && !error; i++)
		error = filter_add(&filters[i], expression + exclude, exclude, complaint,
				   sizeof(complaint));
	if (!error) {
		change(tui, filters, NULL, NULL);
		return;
	}
	tui_message(tui, "%s", *complaint ? complaint : error_text(error));
	filter_release(&filters[0]);
	filter_release(&filters[1]);
}

void tui_remove_filters(struct tui *tui)
{
	struct filter none[2] = {{0}, {0}};

	if (filter_is_empty(&tui->picture->filters[0]) &&
	    filter_is_empty(&tui->picture->filters[1])) {
		tui_message(tui, "there is no filter: everything is shown");
		return;
	}
	change(tui, none, NULL, NULL);
}

void tui_filter_text(const struct tui *tui, char *text, size_t size)
{
	filter_text(&tui->picture->filters[0], text, size);
}

/* --- by thread ----------------------------------------------------------------------------- */

static void thread_done(struct tui *tui, void *context, int error, const char *complaint)
{
	struct selecting *selecting = context;

	if (error) {
		say_error(tui, error, complaint);
		snprintf(tui->thread_complaint, sizeof(tui->thread_complaint), "%s", tui->message);
	} else {
		tui->thread_picture = selecting->picture;
		tui->thread_picture->lens.places = &tui->places;
		selecting->picture = NULL;
	}
	tui_changed(tui);
	selecting_free(selecting);
}

static const struct job_kind counting = {"counting threads", select_work, thread_done};

/* Other jobs than the two of this file are stopped for it. */
struct picture *tui_thread_picture(struct tui *tui)
{
	struct selecting *selecting;

	if (tui->thread_picture || *tui->thread_complaint || tui->job.kind == &filtering ||
	    tui->job.kind == &counting)
		return tui->thread_picture;
	selecting = calloc(1, sizeof(*selecting));
	if (!selecting)
		return NULL;
	if (tui_copy_filters(tui, selecting->filters)) {
		free(selecting);
		return NULL;
	}
	selecting->options = tui->options;
	selecting->flags = SELECT_BY_THREAD;
	job_start(tui, &counting, selecting);
	return tui->thread_picture;
}
