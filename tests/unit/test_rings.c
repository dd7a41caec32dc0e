/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The library's event path and the recorder's in one process, so that -fsanitize=thread sees both
 * ends of what they share: threads of the program (rings_program.c) fill rings and the stack tree
 * while the draining thread and its helpers take out what they say.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "libcollect/recorder/drain.h"
#include "libcollect/recorder/recorder.h"
#include "tests/unit/rings_program.h"

enum { THREADS = 5, HANDS = 3 };

static struct region *region;
static struct shared shared;
static _Atomic uint32_t running;
static struct told told[THREADS];

/* --- the recorder ------------------------------------------------------------------------ */

struct recorder {
	struct clock clock;
	struct module_files files;
	struct crew crew;
	struct account account;
	struct stacks stacks;
	struct drain drain;
};

static void recorder_start(struct recorder *recorder)
{
	struct session *session = &region->session[0];

	clock_start(&recorder->clock, region->clock);
	crew_hire(&recorder->crew, HANDS);
	recorder->stacks.crew = recorder->account.crew = &recorder->crew;
	recorder->account.classes.crew = &recorder->crew;
	recorder->account.stacks = &recorder->stacks;
	recorder->account.with_events = 1;
	recorder->account.writer = trace_writer_new(memfd_create("trace", 0), TRACE_CODEC_NONE, 0);
	assert_non_null(recorder->account.writer);
	ticks_start(&recorder->account.ticks, &recorder->clock, session->opened);
	recorder->stacks.shared = &shared;
	recorder->stacks.session = session;
	recorder->stacks.modules =
	    (struct modules){.shared = &shared, .session = session, .files = &recorder->files};
	recorder->drain = (struct drain){.shared = &shared,
					 .session = session,
					 .epoch = session->epoch,
					 .clock = &recorder->clock,
					 .account = &recorder->account,
					 .stacks = &recorder->stacks};
}

static void recorder_release(struct recorder *recorder)
{
	crew_release(&recorder->crew);
	trace_writer_free(recorder->account.writer);
	account_release(&recorder->account);
	stacks_release(&recorder->stacks);
	drain_release(&recorder->drain);
}

/* --- both -------------------------------------------------------------------------------- */

static void *run_thread(void *argument)
{
	struct told *sum = argument;

	program_thread((unsigned)(sum - told), sum);
	atomic_fetch_sub(&running, 1);
	return NULL;
}

static struct told everything(void)
{
	struct told sum = {0};

	for (unsigned i = 0; i < THREADS; i++) {
		sum.allocations += told[i].allocations;
		sum.deallocations += told[i].deallocations;
		sum.reallocations += told[i].reallocations;
		sum.bytes += told[i].bytes;
	}
	return sum;
}

static void test_rings(void **unused)
{
	static struct recorder recorder;
	pthread_t thread[THREADS];
	struct account_totals totals;
	struct told sum;
	int id;

	(void)unused;
	region = region_create(&id);
	assert_non_null(region);
	shared_open(&shared, region);
	atomic_store(&region->recorder, (uint32_t)gettid());
	assert_int_equal(program_start(region), 0);
	recorder_start(&recorder);
	atomic_store(&running, THREADS);
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, run_thread, &told[i]), 0);
	while (atomic_load(&running) != 0)
		drain_round(&recorder.drain, clock_now(&recorder.clock), 0);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	drain_round(&recorder.drain, clock_now(&recorder.clock), 1);
	account_total(&recorder.account, &totals);
	sum = everything();
	assert_int_equal(totals.allocations, sum.allocations);
	assert_int_equal(totals.deallocations, sum.deallocations);
	assert_int_equal(totals.bytes, sum.bytes);
	assert_int_equal(recorder.account.reallocations, sum.reallocations);
	assert_int_equal(recorder.account.unknown_frees, 0);
	assert_int_equal(recorder.drain.bad + recorder.stacks.bad, 0);
	assert_int_equal(totals.stacks_unknown, 0);
	assert_true(recorder.stacks.node_count > 10000);
	recorder_release(&recorder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_rings)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
