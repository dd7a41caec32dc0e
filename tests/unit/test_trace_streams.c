/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Random streams of events, written and read back: what comes out is what a model says that
 * went in. Each stream follows a short script again and again, so that most of it is
 * guessed, and leaves it now and then. TRACE_STREAMS=N sets how many, TRACE_SEED=N their seed.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <time.h>

#include "tests/unit/trace_sample.h"

enum { EVENTS = 20000, SCRIPT = 40, THREADS = 3 };

static uint64_t random_state;

static uint64_t below(uint64_t end)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (random_state >> 11) % end;
}

struct block {
	uint64_t tick, number, sequence;
	uint32_t class_id, thread;
};

static struct stream {
	struct trace_event expected[EVENTS + 2];
	size_t count, seen;
	struct block live[EVENTS];
	size_t lives;
	uint64_t made[THREADS + 1], sequence, tick;
	uint32_t thread, classes, defined;
} stream;

/* A step: what to do, and a number that says to what. */
struct step {
	unsigned kind;
	uint64_t number;
};

static struct step any_step(void)
{
	struct step step = {(unsigned)below(12), 0};

	step.number = below(8) ? below(6) : below(UINT64_C(1) << below(20));
	return step;
}

static void expect(struct trace_event event)
{
	event.thread = stream.thread;
	event.tick = stream.tick;
	stream.expected[stream.count++] = event;
}

static uint32_t any_class(struct trace_writer *writer, uint64_t number)
{
	/* One that is new, mostly the next. */
	if (number % 16 == 5 && stream.defined < stream.classes) {
		stream.defined += 1 + (stream.defined + 1 < stream.classes && number % 32 == 5);
		return stream.defined;
	}
	if (stream.defined == stream.classes) {
		for (int i = 0; i < 100; i++, stream.classes++)
			assert_int_equal(trace_writer_class(writer, 0, stream.classes, 1), 0);
		stream.defined++;
	}
	return (uint32_t)(number % stream.defined) + 1;
}

static void allocate(struct trace_writer *writer, uint64_t number, int temporary)
{
	uint32_t class_id = any_class(writer, number);
	int realloc = number % 7 == 3;
	struct trace_event event = {.operation = TRACE_OPERATION_ALLOCATION,
				    .realloc = (uint8_t)realloc,
				    .class_id = class_id,
				    .allocating_thread = stream.thread};

	stream.sequence++;
	stream.made[stream.thread]++;
	expect(event);
	if (temporary) {
		event.operation = TRACE_OPERATION_DEALLOCATION;
		event.realloc = 0;
		expect(event);
		assert_int_equal(
		    trace_writer_temporary(writer, stream.tick, stream.thread, class_id, realloc),
		    0);
		return;
	}
	stream.live[stream.lives++] = (struct block){stream.tick, stream.made[stream.thread],
						     stream.sequence, class_id, stream.thread};
	assert_int_equal(
	    trace_writer_allocation(writer, stream.tick, stream.thread, class_id, realloc), 0);
}

static void deallocate(struct trace_writer *writer, size_t which, int realloc, int told)
{
	struct block block = stream.live[which];
	uint64_t age = stream.made[block.thread] - block.number;
	struct trace_deallocation deallocation = {.class_id = block.class_id,
						  .allocating_thread = block.thread,
						  .age_ticks = stream.tick - block.tick,
						  .age_allocations = age,
						  .realloc = realloc,
						  .sequence = told ? block.sequence : 0};

	expect((struct trace_event){.operation = TRACE_OPERATION_DEALLOCATION,
				    .realloc = realloc != 0,
				    .age_allocations = age < 256 ? (uint16_t)age : 256,
				    .class_id = block.class_id,
				    .allocating_thread = block.thread,
				    .age_ticks = deallocation.age_ticks});
	memmove(&stream.live[which], &stream.live[which + 1],
		(--stream.lives - which) * sizeof(block));
	assert_int_equal(
	    trace_writer_deallocation(writer, stream.tick, stream.thread, &deallocation), 0);
}

