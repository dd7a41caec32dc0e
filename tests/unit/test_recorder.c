/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The recorder against a simple model: a play allocates, reallocates and frees
 * at random in several simulated threads; the model beside it keeps a list of
 * blocks and copies everything at each new peak. Every figure must be equal.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/recorder_run.h"

enum { THREADS = 6, NODES = 8, SIZES = 12, ADDRESSES = 700, STEPS = 60000 };
enum { CLASSES = NODES * SIZES * 2 };

struct model_block {
	int live;
	unsigned class_, thread;
	uint64_t number; /* of its thread's allocations */
};

struct model {
	uint64_t seed;
	int with_late;    /* reallocations are published late, and what handlers do */
	int without_time; /* no stamps; one thread */
	unsigned threads;
	struct model_block block[ADDRESSES];
	uint64_t allocations, deallocations, temporary, reallocations, bytes;
	uint64_t live_bytes, live_blocks, peak_bytes, peak_blocks;
	uint64_t class_allocations[CLASSES], class_live[CLASSES], class_peak[CLASSES];
	uint64_t class_temporary[CLASSES];
	uint64_t thread_allocations[THREADS];
	uint32_t node[NODES];
};

static uint64_t next_random(struct model *model)
{
	model->seed ^= model->seed << 13;
	model->seed ^= model->seed >> 7;
	model->seed ^= model->seed << 17;
	return model->seed >> 11;
}

static uint64_t class_size(unsigned class_)
{
	static const uint64_t sizes[SIZES] = {0,
					      1,
					      16,
					      24,
					      32,
					      100,
					      4096,
					      70000,
					      1 << 20,
					      UINT64_C(0xfffffffe),
					      UINT64_C(0xffffffff),
					      UINT64_C(5) << 32};

	return sizes[class_ / 2 % SIZES];
}

static unsigned class_function(unsigned class_)
{
	return class_ % 2 ? FUNCTION_NEW_ARRAY : FUNCTION_CALLOC;
}

static uint64_t address_of(unsigned at)
{
	return UINT64_C(0x500000000000) + (uint64_t)at * 48;
}

/* --- the model -------------------------------------------------------------------- */

static void model_allocate(struct model *model, unsigned at, unsigned class_, unsigned thread)
{
	struct model_block *block = &model->block[at];

	*block = (struct model_block){1, class_, thread, ++model->thread_allocations[thread]};
	model->allocations++;
	model->class_allocations[class_]++;
	model->class_live[class_]++;
	model->bytes += class_size(class_);
	model->live_bytes += class_size(class_);
	model->live_blocks++;
	if (model->live_bytes > model->peak_bytes) {
		model->peak_bytes = model->live_bytes;
		model->peak_blocks = model->live_blocks;
		memcpy(model->class_peak, model->class_live, sizeof(model->class_peak));
	}
}

static void model_free(struct model *model, unsigned at)
{
	struct model_block *block = &model->block[at];

	model->deallocations++;
	if (model->thread_allocations[block->thread] == block->number) {
		model->temporary++;
		model->class_temporary[block->class_]++;
	}
	model->class_live[block->class_]--;
	model->live_bytes -= class_size(block->class_);
	model->live_blocks--;
	block->live = 0;
}

/* --- the play ---------------------------------------------------------------------- */

static uint64_t time_of(const struct player *player, const struct model *model)
{
	return model->without_time ? 0 : player_now(player);
}

static void make_nodes(struct player *player, struct model *model)
{
	uint32_t root = player_node(player, 0, 0x1000, 0, 0);

	for (unsigned i = 0; i < NODES; i++) {
		uint32_t parent = i == 3 ? player_node(player, 0, 0, 0, NODE_INCOMPLETE) : root;

		model->node[i] =
		    player_node(player, parent, 0x2000 + i, 0, i == 5 ? NODE_GUESSED : 0);
	}
}

