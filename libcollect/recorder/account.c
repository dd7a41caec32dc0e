/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libcollect/recorder/account.h"

#include <string.h>

#define FENCE_EVERY (UINT64_C(1) << 30)

void account_release_live(struct account *account)
{
	livetable_release(&account->live);
	looseends_release(&account->loose);
}

void account_release(struct account *account)
{
	account_release_live(account);
	classes_release(&account->classes);
	area_release(&account->threads);
	account->thread_count = 0;
}

uint32_t account_thread_new(struct account *account, int32_t tid, const char *name)
{
	uint32_t id = account->thread_count + 1;
	struct account_thread *thread;

	if (area_reserve(&account->threads, (id + UINT64_C(1)) * sizeof(*thread)) != 0)
		return 0;
	account->thread_count = id;
	thread = account_thread_at(account, id);
	*thread = (struct account_thread){.tid = tid};
	thread->name[0] = '\1'; /* no name yet, the empty one neither */
	account_thread_name(account, id, name);
	return id;
}

void account_thread_name(struct account *account, uint32_t id, const char *name)
{
	struct account_thread *thread = account_thread_at(account, id);

	if (strncmp(thread->name, name, sizeof(thread->name)) == 0)
		return;
	strncpy(thread->name, name, sizeof(thread->name) - 1);
	if (account->writer != NULL)
		trace_writer_thread(account->writer, id, (uint64_t)thread->tid, thread->name,
				    strlen(thread->name));
}

/* --- counting one event ---------------------------------------------------- */

static uint64_t add_saturated(uint64_t a, uint64_t b)
{
	return a > INT64_MAX - b ? INT64_MAX : a + b;
}

static uint32_t find_class(struct account *account, struct account_node *node, uint64_t size,
			   unsigned function)
{
	struct class_counts *class_;
	uint32_t id = node->recent_class;
	int is_new;

	if (id != 0) {
		class_ = classes_at(&account->classes, id);
		if (class_->size == size && class_->function == function)
			return id;
	}
	id = classes_find(&account->classes, node->node, size, function, &is_new);
	if (is_new) {
		classes_at(&account->classes, id)->flags = node->flags;
		if (account->writer != NULL)
			trace_writer_class(account->writer, node->node, size, function);
	}
	node->recent_class = id;
	return id;
}

static inline int writes_events(const struct account *account)
{
	return account->with_events && account->writer != NULL;
}

/* Counts an allocation and fills in its block, address aside. */
static inline void count_allocation(struct account *account, const struct account_event *event,
				    uint32_t class_id, struct live_block *block)
{
	struct account_thread *thread = account_thread_at(account, event->thread);
	struct class_counts *class_ = classes_at(&account->classes, class_id);
	uint64_t tick = account->ticks.now;

	if (writes_events(account) && trace_writer_allocation(account->writer, tick, event->thread,
							      class_id, event->realloc) == 0)
		account->sequence++;
	block->time = event->time;
	block->tick = (uint32_t)tick;
	block->class_id = class_id;
	block->thread = event->thread;
	block->sequence = (uint32_t)account->sequence;
	live_block_set_number(block, ++thread->allocations);
	thread->bytes = add_saturated(thread->bytes, class_->size);
	account->reallocations += event->realloc != 0;
	classes_allocate(&account->classes, class_, tick);
}

/* The number of a block's allocation in the trace; 0 when it was too long ago. */
static inline uint64_t sequence_of(const struct account *account, const struct live_block *block)
{
	if (block->time <= account->fence[0].time)
		return 0;
	return account->sequence - (uint32_t)((uint32_t)account->sequence - block->sequence);
}

