/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libcollect/recorder/pairing.h"

struct work {
	struct pairing *pairing;
	struct pairing_shard *shard;
	struct batch *batch;
	unsigned number; /* of the shard */
	uint64_t place;  /* of what is found out now: 2 i before event i, 2 i + 1 behind it */
	/* The heads where the batch's events belong: they don't move within it. */
	uint32_t *head[BATCH_EVENTS];
	uint16_t chosen[BATCH_EVENTS];
};

#define unlikely(x) __builtin_expect(!!(x), 0)
#define noinline    __attribute__((noinline))
#define inlined     inline __attribute__((always_inline))

void pairing_release(struct pairing *pairing)
{
	for (unsigned i = 0; i < BATCH_SHARDS; i++) {
		livetable_release(&pairing->shard[i].live);
		looseends_release(&pairing->shard[i].loose);
	}
}

int pairing_waits(const struct pairing *pairing)
{
	for (unsigned i = 0; i < BATCH_SHARDS; i++)
		if (pairing->shard[i].loose.first != pairing->shard[i].loose.last)
			return 1;
	return 0;
}

/* --- what is found out ------------------------------------------------------------------- */

static void add_extra(struct work *work, const struct batch_event *event)
{
	struct batch_extra *extra = &work->batch->extra[work->number];
	uint64_t bytes = (extra->count + UINT64_C(1)) * sizeof(*event);

	if (area_reserve(&extra->events, bytes) != 0) {
		extra->lost++;
		return;
	}
	*batch_extra_at(extra, extra->count) = *event;
	batch_extra_at(extra, extra->count++)->time = work->place;
}

static void add_unknown(struct work *work, const struct loose_end *end)
{
	struct batch_event gone = {
	    .operation = BATCH_UNKNOWN_FREE, .thread = end->thread, .address = end->address};

	add_extra(work, &gone);
}

/* The event becomes the deallocation of a block. */
static inline void end_block(struct batch_event *event, const struct live_block *block)
{
	event->operation = BATCH_DEALLOCATION;
	event->number = live_block_number(block);
	event->block.tick = block->tick;
	event->block.sequence = block->sequence;
	event->class_id = block->class_id;
	event->owner = block->thread;
}

static void add_end(struct work *work, const struct live_block *block, uint32_t by, int realloc)
{
	struct batch_event gone = {
	    .thread = by, .realloc = realloc != 0, .address = live_block_address(block)};

	end_block(&gone, block);
	add_extra(work, &gone);
}

static inline void begin_block(const struct work *work, const struct batch_event *event,
			       struct live_block *block)
{
	block->address_and_number = event->address;
	block->time = event->time;
	block->tick = (uint32_t)work->batch->tick;
	block->class_id = event->class_id;
	block->thread = event->thread;
	block->sequence = event->sequence;
	live_block_set_number(block, event->number);
}

/* --- loose ends ------------------------------------------------------------------------------ */

static void settle(struct work *work, struct loose_end *end)
{
	struct loose_end settled = *end;

	looseends_remove(&work->shard->loose, end);
	if (settled.kind == LOOSE_WAITING_FREE)
		add_unknown(work, &settled);
}

static void keep(struct work *work, enum loose_kind kind, uint64_t time,
		 const struct batch_event *event, uint64_t arrived)
{
	struct looseends *loose = &work->shard->loose;
	struct loose_end end = {.address = event->address,
				.time = time,
				.arrived = arrived,
				.thread = event->thread,
				.kind = (uint8_t)kind,
				.realloc = event->realloc};
	struct loose_end *oldest;

	if (looseends_add(loose, &end) == 0)
		return;
	oldest = looseends_oldest(loose, UINT64_MAX);
	if (oldest != NULL) {
		settle(work, oldest);
		if (looseends_add(loose, &end) == 0)
			return;
	}
	if (kind == LOOSE_WAITING_FREE)
		add_unknown(work, &end);
}

/* The block's address was allocated again at a time, so it has been freed. */
static void retire(struct work *work, const struct live_block *block,
		   const struct batch_event *event, uint64_t time)
{
	add_end(work, block, block->thread, 0);
	keep(work, LOOSE_MISSING_FREE, time, event, event->time);
}