static void put_allocation(struct player *player, struct model *model, unsigned thread,
			   unsigned kind, unsigned at, unsigned class_)
{
	player_put(player, thread, time_of(player, model), kind, class_function(class_),
		   address_of(at), model->node[class_ / 2 / SIZES], class_size(class_));
}

static void put_free(struct player *player, struct model *model, unsigned thread, unsigned at)
{
	player_put(player, thread, time_of(player, model), EVENT_FREE, FUNCTION_FREE,
		   address_of(at), 0, 0);
}

static unsigned free_address(struct model *model)
{
	unsigned at;

	do {
		at = (unsigned)(next_random(model) % ADDRESSES);
	} while (model->block[at].live);
	return at;
}

static unsigned random_class(struct model *model)
{
	return (unsigned)(next_random(model) % CLASSES);
}

/* A successful realloc; with_late: the old address is taken by another thread
 * before any of it is published. */
static void reallocate(struct player *player, struct model *model, unsigned thread, unsigned at)
{
	unsigned to = next_random(model) % 2 ? at : free_address(model);
	unsigned class_ = random_class(model), other = (thread + 1) % THREADS;
	uint64_t before = time_of(player, model);

	/* The model frees where the recorder must: before the address is reused. */
	model_free(model, at);
	if (model->with_late && to != at) {
		unsigned others = random_class(model);

		put_allocation(player, model, other, EVENT_ALLOC, at, others);
		player_publish(player, other);
		model_allocate(model, at, others, other);
		/* Time for the recorder to take the second one first, now and then. */
		if (next_random(model) % 64 == 0)
			usleep(3000);
	}
	player_put(player, thread, before, EVENT_REALLOC_FREE, FUNCTION_REALLOC, address_of(at), 0,
		   0);
	put_allocation(player, model, thread, EVENT_REALLOC_ALLOC, to, class_);
	player_publish(player, thread);
	model_allocate(model, to, class_, thread);
	model->reallocations++;
}

/* A block that comes and goes in one thread without another event of that thread
 * between; now and then with a block of another thread that came, or came and went, before
 * it goes. */
static void short_lived(struct player *player, struct model *model, unsigned thread)
{
	unsigned at = free_address(model), class_ = random_class(model), second, others;
	unsigned other = (thread + 1) % model->threads, what = next_random(model) % 6;

	put_allocation(player, model, thread, EVENT_ALLOC, at, class_);
	model_allocate(model, at, class_, thread);
	if (what < 3 && model->threads > 1) {
		player_publish(player, thread);
		second = free_address(model);
		others = random_class(model);
		put_allocation(player, model, other, EVENT_ALLOC, second, others);
		player_publish(player, other);
		model_allocate(model, second, others, other);
		if (what < 2) {
			put_free(player, model, what == 0 ? thread : other, second);
			player_publish(player, what == 0 ? thread : other);
			model_free(model, second);
		}
	}
	put_free(player, model, thread, at);
	player_publish(player, thread);
	model_free(model, at);
}

static void play_random(struct region *region, void *context)
{
	struct model *model = context;
	static struct player player;

	player_open(&player, region, ORIGIN_FIRST, 0);
	make_nodes(&player, model);
	for (unsigned i = 0; i < model->threads; i++)
		player_ring(&player);
	for (unsigned step = 0; step < STEPS; step++) {
		unsigned at = (unsigned)(next_random(model) % ADDRESSES);
		unsigned thread = (unsigned)(next_random(model) % model->threads);
		unsigned what = (unsigned)(next_random(model) % 8), class_;

		if (!model->block[at].live && model->live_blocks < ADDRESSES - 10) {
			class_ = random_class(model);
			put_allocation(&player, model, thread, EVENT_ALLOC, at, class_);
			model_allocate(model, at, class_, thread);
		} else if (model->block[at].live && what == 0) {
			reallocate(&player, model, thread, at);
		} else if (what == 1 && model->live_blocks < ADDRESSES - 10) {
			short_lived(&player, model, thread);
		} else if (model->block[at].live) {
			put_free(&player, model, thread, at);
			model_free(model, at);
		}
		player_publish(&player, thread);
	}
	_exit(7);
}

