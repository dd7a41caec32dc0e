/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The recorder and what can become of a process: fork, exec, every way to end,
 * full rings, many threads, full disks, memory that the program scribbled on.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/recorder_run.h"

static struct run run;
static struct recorded trace;

static void put(struct player *player, unsigned ring, unsigned kind, uint64_t address,
		uint32_t node, uint64_t size)
{
	player_put(player, ring, player_now(player), kind,
		   kind == EVENT_FREE ? FUNCTION_FREE : FUNCTION_MALLOC, address, node, size);
	player_publish(player, ring);
}

/* A session with one ring and n blocks of 10 bytes, of which every other one
 * is freed. */
static void play_blocks(struct player *player, struct region *region, unsigned origin,
			uint32_t parent_epoch, unsigned n)
{
	player_open(player, region, origin, parent_epoch);
	player_ring(player);
	for (unsigned i = 0; i < n; i++)
		put(player, 0, EVENT_ALLOC, 0x10000 + i * 16, 0, 10);
	for (unsigned i = 0; i < n; i += 2)
		put(player, 0, EVENT_FREE, 0x10000 + i * 16, 0, 0);
}

static void finish(void)
{
	assert_int_equal(run.recorder_status, 0);
	assert_int_equal(run.first_done, 1);
	run_release(&run);
}

/* --- ends ---------------------------------------------------------------------------- */

static void play_killed(struct region *region, void *context)
{
	static struct player player;

	play_blocks(&player, region, ORIGIN_FIRST, 0, 1000);
	kill(getpid(), *(int *)context);
}

static void test_killed(void **state)
{
	int signals[] = {SIGKILL, SIGSEGV, SIGABRT};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		run_init(&run);
		run_play(&run, play_killed, &signals[i]);
		run_read(&run, &run.first, &trace);
		assert_consistent(&trace);
		assert_int_equal(trace.allocations, 1000);
		assert_int_equal(trace.live_blocks, 500);
		assert_int_equal(trace.end[TRACE_END_HOW], TRACE_ENDING_SIGNALLED);
		assert_int_equal(trace.end[TRACE_END_STATUS], signals[i]);
		finish();
	}
}

static void play_nothing(struct region *region, void *context)
{
	(void)region, (void)context;
	_exit(3);
}

static void test_nothing(void **state)
{
	(void)state;
	run_init(&run);
	run_play(&run, play_nothing, NULL);
	run_read(&run, &run.first, &trace);
	assert_consistent(&trace);
	assert_int_equal(trace.allocations, 0);
	assert_int_equal(trace.end[TRACE_END_STATUS], 3);
	assert_int_equal(run.warnings, 1);
	assert_memory_equal(run.warning, "nothing was recorded", 20);
	finish();
}

static void play_abandons(struct region *region, void *context)
{
	static struct player player;

	play_blocks(&player, region, ORIGIN_FIRST, 0, 100);
	atomic_store(&player.session->state, SESSION_ABANDONED);
	usleep(100000);
	/* Still ours, whatever the recorder has made of it. */
	*(int *)context =
	    player.session->epoch != 0 &&
	    atomic_load(&region_owner(region)[player.rings[0].chunk]) == player.session->epoch;
}

static void test_abandoned(void **state)
{
	int *kept = shared_memory(sizeof(*kept));

	(void)state;
	run_init(&run);
	run_play(&run, play_abandons, kept);
	run_read(&run, &run.first, &trace);
	assert_consistent(&trace);
	assert_int_equal(trace.allocations, 100);
	assert_int_equal(trace.end[TRACE_END_HOW], TRACE_ENDING_ABANDONED);
	assert_int_equal(trace.end[TRACE_END_LOST_ABANDONED], 1);
	assert_true(*kept);
	finish();
}

static void test_recorder_killed(void **state)
{
	int number = SIGKILL;

	(void)state;
	run_init(&run);
	run.kill_recorder = 1;
	run_play(&run, play_killed, &number);
	assert_true(run.recorder_word & FUTEX_OWNER_DIED);
	run_release(&run);
}

/* --- families -------------------------------------------------------------------------- */

static void play_forks(struct region *region, void *context)
{
	static struct player player, child;

	(void)context;
	play_blocks(&player, region, ORIGIN_FIRST, 0, 100);
	for (unsigned i = 0; i < 5; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			player_open(&child, region, ORIGIN_FORK, player.session->epoch);
			player_ring(&child);
			for (unsigned k = 1; k < 100; k += 2) /* the parent's */
				put(&child, 0, EVENT_FREE, 0x10000 + k * 16, 0, 0);
			put(&child, 0, EVENT_ALLOC, 0x10000, 0, 100 + i);
			_exit(10 + (int)i);
		}
		waitpid(pid, NULL, 0);
	}
}

