/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_FILTER_H
#define MALLOGRAPH_FILTER_H

/*
 * Which allocations count: the conditions of --filter, --exclude, --at and
 * --temporary-allocation-threshold (spec.md 2.2). Values of one key are
 * alternatives, different keys must all hold; whatever one exclusion matches is
 * out. A filter selects allocations; their deallocations come with them.
 */

#include <stddef.h>
#include <stdint.h>

enum filter_key {
	FILTER_TIME,     /* of the allocation, ticks */
	FILTER_LIFETIME, /* ticks; of what is never given back: until the end of the trace */
	FILTER_SIZE,     /* bytes */
	FILTER_THREAD,   /* the allocating one: its name, or its tid */
	FILTER_FUNCTION, /* substring of any frame's, inlined ones too */
	FILTER_FILE,
	FILTER_MODULE
};

struct filter_term {
	enum filter_key key;
	int exclude;
	uint64_t from, to; /* half-open: from <= value < to; UINT64_MAX: no end */
	char *text;        /* names; NULL for ranges */
};

enum filter_instant {
	FILTER_END = 0, /* of the trace */
	FILTER_AT_TICK, /* events up to and with this tick */
	FILTER_AT_PEAK  /* up to and with the event that made the (unfiltered) peak */
};

struct filter { /* all zero: everything */
	struct filter_term *terms;
	size_t count;
	enum filter_instant instant;
	uint64_t tick;
	uint64_t temporary_threshold; /* allocations of the thread in between; 0: the trace's own */
};

/* "size=1k..1M", "time=..2.5s", "thread=worker": adds a term. 0, ERROR_MEMORY, or
 * ERROR_FOREIGN with a line in complaint that says what is wrong and what to
 * type ("lifetime=5: a range is A..B, as in 1s..2m"; the nearest key for one that is
 * unknown). A number alone is a range of that one value (size=16). Units: ms, s, m, h (a
 * bare number is seconds) for times; k, M, G (1000) for sizes. */
int filter_add(struct filter *filter, const char *expression, int exclude, char *complaint,
	       size_t complaint_bytes);

/* TIME, "peak", "end" or "N%" of the runtime: end_tick is that of the trace. Errors as above. */
int filter_set_instant(struct filter *filter, const char *text, uint64_t end_tick, char *complaint,
		       size_t complaint_bytes);

/* True when everything counts as the trace has it. */
int filter_is_empty(const struct filter *filter);

/* For a status line: "time=1s..2s, not module=libc". Returns the length, as snprintf. */
int filter_text(const struct filter *filter, char *text, size_t size);

void filter_release(struct filter *filter);

#endif
