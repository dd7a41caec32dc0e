/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Threads that are cancelled at any instruction of their own, between allocations, or at a
 * cancellation point; their clean-up handlers and destructors free and allocate. No hook is a
 * cancellation point: one that was would leave a block behind, or a lock.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "expect.h"

#define THREADS       400
#define PAIRS_MOST    500 /* of a thread */
#define BLOCK_BYTES   48
#define HELD_BYTES    72
#define CLEANUP_BYTES 24
#define KEY_BYTES     104

static _Atomic uint64_t pairs;
static _Atomic int ready;
static pthread_key_t key;

static void clean_up(void *held)
{
	free(held);
	free(malloc(CLEANUP_BYTES));
}

static void destroy(void *block)
{
	free(block);
	free(malloc(CLEANUP_BYTES));
}

static void compute(void)
{
	for (volatile unsigned i = 0; i < 200; i++)
		continue;
}

static void *run(void *asynchronous)
{
	unsigned made = 0;
	int type;

	MUST(!pthread_setspecific(key, malloc(KEY_BYTES)));
	pthread_cleanup_push(clean_up, malloc(HELD_BYTES));
	atomic_store(&ready, 1);
	for (;;) {
		/* Cancellation is deferred here, unless a hook lets it in. */
		if (made++ < PAIRS_MOST) {
			free(malloc(BLOCK_BYTES));
			atomic_fetch_add(&pairs, 1);
		}
		if (asynchronous == NULL) {
			pthread_testcancel();
			continue;
		}
		MUST(!pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &type));
		compute();
		MUST(!pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &type));
	}
	pthread_cleanup_pop(0);
	return NULL;
}

static void start_and_cancel(unsigned number)
{
	pthread_t thread;
	void *result;

	atomic_store(&ready, 0);
	MUST(!pthread_create(&thread, NULL, run, number % 2 ? &ready : NULL));
	while (!atomic_load(&ready))
		sched_yield();
	for (volatile unsigned i = 0; i < number * 37 % 5000; i++)
		continue;
	MUST(!pthread_cancel(thread));
	MUST(!pthread_join(thread, &result));
	MUST(result == PTHREAD_CANCELED);
}

int main(void)
{
	MUST(!pthread_key_create(&key, destroy));
	for (unsigned i = 0; i < THREADS; i++)
		start_and_cancel(i);
	say("expect base=cancel_once\n"); /* libgcc_s, which the first one loads */
	announce(&(struct figures){
	    .allocations = pairs + THREADS * 4,
	    .deallocations = pairs + THREADS * 4,
	    .bytes = pairs * BLOCK_BYTES + THREADS * (HELD_BYTES + KEY_BYTES + 2 * CLEANUP_BYTES),
	    .temporary = pairs + THREADS * 2,
	    .peak_bytes = UNKNOWN,
	    .peak_blocks = UNKNOWN,
	});
	return 0;
}
