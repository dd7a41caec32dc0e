/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The recorder and the rings: how they grow and are given back, what time events
 * without a stamp are of, and words, places and heads that make no sense.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/recorder_run.h"

static struct run run;
static struct recorded trace;
static struct player player;

/* Checks the trace of the first process. */
static void finish(void)
{
	assert_int_equal(run.recorder_status, 0);
	assert_int_equal(run.first_done, 1);
	run_read(&run, &run.first, &trace);
	assert_consistent(&trace);
	run_release(&run);
}

static void put(unsigned ring, uint64_t time, unsigned kind, uint64_t address, uint64_t size)
{
	player_put(&player, ring, time, kind, kind == EVENT_ALLOC ? FUNCTION_MALLOC : FUNCTION_FREE,
		   address, 0, size);
}

/* --- growth ---------------------------------------------------------------------------- */

enum { GROWN_RINGS = 40, WORDS = RING_SEGMENTS * SEGMENT_WORDS, PAIRS = WORDS / 3 };

struct growth {
	int few;
	unsigned most; /* segments that a ring ever had */
};

/* Rings one after another, each filled to the brim before anything is published. */
static void play_growth(struct region *region, void *context)
{
	struct growth *growth = context;

	player_open(&player, region, ORIGIN_FIRST, 0);
	player_ring(&player);
	for (unsigned i = 0; i < GROWN_RINGS; i++) {
		unsigned ring = player_ring(&player);

		player.rings[ring].few = growth->few;
		/* Three words each, and now and then an EVENT_TIME between; the blocks'
		 * lives overlap, so a segment ends inside of some. */
		for (unsigned k = 0; k < PAIRS + 10; k++) {
			put(ring, 0, EVENT_ALLOC, 0x10000 + k * 16, k % 7);
			if (k >= 5)
				put(ring, 0, EVENT_FREE, 0x10000 + (k - 5) * 16, 0);
		}
		for (unsigned k = PAIRS + 5; k < PAIRS + 10; k++)
			put(ring, 0, EVENT_FREE, 0x10000 + k * 16, 0);
		player_publish(&player, ring);
		if (player.rings[ring].most > growth->most)
			growth->most = player.rings[ring].most;
		player_end_thread(&player, ring);
		if (i % 10 == 9)
			usleep(50000);
	}
}

static void grow(int few, unsigned expected)
{
	struct growth *growth = shared_memory(sizeof(*growth));

	growth->few = few;
	run_init(&run);
	run_play(&run, play_growth, growth);
	finish();
	assert_int_equal(growth->most, expected);
	assert_int_equal(trace.allocations, GROWN_RINGS * (PAIRS + 10));
	assert_int_equal(trace.deallocations, GROWN_RINGS * (PAIRS + 10));
	assert_int_equal(trace.live_blocks, 0);
	assert_int_equal(trace.unknown, 0);
	assert_int_equal(run.first.lost, 0);
	assert_true(run.chunks_used < GROWN_RINGS * (1 + (few ? 0 : RING_MORE_CHUNKS)));
	munmap(growth, sizeof(*growth));
}

static void test_growth(void **state)
{
	(void)state;
	grow(0, RING_SEGMENTS);
}

static void test_no_growth(void **state)
{
	(void)state;
	grow(1, RING_FIRST_SEGMENTS);
}

/* --- time ------------------------------------------------------------------------------ */

enum { PAUSE_MS = 30 };

static void play_times(struct region *region, void *context)
{
	uint64_t early;

	(void)context;
	player_open(&player, region, ORIGIN_FIRST, 0);
	player_ring(&player);
	early = player_now(&player);
	put(0, 0, EVENT_ALLOC, 0x10000, 10);
	player_publish(&player, 0);
	usleep(PAUSE_MS * 1000);
	/* By itself, from the tick: of now, not of 30 ms ago. */
	put(0, 0, EVENT_ALLOC, 0x20000, 20);
	/* Time goes forward only, and not beyond what can be true. */
	player_time(&player, 0, early);
	player_time(&player, 0, UINT64_MAX);
	put(0, 0, EVENT_ALLOC, 0x30000, 30);
	player_publish(&player, 0);
	usleep(PAUSE_MS * 1000);
	put(0, 0, EVENT_FREE, 0x10000, 0);
	put(0, player_now(&player), EVENT_FREE, 0x20000, 0);
	player_publish(&player, 0);
}

