/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_TEST_PLAYER_H
#define MALLOGRAPH_TEST_PLAYER_H

/*
 * Plays the profiled program by libcollect/ring.h alone: opens sessions, makes
 * rings and nodes, publishes events. For the tests of the recorder.
 *
 * Each ring belongs to a thread that really exists (the recorder looks), but
 * only sleeps: whoever holds the player writes to all rings, so that a test
 * decides in which order things are stamped and published.
 */

#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "libcollect/recorder/clock.h"
#include "libcollect/ring.h"

enum { PLAYER_RINGS = 64 };

struct player_ring {
	struct ring *ring;
	uint32_t chunk;
	uint64_t head; /* written, perhaps not yet published */
	uint64_t *segment;
	uint64_t end;                  /* of the segment, as head counts */
	uint64_t until[RING_SEGMENTS]; /* a place is free when tail has come so far */
	uint32_t tick;
	unsigned most; /* places that have been in use */
	int few;       /* does not grow */
	pthread_t thread;
	_Atomic int32_t tid;
	_Atomic uint32_t leave;
};

struct player {
	struct region *region;
	struct session *session;
	uint32_t slot;
	uint32_t nodes;
	struct clock clock;
	struct player_ring rings[PLAYER_RINGS];
	unsigned count;
};

static inline void player_wake(struct player *player)
{
	atomic_fetch_add(&player->region->wake, 1);
	syscall(SYS_futex, &player->region->wake, FUTEX_WAKE, 1, NULL, NULL, 0);
}

/* Until the recorder has looked at everything once more: a look says three times at most that
 * it lives, or as often as segments are given back. */
static inline void player_await_look(struct player *player)
{
	uint32_t before = atomic_load(&player->region->heartbeat);

	player_wake(player);
	for (int i = 0; i < 10000 && atomic_load(&player->region->heartbeat) - before < 7; i++)
		usleep(1000);
}

static inline uint32_t player_pop(struct player *player, _Atomic uint64_t *stack)
{
	struct region *region = player->region;
	uint64_t top = atomic_load(stack);

	while ((uint32_t)top != CHUNK_NONE) {
		uint32_t next = atomic_load(&region_next(region)[(uint32_t)top]);

		if (atomic_compare_exchange_weak(stack, &top, ((top >> 32) + 1) << 32 | next))
			break;
	}
	if ((uint32_t)top != CHUNK_NONE)
		atomic_store(&region_owner(region)[(uint32_t)top], player->session->epoch);
	return (uint32_t)top;
}

static inline uint32_t player_chunk(struct player *player)
{
	struct region *region = player->region;
	uint32_t chunk = player_pop(player, &region->pool);

	if (chunk != CHUNK_NONE)
		return chunk;
	chunk = atomic_fetch_add(&region->fresh, 1);
	if (chunk >= region->chunks)
		abort();
	atomic_store(&region_owner(region)[chunk], player->session->epoch);
	return chunk;
}

/* One that another thread has used, or a new one, which must be empty. */
static inline uint32_t player_ring_chunk(struct player *player)
{
	uint32_t chunk = player_pop(player, &player->region->used_rings);
	struct ring *ring;

	if (chunk == CHUNK_NONE) {
		chunk = player_chunk(player);
		ring = region_chunk(player->region, chunk);
		if (atomic_load(&ring->head) != 0 || atomic_load(&ring->tail) != 0)
			abort();
		return chunk;
	}
	atomic_fetch_sub(&player->region->used_ring_count, 1);
	ring = region_chunk(player->region, chunk);
	memset(ring->place, 0, sizeof(ring->place));
	memset(ring->more, 0, sizeof(ring->more));
	atomic_store(&ring->head, 0);
	atomic_store(&ring->tail, 0);
	return chunk;
}

static inline void player_open(struct player *player, struct region *region, uint32_t origin,
			       uint32_t parent_epoch)
{
	struct session *session;
	uint32_t expected = SESSION_FREE, slot = 0;

	memset(player, 0, sizeof(*player));
	player->region = region;
	player->clock = (struct clock){.kind = region->clock};
	while (!atomic_compare_exchange_strong(&region->session[slot].state, &expected,
					       SESSION_CLAIMED)) {
		expected = SESSION_FREE;
		slot++;
	}
	session = player->session = &region->session[slot];
	player->slot = slot;
	session->epoch = atomic_fetch_add(&region->epochs, 1) + 1;
	session->pid = getpid();
	session->parent_pid = getppid();
	session->origin = origin;
	session->parent_epoch = parent_epoch;
	session->opened = clock_now(&player->clock);
	session->node_directory = player_chunk(player);
	atomic_store(&session->node_count, 1);
	player->nodes = 1;
	atomic_store(&session->state, SESSION_OPEN);
	player_wake(player);
}