/* Counts the deallocation of a block by a thread. */
static inline void count_deallocation(struct account *account, const struct live_block *block,
				      uint32_t by, int realloc)
{
	struct account_thread *thread = account_thread_at(account, block->thread);
	uint64_t age = thread->allocations - live_block_number(block);

	thread->deallocations++;
	thread->temporary += age == 0;
	classes_deallocate(&account->classes, classes_at(&account->classes, block->class_id),
			   age == 0);
	if (writes_events(account))
		trace_writer_deallocation(
		    account->writer, account->ticks.now, by,
		    &(struct trace_deallocation){.class_id = block->class_id,
						 .allocating_thread = block->thread,
						 .age_ticks =
						     (uint32_t)account->ticks.now - block->tick,
						 .age_allocations = age,
						 .realloc = realloc,
						 .sequence = sequence_of(account, block)});
}

/* Both, at once: what count_allocation() and count_deallocation() do. */
static inline void count_temporary(struct account *account, const struct account_event *event,
				   uint32_t class_id)
{
	struct account_thread *thread = account_thread_at(account, event->thread);
	struct class_counts *class_ = classes_at(&account->classes, class_id);
	uint64_t tick = account->ticks.now;

	thread->allocations++;
	thread->deallocations++;
	thread->temporary++;
	thread->bytes = add_saturated(thread->bytes, class_->size);
	account->reallocations += event->realloc != 0;
	classes_allocate(&account->classes, class_, tick);
	classes_deallocate(&account->classes, class_, 1);
	if (writes_events(account) && trace_writer_temporary(account->writer, tick, event->thread,
							     class_id, event->realloc) == 0)
		account->sequence++;
}

static void count_unknown(struct account *account, uint32_t by)
{
	if (account->inherited)
		account->inherited_frees++;
	else
		account->unknown_frees++;
	if (writes_events(account))
		trace_writer_unknown_free(account->writer, account->ticks.now, by,
					  account->inherited);
}

/* --- loose ends ------------------------------------------------------------- */

static void settle(struct account *account, struct loose_end *end)
{
	struct loose_end settled = *end;

	looseends_remove(&account->loose, end);
	if (settled.kind == LOOSE_WAITING_FREE)
		count_unknown(account, settled.thread);
}

void account_settle(struct account *account, uint64_t now)
{
	uint64_t before = now == UINT64_MAX     ? UINT64_MAX
			  : now > account->wait ? now - account->wait
						: 0;
	struct loose_end *end;

	while ((end = looseends_oldest(&account->loose, before)) != NULL)
		settle(account, end);
	if (account->sequence - account->fence[1].sequence >= FENCE_EVERY) {
		account->fence[0] = account->fence[1];
		account->fence[1] = (struct account_fence){now, account->sequence};
	}
}

static void keep(struct account *account, enum loose_kind kind, uint64_t address, uint64_t time,
		 const struct account_event *event)
{
	struct loose_end end = {.address = address,
				.time = time,
				.arrived = event->time,
				.thread = event->thread,
				.kind = (uint8_t)kind,
				.realloc = event->realloc != 0};
	struct loose_end *oldest;

	if (looseends_add(&account->loose, &end) == 0)
		return;
	oldest = looseends_oldest(&account->loose, UINT64_MAX);
	if (oldest != NULL) {
		settle(account, oldest);
		if (looseends_add(&account->loose, &end) == 0)
			return;
	}
	if (kind == LOOSE_WAITING_FREE)
		count_unknown(account, event->thread);
}

/* The block's address was allocated again at a time, so it has been freed. */
static void retire(struct account *account, const struct live_block *block,
		   const struct account_event *event, uint64_t time)
{
	count_deallocation(account, block, block->thread, 0);
	keep(account, LOOSE_MISSING_FREE, live_block_address(block), time, event);
}

/* An allocation that comes after one of the same address with a later stamp. */
static void late_allocation(struct account *account, const struct account_event *event,
			    uint32_t class_id, uint64_t before)
{
	struct live_block block = {.address_and_number = event->address};
	struct loose_end *end;

	count_allocation(account, event, class_id, &block);
	end = looseends_waiting(&account->loose, event->address, event->time, before);
	if (end != NULL) {
		count_deallocation(account, &block, end->thread, end->realloc);
		looseends_remove(&account->loose, end);
	} else {
		retire(account, &block, event, before);
	}
}