static void take(struct trace_writer *writer, struct step step)
{
	uint64_t number = step.number;

	if (step.kind < 3) {
		allocate(writer, number, 0);
	} else if (step.kind < 5) {
		allocate(writer, number, 1);
	} else if (step.kind < 8 && stream.lives) {
		/* The youngest, the oldest, or any. */
		size_t back = number < stream.lives ? number : 0;

		deallocate(writer, step.kind == 7 ? back : stream.lives - 1 - back, number % 5 == 4,
			   number % 11 != 7);
	} else if (step.kind == 8) {
		stream.thread = (uint32_t)(number % THREADS) + 1;
	} else if (step.kind == 9) {
		stream.tick += number % 3 ? number % 2 : number;
	} else if (step.kind == 10 && number % 4 == 0) {
		int inherited = number % 8 == 0;

		expect((struct trace_event){.operation = inherited ? TRACE_OPERATION_INHERITED_FREE
								   : TRACE_OPERATION_UNKNOWN_FREE});
		assert_int_equal(
		    trace_writer_unknown_free(writer, stream.tick, stream.thread, inherited), 0);
	} else if (number > 1000) {
		assert_int_equal(trace_writer_flush(writer), 0);
	}
}

static void write_stream(struct trace_writer *writer)
{
	struct step script[SCRIPT];
	uint64_t rarely = 2 + below(200), at = 0;

	memset(&stream, 0, sizeof(stream));
	stream.thread = 1;
	for (uint32_t id = 1; id <= THREADS; id++)
		assert_int_equal(trace_writer_thread(writer, id, id, "t", 1), 0);
	for (size_t i = 0; i < SCRIPT; i++)
		script[i] = any_step();
	while (stream.count < EVENTS) {
		if (below(rarely) == 0)
			take(writer, any_step());
		else
			take(writer, script[at++ % SCRIPT]);
		if (below(5000) == 0)
			script[below(SCRIPT)] = any_step();
	}
	assert_int_equal(trace_writer_flush(writer), 0);
}

static int compare(void *context, const struct trace_event *events, size_t count)
{
	(void)context;
	if (count == 0 || count > stream.count - stream.seen)
		return 98;
	for (size_t i = 0; i < count; i++) {
		const struct trace_event *x = &events[i], *y = &stream.expected[stream.seen++];

		if (x->operation != y->operation || x->realloc != y->realloc ||
		    x->age_allocations != y->age_allocations || x->thread != y->thread ||
		    x->class_id != y->class_id || x->allocating_thread != y->allocating_thread ||
		    x->tick != y->tick || x->age_ticks != y->age_ticks)
			return 99;
	}
	return 0;
}

static void test_streams(void **state)
{
	static const struct trace_visitor visitor = {.events = compare};
	const char *streams = getenv("TRACE_STREAMS"), *wanted = getenv("TRACE_SEED");
	unsigned long rounds = streams ? strtoul(streams, NULL, 0) : 60;
	uint64_t seed = wanted ? strtoull(wanted, NULL, 0)
			       : (uint64_t)time(NULL) * 2654435761u + (uint64_t)getpid();

	(void)state;
	printf("TRACE_SEED=%" PRIu64 " TRACE_STREAMS=%lu\n", seed, rounds);
	random_state = seed | 1;
	for (unsigned long round = 0; round < rounds; round++) {
		int fd = memfd_create("trace", 0);
		struct trace_writer *writer =
		    trace_writer_new(fd, round % 2 ? TRACE_CODEC_ZLIB : TRACE_CODEC_NONE, 0);
		struct trace_reader *reader;
		enum trace_state how;
		char path[64];

		write_stream(writer);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		assert_int_equal(trace_reader_open(&reader, path), 0);
		assert_int_equal(trace_reader_read(reader, &visitor, NULL, &how), 0);
		assert_int_equal(how, TRACE_CUT);
		assert_int_equal(stream.seen, stream.count);
		trace_reader_close(reader);
		trace_writer_free(writer);
		close(fd);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_streams)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
