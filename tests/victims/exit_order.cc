/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Everything that runs before main and after it, in the order that it says on its output: each
 * frees what another has allocated, and allocates what the next one frees; the last one leaves a
 * block behind. */
#include <pthread.h>
#include <sched.h>

#include "expect.h"

static const uint64_t STEPS = 12, STEP_BYTES = 48, REMEMBERED_BYTES = 32;

static void *last_block;
static uint64_t steps;

static void step(const char *name)
{
	say(name);
	say("\n");
	free(last_block);
	MUST((last_block = malloc(STEP_BYTES)));
	steps++;
}

__attribute__((constructor(101))) static void first_constructor()
{
	step("constructor 101");
}
__attribute__((constructor)) static void constructor()
{
	step("constructor");
}
__attribute__((destructor)) static void destructor()
{
	step("destructor");
}
__attribute__((destructor(101))) static void last_destructor()
{
	step("destructor 101");
	MUST(steps == STEPS);
}

struct object {
	const char *end;
	object(const char *begin, const char *it) : end(it)
	{
		step(begin);
	}
	~object()
	{
		step(end);
	}
};
static object global("global made", "global gone");
static thread_local object own("thread-local made", "thread-local gone");

static void at_exit_first()
{
	step("atexit, the first");
}
static void at_exit_second()
{
	step("atexit, the second");
}
static void on_exit_last(int, void *)
{
	step("on_exit");
}

int main()
{
	MUST(own.end);
	MUST(!atexit(at_exit_first));
	MUST(!atexit(at_exit_second));
	MUST(!on_exit(on_exit_last, nullptr));
	step("main");
	figures expected = {};

	/* The C++ runtime remembers the thread-local object in a block. */
	expected.allocations = STEPS + 1;
	expected.deallocations = STEPS;
	expected.bytes = STEPS * STEP_BYTES + REMEMBERED_BYTES;
	expected.temporary = STEPS - 2;
	expected.leaked_blocks = 1;
	expected.leaked_bytes = STEP_BYTES;
	expected.peak_bytes = UNKNOWN;
	expected.peak_blocks = UNKNOWN;
	say("expect base=empty_cc\n");
	announce(&expected);
	return 0;
}