static void test_times(void **state)
{
	(void)state;
	run_init(&run);
	run_play(&run, play_times, NULL);
	finish();
	assert_int_equal(trace.allocations, 3);
	assert_int_equal(trace.deallocations, 2);
	assert_int_equal(trace.end[TRACE_END_LATE_EVENTS], 0);
	assert_true(trace.peak_tick >= PAUSE_MS);
	assert_true(trace.peak_tick + PAUSE_MS <= trace.end[TRACE_END_TICK]);
}

/* A free of a block that was never seen, and right behind it one of the same address that is: all
 * of one time, without stamps, and another thread is there. */
static void play_again(struct region *region, void *context)
{
	(void)context;
	player_open(&player, region, ORIGIN_FIRST, 0);
	player_ring(&player);
	player_ring(&player);
	player_publish(&player, 1);
	player_await_look(&player);
	put(0, 0, EVENT_FREE, 0x10000, 0);
	put(0, 0, EVENT_ALLOC, 0x10000, 7);
	put(0, 0, EVENT_ALLOC, 0x20000, 9);
	put(0, 0, EVENT_FREE, 0x10000, 0);
	player_publish(&player, 0);
}

static void test_again(void **state)
{
	(void)state;
	run_init(&run);
	run_play(&run, play_again, NULL);
	finish();
	assert_int_equal(trace.allocations, 2);
	assert_int_equal(trace.deallocations, 1);
	assert_int_equal(trace.unknown, 1);
	assert_int_equal(trace.temporary, 0);
	assert_int_equal(trace.live_bytes, 9);
	assert_int_equal(trace.peak_bytes, 16);
}

/* --- nonsense ---------------------------------------------------------------------------- */

enum { HOSTILE_RINGS = 4, HOSTILE_STEPS = 400, HOSTILE_WORDS = 24 };

struct hostile {
	uint64_t seed;
};

static uint64_t next_random(struct hostile *hostile)
{
	hostile->seed ^= hostile->seed << 13;
	hostile->seed ^= hostile->seed >> 7;
	hostile->seed ^= hostile->seed << 17;
	return hostile->seed >> 3;
}

/* Words at random, of which many begin an event or might. */
static uint64_t random_word(struct hostile *hostile)
{
	uint64_t word = next_random(hostile);

	switch (next_random(hostile) % 4) {
	case 0:
		return word;
	case 1:
		return word & 0xffff;
	default:
		return EVENT_WORD(word & 7, word >> 3 & 63, word >> 9 & 0xff0) |
		       (word >> 40 & 3) * EVENT_STAMPED;
	}
}

static void write_at_random(struct hostile *hostile, struct ring *ring)
{
	uint64_t head = atomic_load(&ring->head);
	unsigned count = (unsigned)(next_random(hostile) % HOSTILE_WORDS);

	for (unsigned i = 0; i < count; i++)
		ring->segment[next_random(hostile) % RING_FIRST_SEGMENTS]
			     [(head + i) % SEGMENT_WORDS] = random_word(hostile);
	atomic_store(&ring->head, head + count);
}

static void scribble(struct hostile *hostile, struct region *region, struct ring *ring)
{
	uint64_t word = next_random(hostile);

	switch (next_random(hostile) % 8) {
	case 0:
		atomic_store(&ring->place[word % RING_SEGMENTS], (uint8_t)(word >> 16));
		break;
	case 1:
		atomic_store(&ring->place[word % RING_SEGMENTS],
			     (uint8_t)(word >> 16 & 0xff) % RING_SEGMENTS);
		break;
	case 2:
		atomic_store(&ring->more[word % RING_MORE_CHUNKS],
			     (uint32_t)(word >> 16) % (2 * region->chunks));
		break;
	case 3:
		atomic_store(&ring->more[word % RING_MORE_CHUNKS],
			     (uint32_t)(word >> 16) % (2 * HOSTILE_RINGS));
		break;
	case 4: /* to another segment's start */
		atomic_fetch_add(&ring->head, word % 3 * SEGMENT_WORDS / 16);
		break;
	case 5:
		atomic_store(&ring->head, word % 3 == 0 ? word << 3 : word % WORDS);
		break;
	case 6:
		atomic_store(&ring->tail, word);
		break;
	default:
		ring->opened = word << 3;
		ring->session = (uint32_t)word;
		break;
	}
}

