/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_HEALTH_H
#define MALLOGRAPH_HEALTH_H

/*
 * What a trace lacks or holds in doubt, in words: one table for every view.
 * Nothing is guessed silently, so each count that is not 0 must be shown by
 * every view whose figures it could mislead.
 */

#include <stddef.h>

#include "analyzer/model/profile.h"

struct health_item {
	unsigned tag;         /* enum trace_end_tag; 0: profile.suppressions_unread */
	int misleading;       /* figures of the report could be wrong by it */
	int is_tick;          /* no count: 1 + the tick from which on something is missing */
	uint64_t by;          /* is_tick: enum trace_stopped_by */
	const char *label;    /* "lost events" */
	const char *unit;     /* behind the number: " (in signal handlers)"; may be "" */
	const char *sentence; /* what it means to the user */
};

/* Ends with an item whose label is NULL. */
extern const struct health_item health_items[];

/* "lost events: 12 (in signal handlers)"; "" and 0 where there is nothing to say.
 * Returns the length, as snprintf. */
int health_item_text(const struct profile *profile, const struct health_item *item, char *text,
		     size_t size);

/* How many, or 1 + the tick; 0: nothing to say. */
uint64_t health_value(const struct profile *profile, const struct health_item *item);

/* Whether a report of figures must show the item. */
int health_misleads(const struct profile *profile, const struct health_item *item);

/* The file's own condition, as in "FILE: still recording: figures up to 12.3 s".
 * Writes "" when the trace is complete. Returns the length, as snprintf. */
int health_state_text(const struct profile *profile, char *text, size_t size);

/* The module that lacks most names of functions, where these are half of its places, and a quarter
 * of all, or more: how many of how many. 0: there is none. */
size_t health_nameless(const struct profile *profile, size_t *places, size_t *of);

#endif