/* An allocation that comes after one of the same address with a later stamp. */
static void late_allocation(struct work *work, const struct batch_event *event, uint64_t before)
{
	struct live_block block;
	struct loose_end *end;

	begin_block(work, event, &block);
	work->place++;
	end = looseends_waiting(&work->shard->loose, event->address, event->time, before,
				event->thread);
	if (end != NULL) {
		add_end(work, &block, end->thread, end->realloc);
		looseends_remove(&work->shard->loose, end);
	} else {
		retire(work, &block, event, before);
	}
	work->place--;
}

/* --- events ------------------------------------------------------------------------------------
 */

static noinline void end_waiting(struct work *work, struct pairing_shard *shard,
				 const struct batch_event *event, const struct live_block *block)
{
	struct loose_end *end = looseends_waiting(&shard->loose, event->address, event->time,
						  UINT64_MAX, event->thread);

	if (end == NULL)
		return;
	work->place++;
	add_end(work, block, end->thread, end->realloc);
	work->place--;
	livetable_remove(&shard->live, livetable_find(&shard->live, event->address));
	looseends_remove(&shard->loose, end);
}

/* There is a live block at the address. Returns it for the new one, or NULL when that is
 * an old one already. */
static noinline struct live_block *replace(struct work *work, struct pairing_shard *shard,
					   const struct batch_event *event, uint32_t index)
{
	struct live_block *block = livetable_at(&shard->live, index);

	if (block->time > event->time) {
		late_allocation(work, event, block->time);
		return NULL;
	}
	retire(work, block, event, event->time);
	return block;
}

static inlined void allocate(struct work *work, struct pairing_shard *shard, uint32_t *head,
			     const struct batch_event *event)
{
	uint32_t *link = livetable_find_below(&shard->live, head, event->address);
	struct live_block *block;

	if (unlikely(link != NULL))
		block = replace(work, shard, event, *link);
	else
		block = livetable_add(&shard->live, head, event->address);
	if (unlikely(block == NULL))
		return;
	begin_block(work, event, block);
	if (unlikely(shard->loose.waiting != 0))
		end_waiting(work, shard, event, block);
}

/* Takes out the end of a block that was taken to be freed before. */
static noinline int swallow(const struct work *work, struct pairing_shard *shard,
			    const struct batch_event *event)
{
	/* In a process with one thread events have no stamps, and a realloc's free
	 * comes late only where a signal handler got the block before. */
	uint64_t time = event->realloc && work->pairing->wait == 0 ? 0 : event->time;
	struct loose_end *end = looseends_missing(&shard->loose, event->address, time);

	if (end != NULL)
		looseends_remove(&shard->loose, end);
	return end != NULL;
}

static noinline void miss(struct work *work, struct batch_event *event)
{
	event->operation = BATCH_UNKNOWN_FREE;
	if (work->pairing->wait == 0)
		return;
	keep(work, LOOSE_WAITING_FREE, event->time, event, event->time);
	event->operation = BATCH_NOTHING;
}

static inlined void deallocate(struct work *work, struct pairing_shard *shard, uint32_t *head,
			       struct batch_event *event)
{
	uint32_t *link;

	if (unlikely(shard->loose.missing != 0) && swallow(work, shard, event)) {
		event->operation = BATCH_NOTHING;
		return;
	}
	link = livetable_find_below(&shard->live, head, event->address);
	if (unlikely(link == NULL || livetable_at(&shard->live, *link)->time > event->time)) {
		miss(work, event);
		return;
	}
	end_block(event, livetable_at(&shard->live, *link));
	livetable_remove(&shard->live, link);
}

/* As two events. Where they belong to each other after all, they stay one. */
static noinline void take_apart(struct work *work, struct pairing_shard *shard, uint32_t *head,
				struct batch_event *event)
{
	struct batch_event gone = {.address = event->address,
				   .time = event->freed,
				   .thread = event->thread,
				   .operation = BATCH_DEALLOCATION};

