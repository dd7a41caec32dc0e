/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_TUI_VIEW_H
#define MALLOGRAPH_TUI_VIEW_H

/*
 * A view of what is shown (tui/state.h: tui->picture), in a tab of its own. A view never
 * reads a key and owns no window: it is told what to do and where to draw. All is called
 * from the one thread of the main loop, with the view's own data, which is all zero at first.
 */

#include <stdint.h>
#include <stdio.h>

#include "analyzer/query/cost.h"
#include "tui/action.h"
#include "tui/canvas.h"

struct tui;

/* A frame of a stack: that of a node's location. */
struct frame_reference {
	uint32_t node, frame;
};

/* What is under the cursor. Unknown parts are 0. */
struct point {
	struct frame_reference at;
	/* Its full backtraces: stacks[i] goes on outward from its frame to main. In front of them
	 * `inner_count` frames, the innermost first. Both live until the view is drawn or acts. */
	const struct frame_reference *stacks;
	size_t stack_count;
	const int64_t *figures; /* what each stack costs, in kind; NULL: not known */
	enum cost_kind kind;
	const struct frame_reference *inner;
	size_t inner_count;
	/* A filter that selects just this, as KEY=VALUE: "thread=worker"; "" for none. */
	char only[1024];
};

struct view_ops {
	const char *name;  /* of its tab */
	const char *brief; /* the same where there is little room; NULL: name */
	char key;          /* that shows it; 0: only others lead to it, and it has no tab */
	const char *help;  /* what it shows */
	size_t data_bytes;

	/* Makes its data of tui->picture, from scratch. Called before anything else whenever
	 * tui->generation has moved: another part, cost, order or threshold; and when it is shown
	 * again. 0, or an error (formats/error.h), which is shown in its place. May start a job
	 * (tui/job.h). */
	int (*refresh)(struct tui *tui, void *data);
	/* It is no longer shown, or what is shown is about to be another part: what it made of
	 * tui->picture is let go (sites by anything but site are in any
	 * case, those by site where a tree is made), and what is needed
	 * to find the place again is kept. Refresh comes before anything else. NULL: there is
	 * nothing large. */
	void (*put_away)(struct tui *tui, void *data);
	/* It is shown, by its key or its tab; point: what was under the cursor of the view before.
	 * NULL: that is nothing to it. */
	void (*follow)(struct tui *tui, void *data, const struct point *point);
	void (*draw)(struct tui *tui, void *data, const struct canvas *canvas);
	/* 1: done; 0: not its own, the default is. NULL: nothing is. */
	int (*act)(struct tui *tui, void *data, enum action action);
	/* The row and column that was clicked, of its canvas. NULL: nothing to click at. */
	void (*click)(struct tui *tui, void *data, int row, int column);
	/* Moves to the next place (direction 1; -1: the one before) that has the text
	 * (tui_matches()). from_here: the cursor's own counts, too. 1: found. NULL: nothing to
	 * search. */
	int (*search)(struct tui *tui, void *data, const char *text, int direction, int from_here);
	/* What is under the cursor: 1, or 0 for nothing. NULL: nothing. */
	int (*point)(struct tui *tui, void *data, struct point *point);
	/* Where the cursor is, for the history, and back there. NULL: nowhere. */
	size_t (*position)(void *data);
	void (*move_to)(struct tui *tui, void *data, size_t position);
	/* The whole view as text, as shown, but not clipped: for `e`. 0 or ERROR_MEMORY. NULL: it
	 * can't be written. */
	int (*write)(struct tui *tui, void *data, FILE *out);
	/* The cost that it is about, for the status line. NULL: tui->cost. */
	enum cost_kind (*about)(const struct tui *tui, const void *data);
	void (*release)(void *data);
};

/* In the order of the tabs, those without one behind them. NULL ends them. */
extern const struct view_ops *const views[];

extern const struct view_ops view_summary, view_timeline, view_flame, view_source, view_sites,
    view_top_down, view_bottom_up, view_callers, view_leaks, view_temporary, view_sizes,
    view_threads, view_stack, view_help;

#endif