static void test_forks(void **state)
{
	unsigned children = 0;

	(void)state;
	run_init(&run);
	run.options.output = "out-%n.mlg";
	run_play(&run, play_forks, NULL);
	assert_int_equal(run.traces, 6);
	assert_string_equal(run.first.path, "out-play.mlg");
	run_read(&run, &run.first, &trace);
	assert_int_equal(trace.allocations, 100);
	assert_int_equal(trace.deallocations, 50);
	assert_int_equal(trace.meta[TRACE_META_ORIGIN], TRACE_ORIGIN_LAUNCHED);
	for (unsigned i = 0; i < run.reports; i++) {
		if (run.report[i].kind != REPORT_TRACE || run.report[i].first)
			continue;
		children++;
		run_read(&run, &run.report[i], &trace);
		assert_consistent(&trace);
		assert_int_equal(trace.inherited, 50);
		assert_int_equal(trace.unknown, 0);
		assert_int_equal(trace.allocations, 1);
		assert_int_equal(trace.meta[TRACE_META_ORIGIN], TRACE_ORIGIN_FORKED);
		assert_string_equal(trace.parent_trace, "out-play.mlg");
		assert_true(trace.end[TRACE_END_HOW] == TRACE_ENDING_UNKNOWN ||
			    trace.end[TRACE_END_STATUS] == trace.live_bytes - 90);
	}
	assert_int_equal(children, 5);
	finish();
}

static void play_execs(struct region *region, void *context)
{
	static struct player before, after;

	(void)context;
	play_blocks(&before, region, ORIGIN_FIRST, 0, 100);
	/* The threads of the old image are gone after an exec. */
	player_end_thread(&before, 0);
	play_blocks(&after, region, ORIGIN_FIRST, 0, 30);
	_exit(4);
}

static void test_execs(void **state)
{
	const struct report *reports[2];
	unsigned count = 0;

	(void)state;
	run_init(&run);
	run.options.output = "x.mlg";
	run_play(&run, play_execs, NULL);
	for (unsigned i = 0; i < run.reports; i++)
		if (run.report[i].kind == REPORT_TRACE && count < 2)
			reports[count++] = &run.report[i];
	assert_int_equal(count, 2);
	assert_int_equal(run.traces, 2);
	run_read(&run, reports[0], &trace);
	assert_string_equal(reports[0]->path, "x.mlg");
	assert_int_equal(trace.allocations, 100);
	assert_int_equal(trace.end[TRACE_END_HOW], TRACE_ENDING_EXECED);
	run_read(&run, reports[1], &trace);
	assert_string_equal(reports[1]->path, "x.2.mlg");
	assert_int_equal(trace.allocations, 30);
	assert_int_equal(trace.meta[TRACE_META_ORIGIN], TRACE_ORIGIN_EXECED);
	assert_int_equal(trace.end[TRACE_END_HOW], TRACE_ENDING_EXITED);
	assert_int_equal(trace.end[TRACE_END_STATUS], 4);
	finish();
}

/* --- rings and chunks --------------------------------------------------------------------- */

enum { CHURN = 600, FLOOD = 600000 };

static void play_churn(struct region *region, void *context)
{
	static struct player player;

	(void)context;
	player_open(&player, region, ORIGIN_FIRST, 0);
	player_ring(&player);
	for (unsigned i = 0; i < CHURN; i++) {
		unsigned ring = player_ring(&player);

		put(&player, ring, EVENT_ALLOC, 0x10000 + i * 16, 0, 1);
		player_end_thread(&player, ring);
		if (i % 50 == 49)
			usleep(30000);
	}
}

static void test_churn(void **state)
{
	(void)state;
	run_init(&run);
	run_play(&run, play_churn, NULL);
	run_read(&run, &run.first, &trace);
	assert_consistent(&trace);
	assert_int_equal(trace.allocations, CHURN);
	assert_int_equal(trace.threads, CHURN);
	assert_true(run.chunks_used < CHURN / 2);
	assert_true(trace.end[TRACE_END_PEAK_RSS] > 0);
	finish();
}

static void play_flood(struct region *region, void *context)
{
	static struct player player;

	(void)context;
	player_open(&player, region, ORIGIN_FIRST, 0);
	player_ring(&player);
	player_ring(&player);
	for (unsigned i = 0; i < FLOOD; i++) {
		player_put(&player, i & 1, player_now(&player), EVENT_ALLOC, FUNCTION_MALLOC,
			   0x10000 + (uint64_t)i * 16, 0, 8);
		if (i >= 1000)
			player_put(&player, i & 1, player_now(&player), EVENT_FREE, FUNCTION_FREE,
				   0x10000 + (uint64_t)(i - 1000) * 16, 0, 0);
		/* Published only when a ring is full. */
	}
	player_publish(&player, 0);
	player_publish(&player, 1);
}

