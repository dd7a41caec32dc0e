/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The recorder's books against a model that follows the definitions of
 * mallograph-trace(5), FIGURES, word by word; and temporaries taken in one piece
 * against the same taken as two events, late and lost events among them. The traces
 * that both write must hold the same events.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "formats/trace/reader.h"
#include "libcollect/recorder/account.h"

enum {
	THREADS = 5,
	NODES = 20,
	SIZES = 12,
	ADDRESSES = 3000,
	CLASSES = NODES * SIZES + 1,
	STEPS = 400000,
	WAIT = 1000
};

static uint64_t seed;

static uint64_t next_random(uint64_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (seed >> 11) % below;
}

/* --- books, and the trace that they write --------------------------------------------- */

struct books {
	struct account account;
	struct crew crew;
	struct batch *batch; /* being filled in */
	int fd;
};

struct call {
	uint64_t time, address;
	uint32_t thread;
	int realloc;
};

static void open_books(struct books *books, uint64_t wait, unsigned hands)
{
	*books = (struct books){.account = {.with_events = 1, .pairing.wait = wait}};
	books->account.crew = books->account.classes.crew = &books->crew;
	crew_hire(&books->crew, hands);
	books->fd = memfd_create("trace", 0);
	books->account.writer = trace_writer_new(books->fd, TRACE_CODEC_ZLIB, 1);
	assert_non_null(books->account.writer);
	assert_int_equal(trace_writer_module(books->account.writer, 0, 1, 0, "m", 1, "", 0), 0);
	for (uint32_t id = 1; id <= NODES; id++)
		assert_int_equal(trace_writer_node(books->account.writer, 0, 1, id, 0), 0);
	for (uint32_t id = 1; id <= THREADS; id++)
		assert_int_equal(account_thread_new(&books->account, (int32_t)id, "t"), id);
}

static void submit(struct books *books, uint64_t settle)
{
	if (books->batch == NULL && settle == 0)
		return;
	if (books->batch == NULL)
		books->batch = crew_batch(&books->crew, &books->account);
	assert_non_null(books->batch);
	books->batch->tick = books->account.ticks.now;
	books->batch->settle = settle;
	classes_resolve(&books->account.classes, books->batch);
	crew_submit(&books->crew);
	books->batch = NULL;
}

static void set_tick(struct books *books, uint64_t tick)
{
	if (tick != books->account.ticks.now)
		submit(books, 0);
	books->account.ticks.now = tick;
}

static struct batch_event *add_event(struct books *books, const struct call *call,
				     enum batch_operation operation)
{
	struct batch_event *event;

	if (books->batch == NULL)
		books->batch = crew_batch(&books->crew, &books->account);
	assert_non_null(books->batch);
	event = &books->batch->event[books->batch->count++];
	*event = (struct batch_event){.address = call->address,
				      .time = call->time,
				      .thread = call->thread,
				      .operation = (uint8_t)operation,
				      .realloc = call->realloc != 0};
	return event;
}

static void submit_full(struct books *books)
{
	if (books->batch != NULL && books->batch->count == BATCH_EVENTS)
		submit(books, 0);
}

static struct batch_event *add_allocation(struct books *books, const struct call *call,
					  enum batch_operation operation, uint32_t node,
					  uint64_t size)
{
	struct batch_event *event = add_event(books, call, operation);
	struct batch *batch = books->batch;

	event->node = node;
	event->number = CLASS_WHAT(size, 1);
	event->sequence = (uint32_t)++books->account.sequence;
	batch->unknown[batch->unknown_count++] = (struct batch_unknown){
	    ++account_thread_at(&books->account, call->thread)->made, node, batch->count - 1};
	return event;
}

struct log { /* of events, as a reader gives them */
	struct trace_event *event;
	size_t count, room;
};

static int log_event(void *context, const struct trace_event *event)
{
	struct log *log = context;

	if (log->count == log->room) {
		log->room = log->room != 0 ? log->room * 2 : 1024;
		log->event = realloc(log->event, log->room * sizeof(*log->event));
		assert_non_null(log->event);
	}
	log->event[log->count++] = *event;
	return 0;
}

