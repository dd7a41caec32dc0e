/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * worst NAME A B: what costs a profiler that remembers stacks most, or as much as it can.
 * Each says how long an operation took, in nanoseconds of wall time, in the file that
 * BENCH_INSIDE names; an operation is a malloc+free pair where nothing else is said.
 *
 *   stacks COUNT PAIRS     COUNT different stacks, 7 to 11 frames, in an order without order
 *   alternate DEPTH PAIRS  two stacks that have only main in common, in turn
 *   contexts DEPTH PAIRS   two coroutines that deep, in turn
 *   walk DEPTH STEPS       calls and returns at random down to DEPTH, a pair at each step
 *   fresh THREADS DEPTH    threads one after another, each a pair at DEPTH and above; a thread
 *   short THREADS 1        threads one after another, a pair each; a thread
 *   storm MICROSECONDS PAIRS  pairs at depth 20, interrupted every so often by a signal
 *                          handler that allocates as well
 *   tight THREADS PAIRS    threads, each its part of the pairs and nothing else
 *   hold THREADS PAIRS     threads that live until the program ends
 *   live BLOCKS CHANGES    so many blocks are live; then one after another, in an order
 *                          without order, gives way to a new one; a block or a change
 *   fork CHILDREN 1        forked children that allocate and exit; a child
 */
#include "tests/bench/inside.h"

#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#define noinline __attribute__((noinline, noclone))
/* Calls that would otherwise be merged into one. */
#define SITE(number) __asm__ volatile("# site %c0" ::"i"(number))

static volatile unsigned frames;

static noinline void pair(size_t bytes)
{
	void *volatile block = malloc(bytes);

	if (block == NULL)
		abort();
	free(block);
	frames++;
}

_Noreturn static void die(const char *what)
{
	perror(what);
	exit(1);
}

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* --- stacks ------------------------------------------------------------------ */

/* Each decimal digit of the number is one of ten calls. */
static noinline void by_digits(unsigned long number, unsigned left)
{
#define CALL(digit)                                                                                \
	case digit:                                                                                \
		by_digits(number / 10, left - 1);                                                  \
		SITE(digit);                                                                       \
		break;
	if (left == 0) {
		pair(24);
		return;
	}
	switch (number % 10) {
		CALL(0)
		CALL(1)
		CALL(2)
		CALL(3)
		CALL(4)
		CALL(5)
		CALL(6)
		CALL(7)
		CALL(8)
		CALL(9)
	}
#undef CALL
	frames++;
}

static unsigned long stacks(unsigned long count, unsigned long pairs)
{
	const unsigned long step = 7368787; /* a prime: visits all */
	unsigned digits = 0;

	for (unsigned long rest = count; rest > 1; rest /= 10)
		digits++;
	for (unsigned long i = 0, at = 0; i < pairs; i++, at = (at + step) % count)
		by_digits(at, digits);
	return pairs;
}

/* --- alternate --------------------------------------------------------------- */

static noinline void one(unsigned left)
{
	if (left > 0)
		one(left - 1);
	else
		pair(40);
	frames++;
}

static noinline void other(unsigned left)
{
	if (left > 0)
		other(left - 1);
	else
		pair(40);
	frames += 2;
}

static unsigned long alternate(unsigned long depth, unsigned long pairs)
{
	for (unsigned long i = 0; i < pairs; i += 2) {
		one((unsigned)depth);
		other((unsigned)depth);
	}
	return pairs;
}

/* --- contexts ---------------------------------------------------------------- */

static ucontext_t here, coroutine[2];
static unsigned long coroutine_depth;

static noinline void yield_for_ever(unsigned left, int self)
{
	if (left > 0)
		yield_for_ever(left - 1, self);
	for (; left == 0;) {
		pair(56);
		swapcontext(&coroutine[self], &here);
	}
	frames++;
}

static void coroutine_start(int self)
{
	yield_for_ever((unsigned)coroutine_depth, self);
}

static void coroutine_make(int number)
{
	const size_t bytes = 1u << 20;
	ucontext_t *context = &coroutine[number];

	getcontext(context);
	context->uc_stack.ss_sp = malloc(bytes);
	context->uc_stack.ss_size = bytes;
	if (context->uc_stack.ss_sp == NULL)
		die("malloc");
	makecontext(context, (void (*)(void))coroutine_start, 1, number);
}

static unsigned long contexts(unsigned long depth, unsigned long pairs)
{
	coroutine_depth = depth;
	coroutine_make(0);
	coroutine_make(1);
	for (unsigned long i = 0; i < pairs; i++)
		swapcontext(&here, &coroutine[i % 2]);
	return pairs;
}

/* --- walk -------------------------------------------------------------------- */

struct walk {
	uint64_t random;
	unsigned long steps;
	unsigned depth, most;
};

/* Returns when the walk goes up, or is over. */
static noinline void walk_on(struct walk *walk)
{
	walk->depth++;
	while (walk->steps > 0) {
		uint64_t random = next_random(&walk->random) >> 20;

		walk->steps--;
		pair(16 + random % 8 * 16);
		if (walk->depth == walk->most || (walk->depth > 2 && random / 8 % 2 == 0))
			break;
		if (random / 16 % 2 == 0) {
			walk_on(walk);
			SITE(0);
		} else {
			walk_on(walk);
			SITE(1);
		}
	}
	walk->depth--;
}

static unsigned long random_walk(unsigned long depth, unsigned long steps)
{
	struct walk walk = {88172645463325252u, steps, 0, (unsigned)depth};

	while (walk.steps > 0)
		walk_on(&walk);
	return steps;
}

