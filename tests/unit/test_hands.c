/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * However many hands work at it, the recorder finds the same: the figures of every class
 * and thread, the peak, and each byte of the trace. On random streams whose events
 * come late, cross threads and shards, and fill several rounds.
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
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/bench/play.h"

static uint64_t first_seed, streams = 200;

struct played {
	struct play_result result;
	char *trace;
	size_t size;
};

static void play_with(const struct capture *capture, unsigned hands, unsigned segments,
		      struct played *played)
{
	struct play_options options = {
	    .codec = TRACE_CODEC_NONE, .hands = hands, .segments = segments};
	int fd = memfd_create("trace", 0);

	assert_true(fd >= 0);
	assert_int_equal(play(capture, &options, fd, &played->result), 0);
	played->size = (size_t)lseek(fd, 0, SEEK_END);
	played->trace = malloc(played->size);
	assert_non_null(played->trace);
	assert_int_equal(pread(fd, played->trace, played->size, 0), played->size);
	close(fd);
}

static void assert_same(const struct played *one, const struct played *many)
{
	struct play_result a = one->result, b = many->result;

	a.seconds = a.cpu_seconds = b.seconds = b.cpu_seconds = 0;
	assert_memory_equal(&a, &b, sizeof(a));
	assert_int_equal(one->size, many->size);
	assert_memory_equal(one->trace, many->trace, one->size);
}

/* What makes the streams hard does happen in them. */
static void assert_hard(const struct play_result *sum)
{
	assert_true(sum->unknown_frees > streams);
	assert_true(sum->bad > streams / 20);
	assert_true(sum->reallocations > streams);
	assert_true(sum->totals.temporary > streams);
	assert_true(sum->rounds > 2 * streams);
}

static void test_random(void **state)
{
	static const unsigned hands[] = {2, 4, 8};
	struct play_result sum = {0};

	(void)state;
	for (uint64_t seed = first_seed; seed < first_seed + streams; seed++) {
		struct capture capture;
		struct played one, many;
		unsigned segments = 1 + (unsigned)(seed / 5 % 4);

		capture_random(&capture, seed);
		play_with(&capture, 1, segments, &one);
		for (size_t i = 0; i < sizeof(hands) / sizeof(hands[0]); i++) {
			play_with(&capture, hands[i], segments, &many);
			assert_same(&one, &many);
			free(many.trace);
		}
		assert_int_equal(one.result.totals.allocations, capture.allocations);
		assert_true(one.result.nodes < capture.node_count);
		sum.unknown_frees += one.result.unknown_frees;
		sum.bad += one.result.bad;
		sum.reallocations += one.result.reallocations;
		sum.totals.temporary += one.result.totals.temporary;
		sum.rounds += one.result.rounds;
		free(one.trace);
		capture_release(&capture);
	}
	assert_hard(&sum);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_random)};
	const char *wanted = getenv("SEED"), *count = getenv("STREAMS");

	first_seed = wanted != NULL ? strtoull(wanted, NULL, 0) : (uint64_t)time(NULL) * 1000;
	if (count != NULL)
		streams = strtoull(count, NULL, 0);
	fprintf(stderr, "SEED=%llu\n", (unsigned long long)first_seed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
