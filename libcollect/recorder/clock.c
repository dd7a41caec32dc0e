/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include "libcollect/recorder/clock.h"

#include <time.h>
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

#include "libcollect/ring.h"

enum { NS_A_TICK = 1000000, CALIBRATE_NS = 250000 };

uint64_t monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t clock_now(const struct clock *clock)
{
#if defined(__x86_64__)
	if (clock->kind == CLOCK_TSC) {
		_mm_lfence();
		return __rdtsc();
	}
#endif
	(void)clock;
	return monotonic_ns();
}

/* Both clocks at one moment: of three tries the one least disturbed. */
static void read_pair(const struct clock *clock, uint64_t *units, uint64_t *ns)
{
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < 3; i++) {
		uint64_t before = clock_now(clock);
		uint64_t at = monotonic_ns();
		uint64_t took = clock_now(clock) - before;

		if (took < least) {
			least = took;
			*units = before + took / 2;
			*ns = at;
		}
	}
}

void clock_refine(struct clock *clock)
{
	uint64_t units = 0, ns;

	if (clock->kind != CLOCK_TSC)
		return;
	ns = monotonic_ns();
	/* Measuring twice as long halves the error; more often is no use. */
	if (clock->refined_ns != 0 &&
	    ns - clock->refined_ns < (clock->refined_ns - clock->first_ns) / 2 &&
	    ns - clock->refined_ns < UINT64_C(1000000000))
		return;
	read_pair(clock, &units, &ns);
	if (units <= clock->first || ns <= clock->first_ns)
		return;
	clock->rate =
	    (uint64_t)(((unsigned __int128)(ns - clock->first_ns) << 32) / (units - clock->first));
	clock->refined_ns = ns;
}

void clock_start(struct clock *clock, uint32_t kind)
{
	*clock = (struct clock){.kind = kind, .rate = UINT64_C(1) << 32};
	if (kind != CLOCK_TSC)
		return;
	read_pair(clock, &clock->first, &clock->first_ns);
	while (monotonic_ns() - clock->first_ns < CALIBRATE_NS)
		;
	clock_refine(clock);
}

uint64_t clock_from_ns(const struct clock *clock, uint64_t ns)
{
	return (uint64_t)((((unsigned __int128)ns << 32) + clock->rate - 1) / clock->rate);
}

void ticks_start(struct ticks *ticks, const struct clock *clock, uint64_t opened)
{
	*ticks = (struct ticks){.clock = clock, .opened = opened};
	ticks->until = opened + clock_from_ns(clock, NS_A_TICK);
}

void ticks_advance(struct ticks *ticks, uint64_t time)
{
	uint64_t tick;

	if (time <= ticks->opened)
		return;
	tick = clock_to_ns(ticks->clock, time - ticks->opened) / NS_A_TICK;
	if (tick > ticks->now)
		ticks->now = tick;
	ticks->until = ticks->opened + clock_from_ns(ticks->clock, (ticks->now + 1) * NS_A_TICK);
	if (ticks->until <= time)
		ticks->until = time + 1;
}