static void play_hostile(struct region *region, void *context)
{
	struct hostile *hostile = context;

	player_open(&player, region, ORIGIN_FIRST, 0);
	for (unsigned i = 0; i < HOSTILE_RINGS; i++) {
		player_ring(&player);
		player.rings[i].ring->opened = random_word(hostile);
	}
	put(0, player_now(&player), EVENT_ALLOC, 0x10000, 1);
	player_publish(&player, 0);
	for (unsigned step = 0; step < HOSTILE_STEPS; step++) {
		struct ring *ring = player.rings[next_random(hostile) % HOSTILE_RINGS].ring;

		write_at_random(hostile, ring);
		if (next_random(hostile) % 4 == 0)
			scribble(hostile, region, ring);
		if (step % 8 == 0) {
			player_wake(&player);
			usleep(300);
		}
	}
	player_end_thread(&player, HOSTILE_RINGS - 1);
	usleep(30000);
}

static void hostile_run(uint64_t seed)
{
	struct hostile hostile = {seed};

	print_message("seed %llu\n", (unsigned long long)seed);
	run_init(&run);
	run_play(&run, play_hostile, &hostile);
	finish();
	assert_true(run.first.lost > 0);
}

static void test_hostile(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 10; seed++)
		hostile_run(seed * 88172645463325252u + 1);
	for (uint64_t i = 1; i <= 5; i++)
		hostile_run((uint64_t)time(NULL) * 7919 * i | 1);
}

/* Halves of a reallocation on their own, an event that is cut off by the end of a
 * segment, one whose segment is nowhere; what follows is read again. */
static void play_odd(struct region *region, void *context)
{
	struct player_ring *ring;
	uint64_t *word;

	(void)context;
	player_open(&player, region, ORIGIN_FIRST, 0);
	ring = &player.rings[player_ring(&player)];
	put(0, 0, EVENT_ALLOC, 0x10000, 1);
	player_put(&player, 0, 0, EVENT_REALLOC_FREE, FUNCTION_REALLOC, 0x10000, 0, 0);
	put(0, 0, EVENT_ALLOC, 0x20000, 2); /* 1: no other half */
	player_put(&player, 0, 0, EVENT_REALLOC_ALLOC, FUNCTION_REALLOC, 0x30000, 0, 3); /* 2 */
	while (ring->head < SEGMENT_WORDS - 1)
		player_word(&player, 0, EVENT_WORD(EVENT_FREE, FUNCTION_FREE, 0x7777));
	player_word(&player, 0, EVENT_WORD(EVENT_ALLOC, FUNCTION_MALLOC, 0x40000)); /* 3 */
	put(0, 0, EVENT_ALLOC, 0x50000, 4);
	player_publish(&player, 0);
	player_await_look(&player);
	while (ring->head < ring->end)
		player_word(&player, 0, EVENT_WORD(EVENT_FREE, FUNCTION_FREE, 0x7777));
	put(0, 0, EVENT_ALLOC, 0x60000, 5); /* 4: nowhere */
	atomic_store(&ring->ring->place[2], RING_SEGMENTS - 1);
	player_publish(&player, 0);
	player_await_look(&player);
	atomic_store(&ring->ring->place[2], 0);
	put(0, 0, EVENT_ALLOC, 0x70000, 6);
	word = &ring->segment[ring->head % SEGMENT_WORDS];
	player_word(&player, 0, EVENT_WORD(EVENT_ALLOC, FUNCTION_MALLOC, 0x80000) | *word); /* 5 */
	player_publish(&player, 0);
}

static void test_odd(void **state)
{
	(void)state;
	run_init(&run);
	run_play(&run, play_odd, NULL);
	finish();
	assert_int_equal(trace.allocations, 5);
	assert_int_equal(trace.reallocations, 0);
	assert_int_equal(trace.live_bytes, 2 + 3 + 4 + 6);
	assert_int_equal(run.first.lost, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_growth), cmocka_unit_test(test_no_growth),
	    cmocka_unit_test(test_times),  cmocka_unit_test(test_hostile),
	    cmocka_unit_test(test_odd),    cmocka_unit_test(test_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