static void test_flood(void **state)
{
	(void)state;
	run_init(&run);
	run_play(&run, play_flood, NULL);
	run_read(&run, &run.first, &trace);
	assert_consistent(&trace);
	assert_int_equal(trace.allocations, FLOOD);
	assert_int_equal(trace.deallocations, FLOOD - 1000);
	assert_int_equal(trace.unknown, 0);
	finish();
}

/* --- what must not happen --------------------------------------------------------------------- */

/* An allocation far too late: its block has been freed and the address used
 * again meanwhile. And frees of what never was. */
static void play_loose_ends(struct region *region, void *context)
{
	static struct player player;
	uint64_t early;

	(void)context;
	player_open(&player, region, ORIGIN_FIRST, 0);
	player_ring(&player);
	player_ring(&player);
	put(&player, 1, EVENT_ALLOC, 0x90000, 0, 1);
	early = player_now(&player);
	put(&player, 0, EVENT_FREE, 0x50000, 0, 0);
	put(&player, 0, EVENT_ALLOC, 0x50000, 0, 20);
	usleep(30000);
	player_put(&player, 1, early, EVENT_ALLOC, FUNCTION_MALLOC, 0x50000, 0, 10);
	player_publish(&player, 1);
	put(&player, 0, EVENT_FREE, 0x70000, 0, 0);
	put(&player, 0, EVENT_FREE, 0x50000, 0, 0);
}

static void test_loose_ends(void **state)
{
	(void)state;
	run_init(&run);
	run_play(&run, play_loose_ends, NULL);
	run_read(&run, &run.first, &trace);
	assert_consistent(&trace);
	assert_int_equal(trace.allocations, 3);
	assert_int_equal(trace.deallocations, 2);
	assert_int_equal(trace.live_bytes, 1);
	assert_int_equal(trace.unknown, 1);
	finish();
}

static void play_scribbles(struct region *region, void *context)
{
	static struct player player;
	struct player_ring *ring;
	uint32_t node, bad;

	(void)context;
	player_open(&player, region, ORIGIN_FIRST, 0);
	player_module(&player, 0x1000, 0x9000, "", "0123");
	player_module(&player, 0x1000, 0x9000, "/nowhere/libx.so", "4567");
	ring = &player.rings[player_ring(&player)];
	node = player_node(&player, 0, 0x1234, 2, 0);
	put(&player, 0, EVENT_ALLOC, 0x10000, node, 1);
	put(&player, 0, EVENT_ALLOC, 0x20000, 0x7fffffff, 1); /* no such node */
	bad = player_node(&player, node + 100, 0x5678, 0, 0); /* a parent behind */
	put(&player, 0, EVENT_ALLOC, 0x30000, bad, 1);
	bad = player_node(&player, node, 0x5678, 77, 0); /* no such module */
	put(&player, 0, EVENT_ALLOC, 0x40000, bad, 1);
	put(&player, 0, 7, 0x50000, node, 1);                               /* no such kind */
	player_word(&player, 0, EVENT_WORD(EVENT_TIME, 0, 0));              /* no stamp */
	player_word(&player, 0, EVENT_WORD(EVENT_FREE, 0, 5) | EVENT_WIDE); /* no size */
	player_word(&player, 0, 0);
	put(&player, 0, EVENT_ALLOC, 0, node, 1); /* no address */
	player_put(&player, 0, UINT64_MAX, EVENT_ALLOC, FUNCTION_MALLOC, 0x60000, node, 1);
	player_put(&player, 0, 0, EVENT_ALLOC, 63, 0x70000, node, 1);
	put(&player, 0, EVENT_ALLOC, 0x80000, node, UINT64_MAX); /* no such size */
	/* a ring list in a circle, and rings that are none */
	ring->ring->next = ring->chunk;
	atomic_store(&player.session->rings, ring->chunk);
	player_await_look(&player);
	atomic_store(&player.session->rings, 0xfffffff0);
	player.session->module_chunk[1] = 0xffffff;
	atomic_store(&player.session->module_bytes, 0xfffffff0);
	player_await_look(&player);
	/* a head that jumps */
	atomic_store(&ring->ring->head, UINT64_C(1) << 60);
	player_wake(&player);
	player_await_look(&player);
	memset(player.session->module_chunk, 0xff, sizeof(player.session->module_chunk));
	player.session->node_directory = 0xffffffff;
	put(&player, 0, EVENT_ALLOC, 0x90000, node + 1, 1);
}

static void test_scribbles(void **state)
{
	(void)state;
	run_init(&run);
	run_play(&run, play_scribbles, NULL);
	run_read(&run, &run.first, &trace);
	assert_consistent(&trace);
	assert_int_equal(trace.allocations, 7);
	assert_int_equal(trace.modules, 1);
	assert_true(trace.end[TRACE_END_LOST_OTHER] >= 5);
	assert_true(trace.end[TRACE_END_STACKS_UNKNOWN] >= 2);
	finish();
}