static inline void *player_thread(void *argument)
{
	struct player_ring *ring = argument;

	atomic_store(&ring->tid, (int32_t)syscall(SYS_gettid));
	syscall(SYS_futex, &ring->tid, FUTEX_WAKE, 1, NULL, NULL, 0);
	while (atomic_load(&ring->leave) == 0)
		syscall(SYS_futex, &ring->leave, FUTEX_WAIT, 0, NULL, NULL, 0);
	return NULL;
}

/* The number of a new ring. */
static inline unsigned player_ring(struct player *player)
{
	struct player_ring *mine = &player->rings[player->count];
	uint32_t first = atomic_load(&player->session->rings);

	atomic_store(&mine->tid, 0);
	atomic_store(&mine->leave, 0);
	if (pthread_create(&mine->thread, NULL, player_thread, mine) != 0)
		abort();
	while (atomic_load(&mine->tid) == 0)
		syscall(SYS_futex, &mine->tid, FUTEX_WAIT, 0, NULL, NULL, 0);
	mine->chunk = player_ring_chunk(player);
	mine->ring = region_chunk(player->region, mine->chunk);
	mine->head = 0;
	mine->few = 0;
	mine->most = 1;
	mine->segment = mine->ring->segment[0];
	memset(mine->until, 0, sizeof(mine->until));
	mine->end = mine->until[0] = SEGMENT_WORDS;
	mine->tick = atomic_load(&player->region->tick) - 1;
	mine->ring->session = player->slot;
	mine->ring->tid = mine->tid;
	mine->ring->opened = clock_now(&player->clock);
	do {
		mine->ring->next = first;
	} while (!atomic_compare_exchange_weak(&player->session->rings, &first, mine->chunk));
	return player->count++;
}

/* Ends the thread of a ring; its number may be used again when it was the last. */
static inline void player_end_thread(struct player *player, unsigned number)
{
	struct player_ring *mine = &player->rings[number];

	atomic_store(&mine->leave, 1);
	syscall(SYS_futex, &mine->leave, FUTEX_WAKE, 1, NULL, NULL, 0);
	pthread_join(mine->thread, NULL);
	if (number == player->count - 1)
		player->count--;
}

static inline void player_publish(struct player *player, unsigned number)
{
	struct player_ring *mine = &player->rings[number];

	atomic_store_explicit(&mine->ring->head, mine->head, memory_order_release);
	if (atomic_load(&player->region->sleeping) != 0)
		player_wake(player);
}

/* Where a place of the ring lies; NULL when it may not grow that far. */
static inline uint64_t *player_place(struct player *player, struct player_ring *mine,
				     unsigned place)
{
	unsigned more = (place - RING_FIRST_SEGMENTS) / SEGMENTS_PER_CHUNK;
	uint64_t *words;

	if (place < RING_FIRST_SEGMENTS)
		return mine->ring->segment[place];
	if (mine->few)
		return NULL;
	if (atomic_load(&mine->ring->more[more]) == CHUNK_NONE)
		atomic_store(&mine->ring->more[more], player_chunk(player));
	words = region_chunk(player->region, atomic_load(&mine->ring->more[more]));
	return words + (place - RING_FIRST_SEGMENTS) % SEGMENTS_PER_CHUNK * SEGMENT_WORDS;
}

/* Goes on in another segment, when one is free. */
static inline int player_segment(struct player *player, struct player_ring *mine)
{
	uint64_t number = mine->end / SEGMENT_WORDS;

	for (unsigned place = 0; place < RING_SEGMENTS; place++) {
		uint64_t *words;

		if (mine->until[place] > atomic_load(&mine->ring->tail))
			continue;
		words = player_place(player, mine, place);
		if (words == NULL)
			return 0;
		if (mine->head != mine->end)
			mine->segment[mine->head % SEGMENT_WORDS] = EVENT_WORD(EVENT_SKIP, 0, 0);
		mine->segment = words;
		mine->head = mine->end;
		mine->end = mine->until[place] = mine->head + SEGMENT_WORDS;
		if (place + 1 > mine->most)
			mine->most = place + 1;
		atomic_store(&mine->ring->place[number % RING_SEGMENTS], (uint8_t)place);
		return 1;
	}
	return 0;
}

