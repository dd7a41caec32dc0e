/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_ACTION_H
#define MALLOGRAPH_ACTION_H

/* What keys do: one table for keys, names and help. Views get actions, never keys. */

#include <stddef.h>
#include <stdint.h>

#include "tui/key.h"

enum action {
	ACTION_NONE,
	/* moving */
	ACTION_UP,
	ACTION_DOWN,
	ACTION_PAGE_UP,
	ACTION_PAGE_DOWN,
	ACTION_FIRST,
	ACTION_LAST,
	ACTION_LEFT,  /* collapse; aside; back in time */
	ACTION_RIGHT, /* expand */
	ACTION_WHEEL_UP,
	ACTION_WHEEL_DOWN,
	/* going on */
	ACTION_OPEN,
	ACTION_BACK,
	ACTION_NEXT_VIEW,
	ACTION_PREVIOUS_VIEW,
	ACTION_BACKTRACE,
	ACTION_CALLERS,
	ACTION_HELP,
	/* what is shown */
	ACTION_SEARCH,
	ACTION_SEARCH_NEXT,
	ACTION_SEARCH_PREVIOUS,
	ACTION_FILTER,
	ACTION_ONLY,
	ACTION_EVERYTHING,
	ACTION_COST,
	ACTION_SORT,
	ACTION_THRESHOLD,
	ACTION_GROUP,
	ACTION_HOTTEST,
	ACTION_EXPORT,
	/* time and size of a picture */
	ACTION_ZOOM_IN,
	ACTION_ZOOM_OUT,
	ACTION_ZOOM_ALL,
	ACTION_MARK,
	ACTION_INSTANT,
	/* the program */
	ACTION_STOP,
	ACTION_REDRAW,
	ACTION_QUIT,
	ACTION_INTERRUPT,
	ACTIONS
};

struct action_key {
	enum action action;
	uint32_t keys[4]; /* 0 ends them */
	const char *help; /* NULL: not in the help */
};

enum { ACTION_KEYS = ACTIONS - 1 };
extern const struct action_key action_keys[ACTION_KEYS];

enum action action_of_key(uint32_t key);
/* The first key of an action. */
uint32_t action_key(enum action action);

#endif
