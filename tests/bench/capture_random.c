/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>

#include "tests/bench/capture.h"

enum { RINGS_MOST = 5, ADDRESSES = 3000, STEPS = 20000, TICK_NS = 1000000 };

struct maker {
	struct capture *capture;
	uint64_t random, time;
	uint32_t rings;
	uint8_t live[ADDRESSES];
};

static uint64_t next_random(struct maker *maker, uint64_t below)
{
	maker->random ^= maker->random << 13;
	maker->random ^= maker->random >> 7;
	maker->random ^= maker->random << 17;
	return (maker->random >> 11) % below;
}

/* With one ring there are no stamps. In others a thread may be held up behind taking one. */
static uint64_t stamp(struct maker *maker)
{
	if (maker->rings == 1)
		return 0;
	return maker->time - (next_random(maker, 50) == 0 ? next_random(maker, 3000) : 0);
}

/* A page of its own for some, so that all shards have work. */
static uint64_t address_of(uint64_t at)
{
	return 0x555555560000 + at * 48 + at % 7 * 0x1000000;
}

static uint64_t any_size(struct maker *maker)
{
	static const uint64_t sizes[] = {0, 1, 24, 100, 4096, 70000, UINT64_C(5) << 32};

	return next_random(maker, 3) != 0 ? sizes[next_random(maker, 7)] : next_random(maker, 500);
}

static uint32_t any_node(struct maker *maker)
{
	uint32_t count = maker->capture->node_count;

	/* Equal ones among them, as threads that race make them; and one that is none. */
	if (next_random(maker, 20) == 0)
		return capture_add_node(maker->capture, (uint32_t)next_random(maker, count),
					0x1000 + next_random(maker, 30));
	if (next_random(maker, 3000) == 0)
		return 0x7fffffff;
	return (uint32_t)next_random(maker, count);
}

static void allocate(struct maker *maker, uint32_t ring, unsigned kind, uint64_t at)
{
	capture_add(maker->capture, ring, stamp(maker), kind, address_of(at), any_node(maker),
		    any_size(maker));
	maker->live[at] = 1;
}

static void deallocate(struct maker *maker, uint32_t ring, unsigned kind, uint64_t at)
{
	capture_add(maker->capture, ring, stamp(maker), kind, address_of(at), 0, 0);
	maker->live[at] = 0;
}

static void step(struct maker *maker)
{
	uint32_t ring = (uint32_t)next_random(maker, maker->rings);
	uint64_t at = next_random(maker, ADDRESSES), to = next_random(maker, ADDRESSES);

	maker->time += next_random(maker, 400);
	if (next_random(maker, 500) == 0)
		maker->time += next_random(maker, 20) * TICK_NS;
	if (maker->rings == 1 && next_random(maker, 20) == 0)
		capture_add_time(maker->capture, ring, maker->time);
	if (maker->live[at] && !maker->live[to] && next_random(maker, 4) == 0) {
		deallocate(maker, ring, EVENT_REALLOC_FREE, at);
		allocate(maker, ring, EVENT_REALLOC_ALLOC, to);
	} else if (maker->live[at] || next_random(maker, 300) == 0) {
		deallocate(maker, ring, EVENT_FREE, at);
	} else {
		allocate(maker, ring, EVENT_ALLOC, at);
		if (next_random(maker, 3) == 0)
			deallocate(maker, ring, EVENT_FREE, at);
	}
}

void capture_random(struct capture *capture, uint64_t seed)
{
	struct maker maker = {
	    .capture = capture, .random = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15), .time = 10000};

	capture_start(capture);
	maker.rings = 1 + (uint32_t)(seed % RINGS_MOST);
	for (uint32_t i = 0; i < maker.rings; i++)
		capture_add_ring(capture);
	for (unsigned i = 0; i < STEPS; i++)
		step(&maker);
}