/* --- events ------------------------------------------------------------------ */

static void allocate(struct account *account, const struct account_event *event, uint32_t class_id)
{
	uint32_t *link = livetable_find(&account->live, event->address);
	struct live_block *block;
	struct loose_end *end;

	if (link != NULL) {
		block = livetable_at(&account->live, *link);
		if (block->time > event->time) {
			late_allocation(account, event, class_id, block->time);
			return;
		}
		retire(account, block, event, event->time);
	} else {
		block = livetable_claim(&account->live, event->address);
		if (block == NULL) {
			account->lost++;
			return;
		}
	}
	count_allocation(account, event, class_id, block);
	if (account->loose.waiting == 0)
		return;
	end = looseends_waiting(&account->loose, event->address, event->time, UINT64_MAX);
	if (end != NULL) {
		count_deallocation(account, block, end->thread, end->realloc);
		livetable_remove(&account->live, livetable_find(&account->live, event->address));
		looseends_remove(&account->loose, end);
	}
}

void account_allocation(struct account *account, const struct account_event *event,
			struct account_node *node, uint64_t size, unsigned function)
{
	uint32_t class_id = find_class(account, node, size, function);

	if (class_id != 0)
		allocate(account, event, class_id);
	else
		account->lost++;
}

void account_deallocation(struct account *account, const struct account_event *event)
{
	struct loose_end *end;
	uint32_t *link;

	if (account->loose.missing != 0) {
		/* In a process with one thread events have no stamps, and a realloc's free
		 * comes late only where a signal handler got the block before. */
		end = looseends_missing(&account->loose, event->address,
					event->realloc && account->wait == 0 ? 0 : event->time);
		if (end != NULL) {
			looseends_remove(&account->loose, end);
			return;
		}
	}
	link = livetable_find(&account->live, event->address);
	if (link != NULL && livetable_at(&account->live, *link)->time <= event->time) {
		count_deallocation(account, livetable_at(&account->live, *link), event->thread,
				   event->realloc);
		livetable_remove(&account->live, link);
	} else if (account->wait != 0) {
		keep(account, LOOSE_WAITING_FREE, event->address, event->time, event);
	} else {
		count_unknown(account, event->thread);
	}
}

void account_temporary(struct account *account, const struct account_event *allocation,
		       const struct account_event *deallocation, struct account_node *node,
		       uint64_t size, unsigned function)
{
	uint32_t class_id = find_class(account, node, size, function);

	/* No block is needed where nothing else can have to do with this one. */
	if (class_id != 0 && !deallocation->realloc && deallocation->time >= allocation->time &&
	    account->loose.waiting == 0 && account->loose.missing == 0 &&
	    livetable_find(&account->live, allocation->address) == NULL) {
		count_temporary(account, allocation, class_id);
		return;
	}
	if (class_id != 0)
		allocate(account, allocation, class_id);
	else
		account->lost++;
	account_deallocation(account, deallocation);
}

void account_total(const struct account *account, struct account_totals *totals)
{
	*totals = (struct account_totals){0};
	for (uint32_t id = 1; id <= account->classes.count; id++) {
		const struct class_counts *class_ = classes_at(&account->classes, id);

		totals->allocations += class_->allocations;
		totals->deallocations += class_->deallocations;
		totals->temporary += class_->temporary;
		if (class_->node == 0)
			totals->stacks_unknown += class_->allocations;
		if (class_->flags & TRACE_NODE_INCOMPLETE)
			totals->stacks_incomplete += class_->allocations;
		if (class_->flags & TRACE_NODE_CUT)
			totals->stacks_cut += class_->allocations;
		if (class_->flags & TRACE_NODE_GUESSED)
			totals->stacks_guessed += class_->allocations;
	}
	for (uint32_t id = 1; id <= account->thread_count; id++)
		totals->bytes = add_saturated(totals->bytes, account_thread_at(account, id)->bytes);
}
