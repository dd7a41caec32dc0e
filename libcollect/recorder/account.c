/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libcollect/recorder/account.h"

#include <string.h>

/* Blocks older than so many milliseconds are told without their number in the trace, of
 * which 32 bits are known: no recorder takes 2^32 allocations in that time, and a block so old
 * is none of the EVENTS block at hand, where the number would be of use. */
#define SEQUENCE_TICKS 4096
#define FEW_CLASSES    8192

void account_release_live(struct account *account)
{
	pairing_release(&account->pairing);
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

/* --- counting and telling ---------------------------------------------------------------- */

static uint64_t add_saturated(uint64_t a, uint64_t b)
{
	return a > INT64_MAX - b ? INT64_MAX : a + b;
}

/* Definitions go before what uses them. */
static void tell_definitions(struct account *account, const struct batch *batch)
{
	if (account->stacks != NULL && account->told_nodes < batch->nodes)
		stacks_tell(account->stacks, account->writer, account->told_nodes + 1,
			    batch->nodes);
	account->told_nodes = batch->nodes;
	while (account->told_classes < batch->classes) {
		const struct class_key *key =
		    classes_key(&account->classes, ++account->told_classes);

		if (account->writer != NULL)
			trace_writer_class(account->writer, key->node, class_key_size(key),
					   class_key_function(key));
	}
}

static inline void finish_allocation(struct account *account, const struct batch_event *event,
				     uint64_t tick, struct trace_writer *writer)
{
	struct account_thread *thread = account_thread_at(account, event->thread);
	struct class_counts *class_ = classes_at(&account->classes, event->class_id);

	thread->allocations++;
	thread->bytes = add_saturated(thread->bytes, class_size(class_));
	account->reallocations += event->realloc != 0;
	classes_allocate(&account->classes, class_, tick);
	if (writer != NULL)
		trace_writer_allocation(writer, tick, event->thread, event->class_id,
					event->realloc);
}

/* What an allocation and a deallocation do, at once. */
static inline void finish_temporary(struct account *account, const struct batch_event *event,
				    uint64_t tick, struct trace_writer *writer)
{
	struct account_thread *thread = account_thread_at(account, event->thread);
	struct class_counts *class_ = classes_at(&account->classes, event->class_id);

	thread->allocations++;
	thread->deallocations++;
	thread->temporary++;
	thread->bytes = add_saturated(thread->bytes, class_size(class_));
	account->reallocations += event->realloc != 0;
	classes_allocate(&account->classes, class_, tick);
	classes_deallocate(&account->classes, class_, 1);
	if (writer != NULL)
		trace_writer_temporary(writer, tick, event->thread, event->class_id,
				       event->realloc);
}

static inline void finish_deallocation(struct account *account, const struct batch_event *event,
				       uint64_t tick, struct trace_writer *writer)
{
	struct account_thread *thread = account_thread_at(account, event->owner);
	struct class_counts *class_ = classes_at(&account->classes, event->class_id);
	uint64_t age = thread->allocations + thread->lost - event->number;
	struct trace_deallocation told = {.class_id = event->class_id,
					  .allocating_thread = event->owner,
					  .age_ticks = (uint32_t)tick - event->block.tick,
					  .age_allocations = age,
					  .realloc = event->realloc};

	thread->deallocations++;
	thread->temporary += age == 0;
	classes_deallocate(&account->classes, class_, age == 0);
	if (writer == NULL)
		return;
	if (told.age_ticks < SEQUENCE_TICKS && !account->gaps)
		told.sequence = account->finished -
				(uint32_t)((uint32_t)account->finished - event->block.sequence);
	trace_writer_deallocation(writer, tick, event->thread, &told);
}

static void finish_unknown(struct account *account, const struct batch_event *event, uint64_t tick,
			   struct trace_writer *writer)
{
	if (account->inherited)
		account->inherited_frees++;
	else
		account->unknown_frees++;
	if (writer != NULL)
		trace_writer_unknown_free(writer, tick, event->thread, account->inherited);
}

static inline __attribute__((always_inline)) void finish_event(struct account *account,
							       const struct batch_event *event,
							       uint64_t tick,
							       struct trace_writer *writer)
{
	switch (event->operation) {
	case BATCH_LOST:
		account_thread_at(account, event->thread)->lost++;
		break;
	case BATCH_ALLOCATION:
		account->finished++;
		finish_allocation(account, event, tick, writer);
		break;
	case BATCH_TEMPORARY:
		account->finished++;
		finish_temporary(account, event, tick, writer);
		break;
	case BATCH_DEALLOCATION:
		finish_deallocation(account, event, tick, writer);
		break;
	case BATCH_UNKNOWN_FREE:
		finish_unknown(account, event, tick, writer);
		break;
	}
}

static void finish_one(struct account *account, const struct batch_event *event, uint64_t tick,
		       struct trace_writer *writer)
{
	finish_event(account, event, tick, writer);
}

/* What pairing found out beside the events, up to a place. */
static void finish_extra(struct account *account, struct batch_extra *extra, uint64_t place,
			 uint64_t tick, struct trace_writer *writer)
{
	while (extra->next < extra->count && batch_extra_at(extra, extra->next)->time <= place)
		finish_one(account, batch_extra_at(extra, extra->next++), tick, writer);
}

static void finish_with_extras(struct account *account, struct batch *batch,
			       struct trace_writer *writer)
{
	for (uint32_t i = 0; i < batch->count; i++) {
		const struct batch_event *event = &batch->event[i];
		struct batch_extra *extra = &batch->extra[pairing_shard(event->address)];

		finish_extra(account, extra, 2 * (uint64_t)i, batch->tick, writer);
		finish_one(account, event, batch->tick, writer);
		finish_extra(account, extra, 2 * (uint64_t)i + 1, batch->tick, writer);
	}
	for (unsigned i = 0; i < BATCH_SHARDS; i++)
		finish_extra(account, &batch->extra[i], UINT64_MAX, batch->tick, writer);
}

static int has_extras(const struct batch *batch)
{
	uint32_t count = 0;

	for (unsigned i = 0; i < BATCH_SHARDS; i++)
		count += batch->extra[i].count;
	return count != 0;
}

static void note_lost(struct account *account, uint64_t lost)
{
	account->lost += lost;
	account->gaps |= lost != 0;
}

void account_finish(struct account *account, struct batch *batch)
{
	struct trace_writer *writer = account->with_events ? account->writer : NULL;

	note_lost(account, batch->lost);
	for (unsigned i = 0; i < BATCH_SHARDS; i++)
		note_lost(account, batch->extra[i].lost);
	classes_count_up_to(&account->classes, batch->classes);
	tell_definitions(account, batch);
	/* Fewer lie in the cache as they are. */
	for (uint32_t i = 0; i < batch->count && account->classes.counted > FEW_CLASSES; i++)
		__builtin_prefetch(classes_at(&account->classes, batch->event[i].class_id));
	if (has_extras(batch)) {
		finish_with_extras(account, batch, writer);
		return;
	}
	for (uint32_t i = 0; i < batch->count; i++)
		finish_event(account, &batch->event[i], batch->tick, writer);
}

/* --- sums ---------------------------------------------------------------------------------- */

void account_total(const struct account *account, struct account_totals *totals)
{
	*totals = (struct account_totals){0};
	for (uint32_t id = 1; id <= account->classes.count; id++) {
		struct class_figures class_;
		unsigned flags;

		classes_figures(&account->classes, id, &class_);
		flags = account->stacks != NULL ? stacks_flags(account->stacks, class_.node) : 0;
		totals->allocations += class_.allocations;
		totals->deallocations += class_.deallocations;
		totals->temporary += class_.temporary;
		if (class_.node == 0)
			totals->stacks_unknown += class_.allocations;
		if (flags & TRACE_NODE_INCOMPLETE)
			totals->stacks_incomplete += class_.allocations;
		if (flags & TRACE_NODE_CUT)
			totals->stacks_cut += class_.allocations;
		if (flags & TRACE_NODE_GUESSED)
			totals->stacks_guessed += class_.allocations;
	}
	for (uint32_t id = 1; id <= account->thread_count; id++)
		totals->bytes = add_saturated(totals->bytes, account_thread_at(account, id)->bytes);
}