/* Waits until so many words may be written in one segment. */
static inline void player_room(struct player *player, unsigned number, unsigned words)
{
	struct player_ring *mine = &player->rings[number];
	struct timespec limit = {.tv_nsec = 50000000};

	if (mine->head + words <= mine->end)
		return;
	while (!player_segment(player, mine)) {
		uint32_t room = atomic_load(&mine->ring->room);

		player_publish(player, number);
		atomic_store(&mine->ring->waiting, 1);
		if (player_segment(player, mine))
			break;
		player_wake(player);
		syscall(SYS_futex, &mine->ring->room, FUTEX_WAIT, room, &limit, NULL, 0);
	}
}

static inline uint64_t player_now(const struct player *player)
{
	return clock_now(&player->clock);
}

static inline void player_word(struct player *player, unsigned number, uint64_t word)
{
	struct player_ring *mine = &player->rings[number];

	mine->segment[mine->head++ % SEGMENT_WORDS] = word;
}

/* Writes an EVENT_TIME. */
static inline void player_time(struct player *player, unsigned number, uint64_t time)
{
	player_room(player, number, 2);
	player_word(player, number, EVENT_WORD(EVENT_TIME, 0, 0) | EVENT_STAMPED);
	player_word(player, number, time);
}

/* Writes an event without publishing it. time 0: without a stamp. */
static inline void player_put(struct player *player, unsigned number, uint64_t time, unsigned kind,
			      unsigned function, uint64_t address, uint32_t node, uint64_t size)
{
	struct player_ring *mine = &player->rings[number];
	uint32_t tick = atomic_load(&player->region->tick);
	uint64_t word = EVENT_WORD(kind, function, address);
	int wide = size > UINT32_MAX;

	if (time == 0 && tick != mine->tick) {
		mine->tick = tick;
		player_time(player, number, clock_now(&player->clock));
	}
	if (time != 0)
		word |= EVENT_STAMPED;
	if (wide)
		word |= EVENT_WIDE;
	player_room(player, number, event_words(word));
	player_word(player, number, word);
	if (event_is_allocation(word))
		player_word(player, number, EVENT_NODE_WORD(node, size));
	if (time != 0)
		player_word(player, number, time);
	if (wide)
		player_word(player, number, size);
}

static inline uint32_t player_node(struct player *player, uint32_t parent, uint64_t address,
				   uint32_t module, uint32_t flags)
{
	uint32_t *directory = region_chunk(player->region, player->session->node_directory);
	uint32_t id = player->nodes++, at = id / NODES_PER_CHUNK;
	struct shared_node *nodes;

	if (directory[at] == CHUNK_NONE)
		directory[at] = player_chunk(player);
	nodes = region_chunk(player->region, directory[at]);
	nodes[id % NODES_PER_CHUNK] = (struct shared_node){parent, module | flags << 24, address};
	atomic_store(&player->session->node_count, player->nodes);
	return id;
}

/* The id of a new module record. Few enough for one chunk. */
static inline void player_module(struct player *player, uint64_t start, uint64_t end,
				 const char *path, const char *build_id)
{
	struct session *session = player->session;
	uint32_t at = atomic_load(&session->module_bytes);
	size_t path_bytes = strlen(path), id_bytes = strlen(build_id);
	struct shared_module *record;

	if (session->module_chunk[0] == CHUNK_NONE)
		session->module_chunk[0] = player_chunk(player);
	record = (struct shared_module *)((char *)region_chunk(player->region,
							       session->module_chunk[0]) +
					  at);
	*record = (struct shared_module){
	    .record_bytes = (uint32_t)(sizeof(*record) + path_bytes + id_bytes + 7) & ~7u,
	    .build_id_bytes = (uint16_t)id_bytes,
	    .path_bytes = (uint16_t)path_bytes,
	    .start = start,
	    .end = end,
	    .base = start};
	memcpy(record + 1, build_id, id_bytes);
	memcpy((char *)(record + 1) + id_bytes, path, path_bytes);
	atomic_store(&session->module_bytes, at + record->record_bytes);
}

#endif
