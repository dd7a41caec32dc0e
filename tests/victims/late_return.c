/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * late_return [realloc|zero|delete [quiet|other|alone|handler]]: the main thread, the only one that
 * has recorded anything, gives a block back. Before that call returns (plugin_late_allocator)
 * another thread gets the block, in its first event, and keeps it; time passes; and unless it is
 * quiet, a signal handler of the main thread allocates. other: that one gives it back, in its first
 * event, and the main thread gets it. alone: both have recorded before, and until the call returns
 * the main thread records so much, and only it, that it needs no stamps any more. handler: a signal
 * handler gets the block, and the other thread begins right behind.
 */
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

#include "expect.h"

enum { SMALL = 2000, LARGE = 30000, OTHER = 500, STACK_BYTES = 256 << 10 };
enum { ROUNDS = 40, ROUND = 2000 }; /* of a thread that is alone */

extern void (*held_up)(void);
extern void _ZdlPv(void *p); /* operator delete */
extern void *__libc_malloc(size_t size);
extern void __libc_free(void *p);

static _Atomic int ready, given_back;
static void *_Atomic taken;
static void *block, *behind, *larger, *by_handler;
static const char *how = "realloc";
static int signals = 1, other, alone, handler;

static void take(void)
{
	while (!atomic_load(&given_back))
		;
	if (handler)
		by_handler = malloc(OTHER);
	else
		atomic_store(&taken, malloc(SMALL));
}

static void handle(int number)
{
	(void)number;
	if (handler)
		taken = malloc(SMALL);
	else
		by_handler = malloc(OTHER);
}

static void before_it_returns(void)
{
	const struct timespec some_ticks = {.tv_nsec = 20000000};

	if (handler) {
		raise(SIGUSR1);
		return;
	}
	atomic_store(&given_back, 1);
	while (atomic_load(&taken) == NULL)
		;
	nanosleep(&some_ticks, NULL);
	for (int i = 0; alone && i < ROUNDS; i++) {
		nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
		for (int j = 0; j < ROUND; j++)
			free(malloc(OTHER));
	}
	if (signals)
		raise(SIGUSR1);
}

static void give_back(void)
{
	held_up = before_it_returns;
	if (!strcmp(how, "realloc"))
		MUST(larger = realloc(block, LARGE));
	else if (!strcmp(how, "zero"))
		MUST(realloc(block, 0) == NULL);
	else
		_ZdlPv(block);
	atomic_store(&given_back, 1);
}

static void *run(void *unused)
{
	/* past all hooks: what the libc's allocator takes for a new thread */
	__libc_free(__libc_malloc(OTHER));
	if (alone)
		free(malloc(OTHER));
	atomic_store(&ready, 1);
	while (atomic_load(&ready) != 2)
		;
	if (other)
		give_back();
	else
		take();
	return unused;
}

int main(int argc, char **argv)
{
	pthread_attr_t attributes;
	pthread_t thread;
	unsigned long among;

	if (argc > 1)
		how = argv[1];
	if (argc > 2) {
		signals = handler = !strcmp(argv[2], "handler");
		other = !strcmp(argv[2], "other");
		alone = !strcmp(argv[2], "alone");
	}
	MUST(mallopt(M_ARENA_MAX, 1));
	MUST(signal(SIGUSR1, handle) != SIG_ERR);
	MUST(!pthread_attr_init(&attributes));
	MUST(!pthread_attr_setstacksize(&attributes, STACK_BYTES));
	MUST(!pthread_create(&thread, &attributes, run, NULL));
	while (atomic_load(&ready) != 1)
		;
	MUST(block = malloc(SMALL));
	MUST(behind = malloc(OTHER));
	atomic_store(&ready, 2);
	if (other)
		take();
	else
		give_back();
	pthread_join(thread, NULL);
	MUST(taken == block);
	among = alone ? ROUNDS * ROUND + 1 : 0;
	announce(&(struct figures){
	    .allocations = 4 + (larger != NULL) + signals + among,
	    .deallocations = 1 + among,
	    .bytes = UNKNOWN,
	    .temporary = UNKNOWN,
	    .reallocations = larger != NULL,
	    .leaked_blocks = 3 + (larger != NULL) + signals,
	    .leaked_bytes = thread_block_bytes() + SMALL + OTHER + (larger != NULL ? LARGE : 0) +
			    (signals ? OTHER : 0),
	    .peak_bytes = UNKNOWN,
	    .peak_blocks = UNKNOWN,
	});
	return 0;
}
