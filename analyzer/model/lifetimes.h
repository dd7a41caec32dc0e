/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_LIFETIMES_H
#define MALLOGRAPH_LIFETIMES_H

/* What an allocation cannot know when it happens: whether its lifetime will be in
 * range. Private to the model. */

#include "analyzer/model/filter_judge.h"
#include "analyzer/model/scan.h"

struct lifetimes;

/* Gives events the allocations that are in range and their deallocations, in order, but later
 * than it takes them. end_tick is when what is never given back ends. ERROR_MEMORY or 0. */
int lifetimes_new(struct lifetimes **lifetimes, const struct profile *profile,
		  const struct ranges *ranges, uint64_t end_tick, scan_events events,
		  void *context);
void lifetimes_free(struct lifetimes *lifetimes);

/* Events, in order. verdict[i]: 1 where all other terms hold. late: what the operation of a
 * deallocation gets besides. Returns an error, or what the callback returned. */
int lifetimes_take(struct lifetimes *lifetimes, const struct trace_event *events, size_t count,
		   const uint8_t *verdict, uint8_t late);

/* Behind those: they are not selected, but they tell what was. */
int lifetimes_look_at(struct lifetimes *lifetimes, const struct trace_event *events, size_t count);
/* Nothing that is looked at could tell any more. */
int lifetimes_are_told(const struct lifetimes *lifetimes);

/* There are no more events. *again: there was more than memory is spent on. All events must be
 * taken once more, from the first on, and those that are missing are given then. */
int lifetimes_finish(struct lifetimes *lifetimes, int *again);

#endif
