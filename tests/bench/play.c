/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/bench/play.h"

#include <stdlib.h>
#include <string.h>
#include <sys/shm.h>
#include <time.h>

#include "libcollect/recorder/drain.h"
#include "libcollect/recorder/recorder.h"

enum { SLOT = 0, EPOCH = 1 };

struct player_ring {
	const struct capture_words *from;
	struct ring *ring;
	uint64_t *more[RING_MORE_CHUNKS];
	uint64_t head;
	size_t scanned; /* words whose time is known ... */
	uint64_t time;  /* ... of the last of them */
};

struct player {
	const struct capture *capture;
	struct shared shared;
	struct session *session;
	struct player_ring *rings;
	unsigned segments;
	struct clock clock;
	struct module_files files;
	struct crew crew;
	struct account account;
	struct stacks stacks;
	struct drain drain;
};

static uint32_t take_chunk(struct player *player)
{
	uint32_t chunk = atomic_fetch_add(&player->shared.region->fresh, 1);

	if (chunk >= player->shared.chunks)
		return CHUNK_NONE;
	atomic_store(&player->shared.owner[chunk], EPOCH);
	return chunk;
}

/* --- nodes and modules: all at once ------------------------------------------------------ */

static int put_nodes(struct player *player)
{
	const struct capture *capture = player->capture;
	uint32_t *directory;

	player->session->node_directory = take_chunk(player);
	directory = shared_chunk(&player->shared, player->session->node_directory);
	for (uint32_t id = 0; id < capture->node_count; id += NODES_PER_CHUNK) {
		uint32_t some = capture->node_count - id < NODES_PER_CHUNK
				    ? capture->node_count - id
				    : NODES_PER_CHUNK;
		uint32_t chunk = take_chunk(player);

		if (chunk == CHUNK_NONE)
			return -1;
		directory[id / NODES_PER_CHUNK] = chunk;
		memcpy(shared_chunk(&player->shared, chunk), capture->nodes + id,
		       some * sizeof(*capture->nodes));
	}
	atomic_store(&player->session->node_count, capture->node_count);
	return 0;
}

static int put_modules(struct player *player)
{
	const struct capture *capture = player->capture;

	for (uint32_t at = 0; at < capture->module_bytes; at += CHUNK_BYTES) {
		uint32_t left = capture->module_bytes - at, chunk = take_chunk(player);

		if (chunk == CHUNK_NONE || at / CHUNK_BYTES >= MODULE_CHUNKS)
			return -1;
		player->session->module_chunk[at / CHUNK_BYTES] = chunk;
		memcpy(shared_chunk(&player->shared, chunk), capture->modules + at,
		       left < CHUNK_BYTES ? left : CHUNK_BYTES);
	}
	atomic_store(&player->session->module_bytes, capture->module_bytes);
	return 0;
}

/* --- rings --------------------------------------------------------------------------------- */

static int put_ring(struct player *player, uint32_t number)
{
	struct player_ring *at = &player->rings[number];
	uint32_t chunk = take_chunk(player);

	if (chunk == CHUNK_NONE)
		return -1;
	at->from = &player->capture->rings[number];
	at->ring = shared_chunk(&player->shared, chunk);
	for (unsigned i = 0; i < RING_SEGMENTS; i++)
		atomic_store(&at->ring->place[i], (uint8_t)i);
	for (unsigned i = 0; i < RING_MORE_CHUNKS; i++) {
		/* The short ones get what they need. */
		uint32_t more = RING_FIRST_SEGMENTS + i * SEGMENTS_PER_CHUNK <
					at->from->count / SEGMENT_WORDS + 1
				    ? take_chunk(player)
				    : CHUNK_NONE;

		atomic_store(&at->ring->more[i], more);
		at->more[i] = shared_chunk(&player->shared, more);
	}
	at->ring->session = SLOT;
	at->ring->tid = at->from->of.tid;
	at->ring->opened = at->from->of.opened;
	/* The list has the newest first. */
	at->ring->next = atomic_load(&player->session->rings);
	atomic_store(&player->session->rings, chunk);
	return 0;
}