/* --- the comparison -------------------------------------------------------------------- */

static void compare_classes(const struct recorded *trace, const struct model *model)
{
	unsigned found = 0;

	for (uint32_t id = 1; id <= trace->classes; id++) {
		const struct trace_class *class_ = &trace->class_[id];
		const struct trace_class_counters *counters = &trace->class_counters[id];
		unsigned node = (unsigned)(trace->node[class_->node].offset - 0x2000), at;

		for (at = 0; at < CLASSES; at++)
			if (at / 2 / SIZES == node && class_size(at) == class_->size &&
			    class_function(at) == class_->function)
				break;
		assert_true(at < CLASSES);
		found++;
		assert_int_equal(counters->allocations, model->class_allocations[at]);
		assert_int_equal(counters->allocations - counters->deallocations,
				 model->class_live[at]);
		if (!model->with_late) {
			assert_int_equal(counters->peak_live, model->class_peak[at]);
			assert_int_equal(counters->temporary, model->class_temporary[at]);
		}
	}
	assert_int_equal(found, CLASSES);
}

/* With one hand, or several: the model does not change. */
static void random_run(int with_late, int without_time, unsigned hands, uint64_t seed)
{
	struct model *model = shared_memory(sizeof(*model));
	static struct run run;
	static struct recorded trace;

	print_message("seed %llu\n", (unsigned long long)seed);
	model->seed = seed;
	model->with_late = with_late;
	model->without_time = without_time;
	model->threads = without_time ? 1 : THREADS;
	run_init(&run);
	run.options.hands = hands;
	run_play(&run, play_random, model);
	assert_int_equal(run.recorder_status, 0);
	assert_int_equal(run.traces, 1);
	assert_int_equal(run.warnings, 0);
	run_read(&run, &run.first, &trace);
	assert_consistent(&trace);
	assert_int_equal(trace.allocations, model->allocations);
	assert_int_equal(trace.deallocations, model->deallocations);
	assert_int_equal(trace.reallocations, model->reallocations);
	assert_int_equal(trace.end[TRACE_END_BYTES], model->bytes);
	assert_int_equal(trace.live_bytes, model->live_bytes);
	assert_int_equal(trace.live_blocks, model->live_blocks);
	assert_int_equal(trace.unknown, 0);
	assert_int_equal(run.first.lost, 0);
	if (!with_late) {
		assert_int_equal(trace.temporary, model->temporary);
		assert_int_equal(trace.peak_bytes, model->peak_bytes);
		assert_int_equal(trace.peak_blocks, model->peak_blocks);
		assert_int_equal(trace.end[TRACE_END_LATE_EVENTS], 0);
	}
	assert_int_equal(trace.end[TRACE_END_HOW], TRACE_ENDING_EXITED);
	assert_int_equal(trace.end[TRACE_END_STATUS], 7);
	assert_int_equal(trace.threads, model->threads);
	assert_int_equal(trace.nodes, NODES + 2);
	assert_true(trace.end[TRACE_END_STACKS_INCOMPLETE] > 0);
	assert_true(trace.end[TRACE_END_STACKS_GUESSED] > 0);
	assert_true(trace.points > 0);
	compare_classes(&trace, model);
	munmap(model, sizeof(*model));
	run_release(&run);
}

static void test_in_order(void **state)
{
	(void)state;
	random_run(0, 0, 1, 88172645463325252u);
	random_run(0, 0, 4, (uint64_t)time(NULL) | 1);
}

static void test_late(void **state)
{
	(void)state;
	random_run(1, 0, 1, 1234567891u);
	random_run(1, 0, 4, (uint64_t)time(NULL) * 7919 | 1);
}

static void test_without_time(void **state)
{
	(void)state;
	random_run(0, 1, 1, 987654321u);
	random_run(0, 1, 4, (uint64_t)time(NULL) * 104729 | 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_in_order),
	    cmocka_unit_test(test_late),
	    cmocka_unit_test(test_without_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