static int log_events(void *context, const struct trace_event *events, size_t count)
{
	int result = 0;

	for (size_t i = 0; i < count && !result; i++)
		result = log_event(context, &events[i]);
	return result;
}

static void close_books(struct books *books, struct log *log)
{
	static const struct trace_visitor visitor = {.events = log_events};
	struct trace_reader *reader;
	enum trace_state state;
	char path[64];

	*log = (struct log){0};
	submit(books, UINT64_MAX);
	crew_wait(&books->crew);
	assert_int_equal(trace_writer_flush(books->account.writer), 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", books->fd);
	assert_int_equal(trace_reader_open(&reader, path), 0);
	assert_int_equal(trace_reader_read(reader, &visitor, log, &state), 0);
	assert_int_equal(state, TRACE_CUT);
	trace_reader_close(reader);
	trace_writer_free(books->account.writer);
	close(books->fd);
	crew_release(&books->crew);
}

/* --- the model ---------------------------------------------------------------------------- */

struct model_block {
	uint64_t number, tick, class_; /* class_: node * SIZES + size */
	uint32_t thread;
	int live;
};

static struct model {
	struct model_block block[ADDRESSES];
	struct {
		uint64_t allocations, deallocations, temporary, live, peak;
	} class_[CLASSES + SIZES];
	struct account_thread thread[THREADS + 1];
	uint64_t live_bytes, live_blocks, peak_bytes, peak_blocks, peak_tick, unknown,
	    reallocations;
	struct log log;
} model;

static uint64_t size_of(uint64_t class_)
{
	return class_ % SIZES * class_ % SIZES * 100; /* 0 among them */
}

static void model_allocate(uint64_t address, const struct call *event, uint64_t class_,
			   uint64_t tick)
{
	struct account_thread *thread = &model.thread[event->thread];

	model.block[address] =
	    (struct model_block){++thread->allocations, tick, class_, event->thread, 1};
	thread->bytes += size_of(class_);
	model.reallocations += event->realloc != 0;
	model.class_[class_].allocations++;
	model.class_[class_].live++;
	model.live_blocks++;
	model.live_bytes += size_of(class_);
	if (model.live_bytes > model.peak_bytes) {
		model.peak_bytes = model.live_bytes;
		model.peak_blocks = model.live_blocks;
		model.peak_tick = tick;
		for (size_t i = 0; i < sizeof(model.class_) / sizeof(model.class_[0]); i++)
			model.class_[i].peak = model.class_[i].live;
	}
	log_event(&model.log, &(struct trace_event){.operation = TRACE_OPERATION_ALLOCATION,
						    .realloc = event->realloc != 0,
						    .thread = event->thread,
						    .class_id = (uint32_t)class_,
						    .allocating_thread = event->thread,
						    .tick = tick});
}

static void model_deallocate(uint64_t address, const struct call *event, uint64_t tick)
{
	struct model_block *block = &model.block[address];
	struct account_thread *thread = &model.thread[block->thread];
	uint64_t age = thread->allocations - block->number;
	struct trace_event gone = {
	    .operation = TRACE_OPERATION_UNKNOWN_FREE, .thread = event->thread, .tick = tick};

	if (block->live) {
		gone = (struct trace_event){.operation = TRACE_OPERATION_DEALLOCATION,
					    .realloc = event->realloc != 0,
					    .thread = event->thread,
					    .class_id = (uint32_t)block->class_,
					    .allocating_thread = block->thread,
					    .tick = tick,
					    .age_ticks = tick - block->tick,
					    .age_allocations =
						age < TRACE_RECENT ? (uint16_t)age : TRACE_RECENT};
		block->live = 0;
		thread->deallocations++;
		thread->temporary += gone.age_allocations == 0;
		model.class_[block->class_].deallocations++;
		model.class_[block->class_].temporary += gone.age_allocations == 0;
		model.class_[block->class_].live--;
		model.live_blocks--;
		model.live_bytes -= size_of(block->class_);
	} else {
		model.unknown++;
	}
	log_event(&model.log, &gone);
}

/* Class ids of the books are as they came, those of the model made of node and size. */
static uint64_t class_in_model(const struct account *account, uint32_t id)
{
	struct class_figures class_;

	classes_figures(&account->classes, id, &class_);
	for (uint64_t i = class_.node * (uint64_t)SIZES;; i++)
		if (size_of(i) == class_.size)
			return i;
}

/* --- one against the other ------------------------------------------------------------------ */

static void assert_same_log(const struct log *a, const struct log *b)
{
	assert_int_equal(a->count, b->count);
	for (size_t i = 0; i < a->count; i++) {
		const struct trace_event *x = &a->event[i], *y = &b->event[i];

		assert_int_equal(x->operation, y->operation);
		assert_int_equal(x->realloc, y->realloc);
		assert_int_equal(x->thread, y->thread);
		assert_int_equal(x->tick, y->tick);
		assert_int_equal(x->class_id, y->class_id);
		assert_int_equal(x->allocating_thread, y->allocating_thread);
		assert_int_equal(x->age_ticks, y->age_ticks);
		assert_int_equal(x->age_allocations, y->age_allocations);
	}
}

static void assert_same_books(const struct account *a, const struct account *b)
{
	assert_int_equal(a->classes.count, b->classes.count);
	assert_int_equal(a->classes.live_bytes, b->classes.live_bytes);
	assert_int_equal(a->classes.live_blocks, b->classes.live_blocks);
	assert_int_equal(a->classes.peak_bytes, b->classes.peak_bytes);
	assert_int_equal(a->classes.peak_blocks, b->classes.peak_blocks);
	assert_int_equal(a->classes.peak_tick, b->classes.peak_tick);
	assert_int_equal(a->unknown_frees, b->unknown_frees);
	assert_int_equal(a->reallocations, b->reallocations);
	for (uint32_t id = 1; id <= a->classes.count; id++) {
		struct class_figures x, y;

		classes_figures(&a->classes, id, &x);
		classes_figures(&b->classes, id, &y);
		assert_int_equal(x.node, y.node);
		assert_int_equal(x.size, y.size);
		assert_int_equal(x.allocations, y.allocations);
		assert_int_equal(x.deallocations, y.deallocations);
		assert_int_equal(x.temporary, y.temporary);
		assert_int_equal(x.peak_live, y.peak_live);
	}
	for (uint32_t id = 1; id <= THREADS; id++)
		assert_memory_equal(account_thread_at(a, id), account_thread_at(b, id),
				    offsetof(struct account_thread, made));
}

static void assert_model(const struct account *account, struct log *log)
{
	const struct classes *classes = &account->classes;

	assert_int_equal(classes->live_bytes, model.live_bytes);
	assert_int_equal(classes->live_blocks, model.live_blocks);
	assert_int_equal(classes->peak_bytes, model.peak_bytes);
	assert_int_equal(classes->peak_blocks, model.peak_blocks);
	assert_int_equal(classes->peak_tick, model.peak_tick);
	assert_int_equal(account->unknown_frees, model.unknown);
	assert_int_equal(account->reallocations, model.reallocations);
	for (uint32_t id = 1; id <= classes->count; id++) {
		uint64_t i = class_in_model(account, id);
		struct class_figures class_;

		classes_figures(classes, id, &class_);
		assert_int_equal(class_.allocations, model.class_[i].allocations);
		assert_int_equal(class_.deallocations, model.class_[i].deallocations);
		assert_int_equal(class_.temporary, model.class_[i].temporary);
		assert_int_equal(class_.peak_live, model.class_[i].peak);
	}
	for (uint32_t id = 1; id <= THREADS; id++)
		assert_memory_equal(account_thread_at(account, id), &model.thread[id],
				    offsetof(struct account_thread, made));
	for (size_t i = 0; i < log->count; i++)
		if (log->event[i].class_id != 0)
			log->event[i].class_id =
			    (uint32_t)class_in_model(account, log->event[i].class_id);
	assert_same_log(log, &model.log);
}

/* --- streams ------------------------------------------------------------------------------------
 */

/* Distinct sizes for each class of a node, or class_in_model() finds the first. */
static uint64_t any_class(void)
{
	uint64_t class_ = SIZES + next_random((uint64_t)NODES * SIZES);

	for (uint64_t i = class_ / SIZES * SIZES;; i++)
		if (size_of(i) == size_of(class_))
			return i;
}

static uint64_t address_at(uint64_t i)
{
	return 0x10000 + i * 48;
}

static void allocate(struct books *books, const struct call *event, uint64_t class_)
{
	add_allocation(books, event, BATCH_ALLOCATION, (uint32_t)(class_ / SIZES), size_of(class_));
	submit_full(books);
}

static void deallocate(struct books *books, const struct call *event)
{
	add_event(books, event, BATCH_DEALLOCATION);
	submit_full(books);
}

/* An allocation and its deallocation, one behind the other, to both books. */
static void churn(struct books *one, struct books *two, const struct call *event,
		  const struct call *gone, uint64_t class_)
{
	struct batch_event *both = add_allocation(one, event, BATCH_TEMPORARY,
						  (uint32_t)(class_ / SIZES), size_of(class_));

	both->freed = gone->time;
	submit_full(one);
	allocate(two, event, class_);
	deallocate(two, gone);
}

/* In the order of time; in some stretches nearly all are temporaries, in others the heap
 * grows, or shrinks. Deallocations of nothing are among them. */
static void in_order(struct books *one, struct books *two)
{
	uint64_t tick = 0;

	for (uint64_t step = 1; step <= STEPS; step++) {
		uint64_t i = next_random(ADDRESSES), class_ = any_class();
		struct call event = {.time = 2 * step,
				     .address = address_at(i),
				     .thread =
					 1 + (uint32_t)next_random(next_random(4) ? 1 : THREADS),
				     .realloc = next_random(8) == 0};
		struct call gone = {.time = 2 * step + next_random(2),
				    .address = event.address,
				    .thread = event.thread};

		tick += next_random(100) == 0;
		set_tick(one, tick);
		set_tick(two, tick);
		if (!model.block[i].live && next_random(3) < step / 20000 % 3) {
			churn(one, two, &event, &gone, class_);
			model_allocate(i, &event, class_, tick);
			model_deallocate(i, &gone, tick);
		} else if (model.block[i].live || next_random(1000) == 0) {
			deallocate(one, &event);
			deallocate(two, &event);
			model_deallocate(i, &event, tick);
		} else {
			allocate(one, &event, class_);
			allocate(two, &event, class_);
			model_allocate(i, &event, class_, tick);
		}
	}
}

static void test_model(void **state)
{
	struct books one, two;
	struct log first, second;

	(void)state;
	memset(&model, 0, sizeof(model));
	open_books(&one, 0, 1);
	open_books(&two, 0, 4);
	in_order(&one, &two);
	close_books(&one, &first);
	close_books(&two, &second);
	assert_same_books(&one.account, &two.account);
	assert_same_log(&first, &second);
	assert_model(&one.account, &first);
	account_release(&one.account);
	account_release(&two.account);
	free(first.event);
	free(second.event);
	free(model.log.event);
}

/* Stamps that step back, blocks allocated where one is live, deallocations that come
 * before their allocations, in some stretches: what the model says nothing about. */
static void test_late(void **state)
{
	struct books one, two;
	struct log first, second;

	(void)state;
	open_books(&one, WAIT, 1);
	open_books(&two, WAIT, 3);
	for (uint64_t step = 1; step <= STEPS; step++) {
		uint64_t class_ = any_class(), late = step / 10000 % 2 ? 0 : 40;
		struct call event = {.time = 1000 + 4 * step - (late ? next_random(late) : 0),
				     .address = address_at(next_random(200)),
				     .thread = 1 + (uint32_t)next_random(THREADS)};
		struct call gone = event;

		set_tick(&one, step / 64);
		set_tick(&two, step / 64);
		gone.time += 1 - (late ? next_random(3) : 0);
		if (next_random(2) != 0) {
			churn(&one, &two, &event, &gone, class_);
		} else if (next_random(2) != 0) {
			allocate(&one, &event, class_);
			allocate(&two, &event, class_);
		} else {
			deallocate(&one, &event);
			deallocate(&two, &event);
		}
		if (step % 100 == 0) {
			submit(&one, event.time);
			submit(&two, event.time);
		}
	}
	close_books(&one, &first);
	close_books(&two, &second);
	assert_same_books(&one.account, &two.account);
	assert_same_log(&first, &second);
	account_release(&one.account);
	account_release(&two.account);
	free(first.event);
	free(second.event);
}

/* Blocks of long ago are told without their number in the trace, young ones with it. */
static void test_old_blocks(void **state)
{
	struct books books;
	struct log log;
	struct call event = {.thread = 1};

	(void)state;
	open_books(&books, 0, 1);
	for (uint64_t i = 0; i < 100; i++) {
		set_tick(&books, 100 * i);
		event.address = address_at(i);
		event.time = 10 + i;
		allocate(&books, &event, SIZES + 1);
	}
	for (uint64_t i = 0; i < 100; i++) {
		event.address = address_at(i);
		event.time = 1000 + i;
		deallocate(&books, &event);
	}
	close_books(&books, &log);
	assert_int_equal(log.count, 200);
	for (uint64_t i = 0; i < 100; i++) {
		assert_int_equal(log.event[100 + i].operation, TRACE_OPERATION_DEALLOCATION);
		assert_int_equal(log.event[100 + i].age_allocations, 99 - i);
		assert_int_equal(log.event[100 + i].age_ticks, 9900 - 100 * i);
	}
	account_release(&books.account);
	free(log.event);
}

/* So many bytes more than are mapped now. */
static void limit_memory(struct rlimit *before, size_t more)
{
	FILE *statm = fopen("/proc/self/statm", "r");
	struct rlimit limit;
	size_t pages = 0;

	assert_non_null(statm);
	assert_int_equal(fscanf(statm, "%zu", &pages), 1);
	fclose(statm);
	assert_int_equal(getrlimit(RLIMIT_AS, before), 0);
	limit = (struct rlimit){pages * 4096 + more, before->rlim_max};
	assert_int_equal(setrlimit(RLIMIT_AS, &limit), 0);
}

/* What there is no memory for is lost, each call for itself. What was counted is given back. */
static void test_no_memory(void **state)
{
	enum { BLOCKS = 300000, MEMORY = 6 << 20 }; /* that would take twice as much */
	struct account_totals totals;
	struct books books;
	struct rlimit before;
	struct call event = {.thread = 1, .address = address_at(0), .time = 10};

	(void)state;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	skip(); /* they take terabytes of address space */
#endif
	open_books(&books, 0, 1);
	trace_writer_free(books.account.writer);
	books.account.writer = NULL;
	allocate(&books, &event, SIZES + 1);
	limit_memory(&before, MEMORY);
	for (uint64_t i = 1; i < BLOCKS; i++) {
		event.address = address_at(i);
		event.time = 10 + i;
		allocate(&books, &event, SIZES + 1 + i % SIZES);
	}
	for (uint64_t i = 1; i < BLOCKS; i++) {
		event.address = address_at(i);
		event.time = 10 + BLOCKS + i;
		deallocate(&books, &event);
	}
	submit(&books, 0);
	assert_int_equal(setrlimit(RLIMIT_AS, &before), 0);
	account_total(&books.account, &totals);
	assert_true(books.account.lost > BLOCKS / 10 && totals.allocations > BLOCKS / 10);
	assert_int_equal(totals.allocations + books.account.lost, BLOCKS);
	assert_int_equal(totals.deallocations, totals.allocations - 1);
	assert_int_equal(books.account.unknown_frees, books.account.lost);
	assert_int_equal(books.account.classes.live_blocks, 1);
	/* Only of the one allocated last. */
	assert_true(totals.temporary <= 1);
	account_release(&books.account);
	crew_release(&books.crew);
	close(books.fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_model), cmocka_unit_test(test_late),
	    cmocka_unit_test(test_old_blocks), cmocka_unit_test(test_no_memory)};
	const char *wanted = getenv("SEED");

	seed = wanted != NULL ? strtoull(wanted, NULL, 0) : (uint64_t)time(NULL) * 2654435761u | 1;
	fprintf(stderr, "SEED=%llu\n", (unsigned long long)seed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
