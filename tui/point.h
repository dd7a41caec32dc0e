/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_POINT_H
#define MALLOGRAPH_POINT_H

/* Helps views to say what is under the cursor (view.h: struct point). */

#include "analyzer/query/sites.h"
#include "tui/state.h"
#include "tui/view.h"

/* Room for what a point refers to; all zero at first. */
struct point_stacks {
	struct frame_reference *list;
	int64_t *figures;
	size_t room, figure_room;
};

/* The stacks of a site of tui->picture, those that cost most first. */
void point_add_site(struct point *point, struct point_stacks *stacks, const struct tui *tui,
		    const struct sites *sites, const struct site *site, enum cost_kind kind);
/* "function=..." of a frame, where it has one. */
void point_add_function(struct point *point, const struct profile *profile);
/* NULL: out of memory. */
struct frame_reference *point_room(struct point_stacks *stacks, size_t count);
int64_t *point_figure_room(struct point_stacks *stacks, size_t count);
void point_stacks_release(struct point_stacks *stacks);

#endif