/* --- threads ----------------------------------------------------------------- */

static noinline void pair_at_each(unsigned left)
{
	pair(32);
	if (left > 1)
		pair_at_each(left - 1);
	frames++;
}

static void *fresh_thread(void *depth)
{
	pair_at_each((unsigned)(uintptr_t)depth);
	return NULL;
}

static unsigned long fresh(unsigned long threads, unsigned long depth)
{
	for (unsigned long i = 0; i < threads; i++) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, fresh_thread, (void *)(uintptr_t)depth) != 0)
			die("pthread_create");
		pthread_join(thread, NULL);
	}
	return threads;
}

static void *tight_thread(void *pairs)
{
	for (uintptr_t i = 0; i < (uintptr_t)pairs; i++) {
		void *volatile block = malloc(16 + i % 16 * 8);

		if (block == NULL)
			abort();
		free(block); /* pair() would share a counter */
	}
	return NULL;
}

static unsigned long tight(unsigned long count, unsigned long pairs)
{
	pthread_t *threads = calloc(count, sizeof(*threads));

	if (threads == NULL)
		abort();
	for (unsigned long i = 0; i < count; i++)
		if (pthread_create(&threads[i], NULL, tight_thread, (void *)(pairs / count)) != 0)
			die("pthread_create");
	for (unsigned long i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	free(threads);
	return pairs;
}

static unsigned long live(unsigned long count, unsigned long changes)
{
	void **blocks = calloc(count, sizeof(*blocks));
	uint64_t state = 88172645463325252u;

	if (blocks == NULL)
		abort();
	for (unsigned long i = 0; i < count + changes; i++) {
		unsigned long at = i < count ? i : next_random(&state) % count;

		free(blocks[at]);
		blocks[at] = malloc(16 + at % 8 * 8);
		if (blocks[at] == NULL)
			die("malloc");
	}
	return count + changes;
}

static pthread_barrier_t all_allocated;

static void *holding_thread(void *pairs)
{
	for (uintptr_t i = 0; i < (uintptr_t)pairs; i++)
		pair(32);
	pthread_barrier_wait(&all_allocated);
	pause();
	return NULL;
}

static unsigned long hold(unsigned long threads, unsigned long pairs)
{
	pthread_barrier_init(&all_allocated, NULL, (unsigned)threads + 1);
	for (unsigned long i = 0; i < threads; i++) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, holding_thread, (void *)(uintptr_t)pairs) != 0)
			die("pthread_create");
		pthread_detach(thread);
	}
	pthread_barrier_wait(&all_allocated);
	return threads * pairs;
}

/* --- storm ------------------------------------------------------------------- */

struct storm {
	unsigned long microseconds, pairs;
};

/* Of a size that the interrupted code doesn't use: both come from lists of this
 * thread's own, so that malloc may be interrupted by malloc. */
static void on_signal(int number)
{
	(void)number;
	pair(600);
}

static noinline void pairs_at_depth(unsigned left, unsigned long pairs)
{
	if (left > 0)
		pairs_at_depth(left - 1, pairs);
	else
		for (unsigned long i = 0; i < pairs; i++)
			pair(48);
	frames++;
}

static void *storm_thread(void *argument)
{
	const struct storm *what = argument;
	struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1};
	struct itimerspec every = {.it_interval.tv_nsec = (long)what->microseconds * 1000,
				   .it_value.tv_nsec = 1000};
	timer_t timer;

	event._sigev_un._tid = (int)syscall(SYS_gettid);
	pair(600);
	if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0 ||
	    timer_settime(timer, 0, &every, NULL) != 0)
		die("timer");
	pairs_at_depth(17, what->pairs);
	timer_delete(timer);
	return NULL;
}

static unsigned long storm(unsigned long microseconds, unsigned long pairs)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
	struct storm what = {microseconds, pairs};
	pthread_t thread;

	sigaction(SIGUSR1, &action, NULL);
	if (pthread_create(&thread, NULL, storm_thread, &what) != 0)
		die("pthread_create");
	pthread_join(thread, NULL);
	return pairs;
}

/* --- fork -------------------------------------------------------------------- */

static unsigned long fork_children(unsigned long children, unsigned long unused)
{
	(void)unused;
	for (unsigned long i = 0; i < children; i++) {
		pid_t pid = fork();

		if (pid < 0)
			die("fork");
		if (pid == 0) {
			pair(64);
			_exit(0);
		}
		if (waitpid(pid, NULL, 0) != pid)
			die("waitpid");
	}
	return children;
}

/* --- the command line -------------------------------------------------------- */

static const struct {
	const char *name;
	unsigned long (*run)(unsigned long a, unsigned long b); /* gives operations */
} commands[] = {
    {"stacks", stacks},    {"alternate", alternate}, {"contexts", contexts},
    {"walk", random_walk}, {"fresh", fresh},         {"short", fresh},
    {"storm", storm},      {"hold", hold},           {"fork", fork_children},
    {"tight", tight},      {"live", live},
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc == 4 && i < sizeof(commands) / sizeof(commands[0]); i++) {
		unsigned long a = strtoul(argv[2], NULL, 10), b = strtoul(argv[3], NULL, 10), done;
		double start;

		if (strcmp(argv[1], commands[i].name) != 0 || a == 0 || b == 0)
			continue;
		pair(64);
		start = inside_now();
		done = commands[i].run(a, b);
		inside_report((inside_now() - start) / (double)done);
		printf("%s: %lu operations\n", argv[1], done);
		return 0;
	}
	fputs("usage: worst NAME A B; names and numbers are said in worst.c\n", stderr);
	return 2;
}
