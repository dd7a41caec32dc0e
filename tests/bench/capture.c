/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/bench/capture.h"

#include <stdlib.h>
#include <string.h>

static void *larger(void *old, size_t bytes)
{
	void *memory = realloc(old, bytes);

	if (memory == NULL)
		abort();
	return memory;
}

void capture_release(struct capture *capture)
{
	for (uint32_t i = 0; i < capture->ring_count; i++)
		free(capture->rings[i].words);
	free(capture->rings);
	free(capture->nodes);
	free(capture->modules);
	*capture = (struct capture){0};
}

static uint64_t *room_for(struct capture_words *ring, size_t words)
{
	if (ring->count + words > ring->room) {
		ring->room = (ring->count + words) * 2;
		ring->words = larger(ring->words, ring->room * sizeof(*ring->words));
	}
	ring->count += words;
	return ring->words + ring->count - words;
}

static void make_ring(struct capture *capture, const struct capture_ring *of)
{
	capture->rings =
	    larger(capture->rings, (capture->ring_count + 1) * sizeof(*capture->rings));
	capture->rings[capture->ring_count++] = (struct capture_words){.of = *of};
}

static void make_nodes(struct capture *capture, uint32_t count)
{
	if (capture->node_count + count > capture->node_room) {
		capture->node_room = (capture->node_count + count) * 2;
		capture->nodes =
		    larger(capture->nodes, capture->node_room * sizeof(*capture->nodes));
	}
	capture->node_count += count;
}

/* --- loading -------------------------------------------------------------------------- */

static int read_bytes(FILE *file, void *bytes, size_t size, uint64_t wanted)
{
	return size == wanted && fread(bytes, 1, size, file) == size ? 0 : -1;
}

static int take_record(struct capture *capture, FILE *file, const struct capture_record *record)
{
	struct capture_ring ring;
	uint64_t bytes = record->bytes;
	uint32_t before = capture->node_count;

	switch (record->kind) {
	case CAPTURE_SESSION:
		return read_bytes(file, &capture->session, sizeof(capture->session), bytes);
	case CAPTURE_RING:
		if (record->ring != capture->ring_count ||
		    read_bytes(file, &ring, sizeof(ring), bytes) != 0)
			return -1;
		make_ring(capture, &ring);
		return 0;
	case CAPTURE_WORDS:
		if (record->ring >= capture->ring_count || bytes % 8 != 0)
			return -1;
		return read_bytes(file, room_for(&capture->rings[record->ring], bytes / 8), bytes,
				  bytes);
	case CAPTURE_NODES:
		make_nodes(capture, (uint32_t)(bytes / sizeof(*capture->nodes)));
		return read_bytes(file, capture->nodes + before, bytes, bytes);
	case CAPTURE_MODULES:
		capture->modules = larger(capture->modules, capture->module_bytes + bytes);
		capture->module_bytes += (uint32_t)bytes;
		return read_bytes(file, capture->modules + capture->module_bytes - bytes, bytes,
				  bytes);
	default:
		return -1;
	}
}

static void count_events(struct capture *capture)
{
	for (uint32_t i = 0; i < capture->ring_count; i++) {
		const struct capture_words *ring = &capture->rings[i];

		for (size_t at = 0; at < ring->count;) {
			uint64_t word = ring->words[at];
			size_t left = SEGMENT_WORDS - at % SEGMENT_WORDS;

			capture->events += EVENT_ADDRESS(word) != 0;
			capture->allocations += event_is_allocation(word) != 0;
			at += EVENT_KIND(word) == EVENT_SKIP ? left : event_words(word);
		}
	}
}

int capture_load(struct capture *capture, const char *path)
{
	struct capture_record record;
	char magic[8];
	FILE *file = fopen(path, "re");
	int error;

	*capture = (struct capture){0};
	if (file == NULL) {
		perror(path);
		return -1;
	}
	error = fread(magic, 8, 1, file) != 1 || memcmp(magic, CAPTURE_MAGIC, 8) != 0;
	while (!error && fread(&record, sizeof(record), 1, file) == 1)
		error = take_record(capture, file, &record) != 0;
	fclose(file);
	if (error) {
		fprintf(stderr, "%s: no capture, or not a whole one; make one by driver --save\n",
			path);
		capture_release(capture);
		return -1;
	}
	count_events(capture);
	return 0;
}

/* --- making one up ------------------------------------------------------------------------ */

void capture_start(struct capture *capture)
{
	*capture = (struct capture){.session = {1, UINT64_C(1) << 32}};
	make_nodes(capture, 1);
	capture->nodes[0] = (struct shared_node){0};
}

uint32_t capture_add_ring(struct capture *capture)
{
	make_ring(capture, &(struct capture_ring){1, (int32_t)capture->ring_count + 1, 0});
	return capture->ring_count - 1;
}

uint32_t capture_add_node(struct capture *capture, uint32_t parent, uint64_t address)
{
	uint32_t id = capture->node_count;

	make_nodes(capture, 1);
	capture->nodes[id] = (struct shared_node){parent, 0, address};
	return id;
}

/* Where words of one event may lie: not across the end of a segment. */
static uint64_t *event_at(struct capture_words *ring, size_t words)
{
	size_t left = SEGMENT_WORDS - ring->count % SEGMENT_WORDS;

	if (left < words) {
		uint64_t *rest = room_for(ring, left);

		memset(rest, 0, left * sizeof(*rest));
		*rest = EVENT_WORD(EVENT_SKIP, 0, 0);
	}
	return room_for(ring, words);
}

void capture_add(struct capture *capture, uint32_t ring, uint64_t time, unsigned kind,
		 uint64_t address, uint32_t node, uint64_t size)
{
	int allocates = kind == EVENT_ALLOC || kind == EVENT_REALLOC_ALLOC;
	uint64_t word = EVENT_WORD(kind, allocates ? FUNCTION_MALLOC : FUNCTION_FREE, address);
	uint64_t *at;

	word |= time != 0 ? EVENT_STAMPED : 0;
	word |= size > UINT32_MAX ? EVENT_WIDE : 0;
	at = event_at(&capture->rings[ring], event_words(word));
	*at++ = word;
	if (allocates)
		*at++ = EVENT_NODE_WORD(node, size);
	if (time != 0)
		*at++ = time;
	if (size > UINT32_MAX)
		*at++ = size;
	capture->events++;
	capture->allocations += (uint64_t)allocates;
}

void capture_add_time(struct capture *capture, uint32_t ring, uint64_t time)
{
	uint64_t *at = event_at(&capture->rings[ring], 2);

	at[0] = EVENT_WORD(EVENT_TIME, 0, 0) | EVENT_STAMPED;
	at[1] = time;
}

void capture_churn(struct capture *capture, uint64_t pairs)
{
	enum { STACKS = 8, PAIRS_A_TICK = 10000 };
	uint32_t ring, root;

	capture_start(capture);
	ring = capture_add_ring(capture);
	root = capture_add_node(capture, 0, 0x1000);
	for (uint64_t i = 0; i < STACKS; i++)
		capture_add_node(capture, root, 0x2000 + i * 64);
	for (uint64_t i = 0; i < pairs; i++) {
		uint64_t address = 0x555555560000 + i % 5 * 48;

		if (i % PAIRS_A_TICK == 0)
			capture_add_time(capture, ring, 1 + i / PAIRS_A_TICK * 1000000);
		capture_add(capture, ring, 0, EVENT_ALLOC, address,
			    root + 1 + (uint32_t)(i % STACKS), 16 + i % 5 * 24);
		capture_add(capture, ring, 0, EVENT_FREE, address, 0, 0);
	}
}
