/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The region is large, most of it never touched; but all of it counts where a process' address
 * space is limited (RLIMIT_AS) or locked (mlockall). Such a process maps the front of
 * it only: what lies behind the end is unmapped, and chunks from there are handed back.
 *
 * A thread may be taking a chunk meanwhile. It writes down that the chunk is its session's, then
 * looks where the end is; who moves the end does so first, then looks which chunks are the
 * session's, and leaves mapped what lies before the last of them. One of the two sees the other.
 */
#include "libcollect/preload/chunks.h"

#include "libcollect/preload/rawio.h"
#include "libcollect/preload/session.h"
#include "libcollect/preload/state.h"

#include "libcollect/preload/banned.h"

enum { PARTED_MOST = 64, BEYOND_MOST = 16 };

/* Chunks that are this process' own copies: see hooks_fork.c. Inherited by forks, as they are. */
static uint32_t parted[PARTED_MOST];
static uint32_t parted_count;

/* Inherited by forks, as is the mapping itself. */
static _Atomic uint32_t end = UINT32_MAX; /* chunks from here on are not for us */
static _Atomic int narrowing;
static uint64_t mapped; /* bytes of the region; of who is narrowing */

int chunk_part(uint32_t chunk)
{
	if (parted_count == PARTED_MOST)
		return -1;
	parted[parted_count++] = chunk;
	return 0;
}

static int is_parted(uint32_t chunk)
{
	for (uint32_t i = 0; i < parted_count; i++)
		if (parted[i] == chunk)
			return 1;
	return 0;
}

/* From the pool, or from the used rings. */
static uint32_t pop(struct region *region, _Atomic uint64_t *stack)
{
	uint64_t top = atomic_load(stack);
	uint32_t fresh;

	while ((uint32_t)top != CHUNK_NONE) {
		uint32_t chunk = (uint32_t)top;
		uint32_t next;

		if (chunk >= region->chunks)
			return CHUNK_NONE;
		next = atomic_load_explicit(&region_next(region)[chunk], memory_order_relaxed);
		if (atomic_compare_exchange_weak(stack, &top, ((top >> 32) + 1) << 32 | next))
			return chunk;
	}
	if (stack != &region->pool)
		return CHUNK_NONE;
	fresh = atomic_load(&region->fresh);
	while (fresh < region->chunks)
		if (atomic_compare_exchange_weak(&region->fresh, &fresh, fresh + 1))
			return fresh;
	return CHUNK_NONE;
}

/* Untouched. */
static void hand_back(struct region *region, _Atomic uint64_t *stack, uint32_t chunk)
{
	uint64_t top = atomic_load(stack);

	atomic_store(&region_owner(region)[chunk], 0);
	do {
		atomic_store_explicit(&region_next(region)[chunk], (uint32_t)top,
				      memory_order_relaxed);
	} while (!atomic_compare_exchange_weak(stack, &top, ((top >> 32) + 1) << 32 | chunk));
}

static uint32_t take_for(struct region *region, _Atomic uint64_t *stack, uint32_t epoch)
{
	uint32_t beyond[BEYOND_MOST], held = 0, chunk;

	while ((chunk = pop(region, stack)) != CHUNK_NONE) {
		atomic_store(&region_owner(region)[chunk], epoch);
		if (is_parted(chunk)) /* ours for nothing, until the session's end */
			continue;
		if (likely(chunk < atomic_load(&end)))
			break;
		beyond[held++] = chunk;
		chunk = CHUNK_NONE;
		if (held == BEYOND_MOST)
			break;
	}
	while (held > 0)
		hand_back(region, stack, beyond[--held]);
	return chunk;
}

uint32_t chunk_take(void)
{
	const struct session *session = state->session;
	uint32_t chunk = CHUNK_NONE;

	if (session != NULL)
		chunk = take_for(shared_region, &shared_region->pool, session->epoch);
	/* The recorder looks for rings of ended threads when it wakes. */
	if (chunk == CHUNK_NONE)
		session_wake_recorder(SLEEPING_NOT);
	return chunk;
}

uint32_t chunk_take_used_ring(void)
{
	const struct session *session = state->session;
	struct region *region = shared_region;
	uint32_t chunk;

	if (session == NULL || atomic_load(&region->used_ring_count) == 0)
		return CHUNK_NONE;
	chunk = take_for(region, &region->used_rings, session->epoch);
	if (chunk != CHUNK_NONE)
		atomic_fetch_sub(&region->used_ring_count, 1);
	return chunk;
}

uint32_t chunk_take_spare(void)
{
	struct region *region = shared_region;

	if ((uint32_t)atomic_load(&region->pool) == CHUNK_NONE &&
	    atomic_load(&region->fresh) > region->chunks / 2)
		return CHUNK_NONE;
	return chunk_take();
}

void chunks_attached(const struct region *region)
{
	mapped = region->bytes;
	atomic_store(&end, region->chunks);
}

/* The first chunk behind all that are in use here. */
static uint32_t used_end(struct region *region)
{
	const struct session *session = state->session;
	const uint32_t epoch = atomic_load(&state->epoch);
	uint32_t chunk = region->chunks;

	/* The recorder has taken us for ended: nothing says what our threads still write to. */
	if (session != NULL && epoch != EPOCH_OFF && session->epoch != epoch)
		return chunk;
	while (chunk > 1 && !is_parted(chunk - 1) &&
	       (session == NULL || atomic_load(&region_owner(region)[chunk - 1]) != session->epoch))
		chunk--;
	return chunk;
}

void chunks_narrow(uint64_t bytes)
{
	struct region *region = shared_region;
	uint64_t before;
	uint32_t wanted, used;

	/* Two at a time would unmap what is somebody else's by then. */
	if (region == NULL || atomic_exchange(&narrowing, 1) != 0)
		return;
	before = region->chunk_offset;
	wanted = bytes > before + 2 * CHUNK_BYTES ? (uint32_t)((bytes - before) / CHUNK_BYTES) : 2;
	if (bytes < mapped && wanted < atomic_load(&end)) {
		atomic_store(&end, wanted);
		used = used_end(region);
		bytes = before + (uint64_t)(wanted > used ? wanted : used) * CHUNK_BYTES;
		if (bytes < mapped) {
			raw_unmap((char *)region + bytes, mapped - bytes);
			mapped = bytes;
		}
	}
	atomic_store(&narrowing, 0);
}