static void play_fills_disk(struct region *region, void *context)
{
	static struct player player;
	uint64_t random = 88172645463325252u;

	(void)context;
	player_open(&player, region, ORIGIN_FIRST, 0);
	player_ring(&player);
	for (unsigned i = 0; i < FLOOD; i++) {
		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		player_put(&player, 0, player_now(&player), EVENT_ALLOC, FUNCTION_MALLOC,
			   0x10000 + (uint64_t)i * 16, 0, random % 5000);
	}
	player_publish(&player, 0);
	_exit(5);
}

static void test_disk_full(void **state)
{
	(void)state;
	run_init(&run);
	run.file_limit = 20000;
	run_play(&run, play_fills_disk, NULL);
	assert_true(WIFEXITED(run.status) && WEXITSTATUS(run.status) == 5);
	assert_int_equal(run.warnings, 1);
	assert_int_equal(run.first.allocations, FLOOD);
	assert_int_equal(run.first.lost_other_reason, 0);
	run_read(&run, &run.first, &trace);
	assert_int_equal(trace.state, TRACE_COMPLETE);
	assert_int_equal(trace.end[TRACE_END_ALLOCATIONS], FLOOD);
	assert_true(trace.end[TRACE_END_EVENTS_STOPPED] > 0);
	assert_int_equal(trace.end[TRACE_END_EVENTS_STOPPED_BY], TRACE_STOPPED_BY_DISK);
	assert_true(trace.allocations < FLOOD);
	finish();
}

static void test_max_size(void **state)
{
	(void)state;
	run_init(&run);
	run.options.max_size = 1000;
	run_play(&run, play_fills_disk, NULL);
	assert_int_equal(run.warnings, 1);
	run_read(&run, &run.first, &trace);
	assert_int_equal(trace.state, TRACE_COMPLETE);
	assert_int_equal(trace.end[TRACE_END_ALLOCATIONS], FLOOD);
	assert_true(trace.end[TRACE_END_EVENTS_STOPPED] > 0);
	assert_true(trace.allocations < FLOOD);
	finish();
}

/* --- files ----------------------------------------------------------------------------------- */

static void refused(const char *output, const char *message)
{
	run_init(&run);
	run.options.output = output;
	run_play(&run, play_nothing, NULL);
	assert_int_equal(run.warnings, 1);
	assert_int_equal(run.traces, 0);
	assert_true(strstr(run.warning, message) != NULL);
	assert_true(strstr(run.warning, output) != NULL);
	assert_int_not_equal(run.recorder_status, 0);
	run_release(&run);
}

static void test_files_refused(void **state)
{
	(void)state;
	refused("/dev/null", "not a regular file");
	refused("/tmp", "directory");
	refused("none/x.mlg", "does not exist");
}

static void test_file_replaced(void **state)
{
	char path[128], other[128], expected[128];
	struct stat status;
	FILE *file;

	(void)state;
	run_init(&run);
	snprintf(path, sizeof(path), "%s/a-play-%%.mlg", run.folder);
	snprintf(other, sizeof(other), "%s/other", run.folder);
	file = fopen(other, "w");
	assert_non_null(file);
	fputs("untouched", file);
	fclose(file);
	assert_int_equal(symlink(other, path), 0);
	run.options.output = "a-%n-%%.mlg";
	run_play(&run, play_nothing, NULL);
	assert_string_equal(run.first.path, "a-play-%.mlg");
	assert_int_equal(lstat(path, &status), 0);
	assert_true(S_ISREG(status.st_mode));
	assert_int_equal(status.st_mode & 07777, 0600);
	assert_int_equal(stat(other, &status), 0);
	assert_int_equal(status.st_size, 9);
	run_release(&run);

	run_init(&run);
	run_play(&run, play_nothing, NULL);
	snprintf(expected, sizeof(expected), "mallograph.play.%d.mlg", (int)run.first.pid);
	assert_string_equal(run.first.path, expected);
	finish();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_killed),        cmocka_unit_test(test_nothing),
	    cmocka_unit_test(test_abandoned),     cmocka_unit_test(test_recorder_killed),
	    cmocka_unit_test(test_forks),         cmocka_unit_test(test_execs),
	    cmocka_unit_test(test_churn),         cmocka_unit_test(test_flood),
	    cmocka_unit_test(test_loose_ends),    cmocka_unit_test(test_scribbles),
	    cmocka_unit_test(test_disk_full),     cmocka_unit_test(test_max_size),
	    cmocka_unit_test(test_files_refused), cmocka_unit_test(test_file_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