static uint64_t *place_of(const struct player_ring *at, uint64_t head)
{
	unsigned place = head / SEGMENT_WORDS % RING_SEGMENTS;
	unsigned more = place - RING_FIRST_SEGMENTS;

	if (place < RING_FIRST_SEGMENTS)
		return at->ring->segment[place] + head % SEGMENT_WORDS;
	return at->more[more / SEGMENTS_PER_CHUNK] + more % SEGMENTS_PER_CHUNK * SEGMENT_WORDS +
	       head % SEGMENT_WORDS;
}

/* The time of the last stamped event before a word of the stream. */
static uint64_t time_until(struct player_ring *at, uint64_t end)
{
	const uint64_t *words = at->from->words;

	while (at->scanned < end) {
		uint64_t word = words[at->scanned];
		unsigned count = event_words(word);

		if (EVENT_KIND(word) == EVENT_SKIP)
			count = SEGMENT_WORDS - at->scanned % SEGMENT_WORDS;
		else if ((word & EVENT_STAMPED) &&
			 words[at->scanned + 1 + event_is_allocation(word)] > at->time)
			at->time = words[at->scanned + 1 + event_is_allocation(word)];
		at->scanned += count;
	}
	return at->time;
}

/* Fills a ring with whole segments, which end between events. */
static void fill_ring(struct player *player, struct player_ring *at)
{
	uint64_t tail = atomic_load(&at->ring->tail), end = at->from->count;

	if (end > (tail / SEGMENT_WORDS + player->segments) * SEGMENT_WORDS)
		end = (tail / SEGMENT_WORDS + player->segments) * SEGMENT_WORDS;
	while (at->head < end) {
		uint64_t some = SEGMENT_WORDS - at->head % SEGMENT_WORDS;

		if (some > end - at->head)
			some = end - at->head;
		memcpy(place_of(at, at->head), at->from->words + at->head, some * 8);
		at->head += some;
	}
	atomic_store(&at->ring->head, at->head);
}

/* Fills all. Returns the moment up to which nothing more will come; UINT64_MAX: all is there. */
static uint64_t fill_rings(struct player *player)
{
	uint64_t until = UINT64_MAX;

	for (uint32_t i = 0; i < player->capture->ring_count; i++) {
		struct player_ring *at = &player->rings[i];
		uint64_t time;

		fill_ring(player, at);
		time = time_until(at, at->head);
		if (at->head < at->from->count && time < until)
			until = time;
	}
	return until;
}

/* --- the play ------------------------------------------------------------------------------- */

static uint64_t last_time(const struct player *player)
{
	uint64_t last = 0;

	for (uint32_t i = 0; i < player->capture->ring_count; i++)
		if (player->rings[i].time > last)
			last = player->rings[i].time;
	return last;
}

