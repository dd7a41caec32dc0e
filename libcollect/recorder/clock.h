/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_RECORDER_CLOCK_H
#define MALLOGRAPH_RECORDER_CLOCK_H

/*
 * The region's clock, and what it is in nanoseconds. For the TSC the rate is
 * measured against CLOCK_MONOTONIC from the recorder's start until now, so it
 * gets better by the second; who needs ticks that never go back (struct ticks)
 * clamps.
 */

#include <stdint.h>

struct clock {
	uint32_t kind; /* enum region_clock */
	uint64_t first, first_ns;
	uint64_t rate; /* nanoseconds per unit, times 2^32 */
	uint64_t refined_ns;
};

/* Takes about a quarter of a millisecond for the TSC. */
void clock_start(struct clock *clock, uint32_t kind);
/* Measures again; cheap enough to be called in every round. */
void clock_refine(struct clock *clock);
uint64_t clock_now(const struct clock *clock);
uint64_t monotonic_ns(void);

static inline uint64_t clock_to_ns(const struct clock *clock, uint64_t units)
{
	return (uint64_t)(((unsigned __int128)units * clock->rate) >> 32);
}

/* Rounded up. */
uint64_t clock_from_ns(const struct clock *clock, uint64_t ns);

/* Milliseconds since a session's start, which never go back. */
struct ticks {
	const struct clock *clock;
	uint64_t opened; /* the clock at tick 0 */
	uint64_t now;    /* the present tick ... */
	uint64_t until;  /* ... and the time at which it is over */
};

void ticks_start(struct ticks *ticks, const struct clock *clock, uint64_t opened);
void ticks_advance(struct ticks *ticks, uint64_t time);

static inline uint64_t ticks_at(struct ticks *ticks, uint64_t time)
{
	if (time >= ticks->until)
		ticks_advance(ticks, time);
	return ticks->now;
}

#endif