	allocate(work, shard, head, event);
	work->place++;
	deallocate(work, shard, head, &gone);
	if (gone.operation != BATCH_DEALLOCATION || gone.number != event->number ||
	    gone.owner != event->thread) {
		event->operation = BATCH_ALLOCATION;
		if (gone.operation != BATCH_NOTHING)
			add_extra(work, &gone);
	}
	work->place--;
}

static inlined void temporary(struct work *work, struct pairing_shard *shard, uint32_t *head,
			      struct batch_event *event)
{
	/* No block is needed where nothing else can have to do with this one. */
	if (unlikely(event->freed < event->time || shard->loose.waiting != 0 ||
		     shard->loose.missing != 0 ||
		     livetable_find_below(&shard->live, head, event->address) != NULL))
		take_apart(work, shard, head, event);
}

static void take_all(struct work *work, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		uint32_t at = work->chosen[i];
		struct batch_event *event = &work->batch->event[at];
		unsigned number = pairing_shard(event->address);
		struct pairing_shard *shard = &work->pairing->shard[number];

		work->number = number;
		work->shard = shard;
		work->place = 2 * (uint64_t)at;
		if (event->operation == BATCH_DEALLOCATION)
			deallocate(work, shard, work->head[i], event);
		else if (event->operation == BATCH_ALLOCATION)
			allocate(work, shard, work->head[i], event);
		else if (event->operation == BATCH_TEMPORARY)
			temporary(work, shard, work->head[i], event);
	}
}

/* The events of a share, and all that they will look at is on its way. */
static uint32_t choose(struct work *work, unsigned share, unsigned shares)
{
	const struct batch *batch = work->batch;
	uint32_t count = 0;

	for (uint32_t i = 0; i < batch->count; i++) {
		uint64_t address = batch->event[i].address;
		unsigned number = pairing_shard(address);

		if ((number & (shares - 1)) != share || batch->event[i].operation <= BATCH_LOST)
			continue;
		work->chosen[count] = (uint16_t)i;
		work->head[count] = livetable_head(&work->pairing->shard[number].live, address);
		__builtin_prefetch(work->head[count++]);
	}
	for (uint32_t i = 0; i < count; i++) {
		unsigned number = pairing_shard(batch->event[work->chosen[i]].address);

		__builtin_prefetch(
		    livetable_at(&work->pairing->shard[number].live, *work->head[i]));
	}
	return count;
}

/* Without memory for a shard's new blocks these are not counted. What gives back others goes on. */
static noinline void leave_out(struct work *work, unsigned number)
{
	const int none = work->pairing->shard[number].live.bits == 0;

	for (uint32_t i = 0; i < work->batch->count; i++) {
		struct batch_event *event = &work->batch->event[i];
		uint8_t operation = event->operation;

		if (operation <= BATCH_LOST || pairing_shard(event->address) != number ||
		    (operation == BATCH_DEALLOCATION && !none))
			continue;
		event->operation = operation == BATCH_DEALLOCATION ? BATCH_NOTHING : BATCH_LOST;
		work->batch->extra[number].lost += operation == BATCH_TEMPORARY ? 2 : 1;
	}
}

static void make_room(struct work *work, unsigned share, unsigned shares)
{
	for (unsigned i = share; i < BATCH_SHARDS; i += shares)
		if (livetable_reserve(&work->pairing->shard[i].live, work->batch->count) != 0)
			leave_out(work, i);
}

static void settle_old(struct work *work)
{
	struct pairing *pairing = work->pairing;
	uint64_t now = work->batch->settle;
	uint64_t before = now == UINT64_MAX     ? UINT64_MAX
			  : now > pairing->wait ? now - pairing->wait
						: 0;
	struct loose_end *end;

	work->shard = &pairing->shard[work->number];
	work->place = 2 * (uint64_t)work->batch->count;
	while ((end = looseends_oldest(&work->shard->loose, before)) != NULL)
		settle(work, end);
}

void pairing_run(struct pairing *pairing, struct batch *batch, unsigned share, unsigned shares)
{
	struct work work;

	work.pairing = pairing;
	work.batch = batch;
	make_room(&work, share, shares);
	take_all(&work, choose(&work, share, shares));
	if (batch->settle == 0)
		return;
	for (work.number = share; work.number < BATCH_SHARDS; work.number += shares)
		settle_old(&work);
}