static double now(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void run(struct player *player, struct play_result *result)
{
	uint64_t until;
	double wall, cpu;

	do {
		until = fill_rings(player);
		wall = now(CLOCK_MONOTONIC);
		cpu = now(CLOCK_PROCESS_CPUTIME_ID);
		drain_round(&player->drain, until == UINT64_MAX ? last_time(player) : until,
			    until == UINT64_MAX);
		if (until == UINT64_MAX)
			trace_writer_flush(player->account.writer);
		result->cpu_seconds += now(CLOCK_PROCESS_CPUTIME_ID) - cpu;
		result->seconds += now(CLOCK_MONOTONIC) - wall;
		result->rounds++;
	} while (until != UINT64_MAX);
}

static uint64_t mix(uint64_t sum, uint64_t value)
{
	sum = (sum ^ value) * UINT64_C(0x9e3779b97f4a7c15);
	return sum ^ sum >> 29;
}

/* What a recording's end writes, the symbols aside. */
static void finish(struct player *player, struct play_result *result)
{
	struct account *account = &player->account;
	uint64_t sum = 0;

	for (uint32_t id = 1; id <= account->classes.count; id++) {
		struct class_figures class_;
		struct trace_class_counters counters;

		classes_figures(&account->classes, id, &class_);
		counters = (struct trace_class_counters){class_.allocations, class_.deallocations,
							 class_.temporary, class_.peak_live};
		sum = mix(mix(sum, counters.allocations), counters.deallocations);
		sum = mix(mix(sum, counters.temporary), counters.peak_live);
		trace_writer_class_counters(account->writer, &counters);
	}
	for (uint32_t id = 1; id <= account->thread_count; id++) {
		const struct account_thread *thread = account_thread_at(account, id);

		sum = mix(mix(sum, thread->allocations), thread->deallocations);
		sum = mix(mix(sum, thread->temporary), thread->bytes);
		trace_writer_thread_counters(
		    account->writer,
		    &(struct trace_thread_counters){thread->allocations, thread->deallocations,
						    thread->temporary, thread->bytes});
	}
	trace_writer_finish(account->writer);
	result->figures = sum;
	account_total(account, &result->totals);
	result->bytes = trace_writer_size(account->writer);
	result->late = player->drain.late;
	result->bad = player->drain.bad + player->stacks.bad;
	result->peak_bytes = account->classes.peak_bytes;
	result->peak_blocks = account->classes.peak_blocks;
	result->peak_tick = account->classes.peak_tick;
	result->live_bytes = account->classes.live_bytes;
	result->live_blocks = account->classes.live_blocks;
	result->classes = account->classes.count;
	result->nodes = player->stacks.node_count;
	result->unknown_frees = account->unknown_frees;
	result->reallocations = account->reallocations;
}

static int start(struct player *player, const struct play_options *options, int fd)
{
	const struct capture *capture = player->capture;

	player->segments = options->segments != 0 ? options->segments : RING_SEGMENTS;
	player->session = &player->shared.region->session[SLOT];
	crew_hire(&player->crew, options->hands);
	player->session->epoch = EPOCH;
	player->clock = (struct clock){.kind = CLOCK_NANOSECONDS, .rate = capture->session.rate};
	player->rings = calloc(capture->ring_count + 1, sizeof(*player->rings));
	if (player->rings == NULL || put_nodes(player) != 0 || put_modules(player) != 0)
		return -1;
	for (uint32_t i = 0; i < capture->ring_count; i++)
		if (put_ring(player, i) != 0)
			return -1;
	player->stacks.crew = player->account.crew = player->account.classes.crew = &player->crew;
	player->account.stacks = &player->stacks;
	player->account.with_events = 1;
	player->account.writer = trace_writer_new(fd, options->codec, options->level);
	if (player->account.writer == NULL)
		return -1;
	ticks_start(&player->account.ticks, &player->clock, capture->session.opened);
	player->stacks.shared = &player->shared;
	player->stacks.session = player->session;
	player->stacks.modules = (struct modules){
	    .shared = &player->shared, .session = player->session, .files = &player->files};
	player->drain = (struct drain){.shared = &player->shared,
				       .session = player->session,
				       .slot = SLOT,
				       .epoch = EPOCH,
				       .clock = &player->clock,
				       .account = &player->account,
				       .stacks = &player->stacks};
	return 0;
}

int play(const struct capture *capture, const struct play_options *options, int fd,
	 struct play_result *result)
{
	struct player player = {.capture = capture};
	struct region *region;
	int id, error;

	*result = (struct play_result){0};
	region = region_create(&id);
	if (region == NULL)
		return -1;
	shared_open(&player.shared, region);
	error = start(&player, options, fd);
	if (error == 0) {
		run(&player, result);
		finish(&player, result);
	}
	crew_release(&player.crew);
	trace_writer_free(player.account.writer);
	account_release(&player.account);
	stacks_release(&player.stacks);
	modules_release(&player.stacks.modules);
	module_files_release(&player.files);
	drain_release(&player.drain);
	free(player.rings);
	shmdt(region);
	return error;
}
