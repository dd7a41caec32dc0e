/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_RECORDER_PAIRING_H
#define MALLOGRAPH_RECORDER_PAIRING_H

/*
 * Tells deallocations which allocation they end. Only events of one address have to do
 * with each other, so the live blocks lie in shards by address. There are always
 * as many, whoever works at them: what comes out does not depend on the number of threads.
 *
 * A thread may be held up between stamping an event and publishing it, so an event may
 * come late. A deallocation matches only an allocation stamped before it; without one it
 * waits until every ring is surely drained past its stamp, and then counts as one of an
 * unknown block. An allocation at a live address means that the deallocation is
 * late: the block is taken to be freed by its own thread, and the real one swallowed.
 */

#include <stdint.h>

#include "libcollect/recorder/batch.h"
#include "libcollect/recorder/livetable.h"
#include "libcollect/recorder/looseends.h"

struct pairing {       /* all zero: empty */
	uint64_t wait; /* units of the clock that a loose end is kept; 0: not at all */
	struct pairing_shard {
		_Alignas(64) struct livetable live;
		struct looseends loose;
	} shard[BATCH_SHARDS];
};

void pairing_release(struct pairing *pairing);

/* Works at the shards whose number is `share` modulo `shares`, a power of two up to
 * BATCH_SHARDS. Batches come in order for each share. */
void pairing_run(struct pairing *pairing, struct batch *batch, unsigned share, unsigned shares);

static inline unsigned pairing_shard(uint64_t address)
{
	return (unsigned)((address >> 12) * UINT64_C(0x9e3779b97f4a7c15) >> 61);
}
_Static_assert(BATCH_SHARDS == 8, "three bits");

/* Whether something waits to be settled. */
int pairing_waits(const struct pairing *pairing);

#endif
