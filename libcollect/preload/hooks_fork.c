/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fork, for one case only: a signal handler that interrupted a hook's
 * bookkeeping forks. The child returns into the middle of it and would write
 * what the parent writes, into the parent's ring. So it gets a copy of the
 * ring, of its own, at the same address. Everything else about forks takes care of
 * itself (state.h); a fork by system call is on its own.
 */
#include <sys/mman.h>
#include <sys/types.h>

#include "libcollect/preload/chunks.h"
#include "libcollect/preload/next.h"
#include "libcollect/preload/prepare.h"
#include "libcollect/preload/rawio.h"
#include "libcollect/preload/state.h"

#include "libcollect/preload/banned.h"

#define EXPORT __attribute__((visibility("default")))

EXPORT pid_t fork(void);
EXPORT pid_t _Fork(void);

static struct next next_fork = {.name = "fork"}, next__Fork = {.name = "_Fork"};

static void part_from_chunk(uint32_t number)
{
	void *chunk = region_chunk(shared_region, number), *copy = raw_map(CHUNK_BYTES);

	if (copy == NULL || chunk_part(number) != 0)
		return;
	raw_copy(copy, chunk, CHUNK_BYTES);
	raw_syscall(SYS_mremap, (long)copy, CHUNK_BYTES, CHUNK_BYTES, MREMAP_MAYMOVE | MREMAP_FIXED,
		    (long)chunk, 0);
}

static void part_from_ring(struct ring *ring)
{
	for (unsigned i = 0; i < RING_MORE_CHUNKS; i++)
		if (ring->more[i] != CHUNK_NONE)
			part_from_chunk(ring->more[i]);
	part_from_chunk(region_chunk_number(shared_region, ring));
}

static pid_t fork_by(struct next *next)
{
	pid_t (*real)(void) = (pid_t(*)(void))next_function(next);
	struct ring *ring = self.busy != 0 && self.epoch < EPOCH_OFF ? self.ring : NULL;
	pid_t child = real();

	if (child == 0 && ring != NULL)
		part_from_ring(ring);
	return child;
}

pid_t fork(void)
{
	return fork_by(&next_fork);
}

pid_t _Fork(void)
{
	return fork_by(&next__Fork);
}

void hooks_fork_prepare(void)
{
	next_function(&next_fork);
	next_function(&next__Fork);
}
