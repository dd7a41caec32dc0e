/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Coroutines whose stacks lie right below their thread's own, in one piece of memory without a
 * guard page: they look like more of it, until a part is unmapped.
 */
#include <pthread.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "expect.h"

#define OWN_BYTES   (256 << 10)
#define SMALL_BYTES (32 << 10)
#define BELOW_BYTES (3 * SMALL_BYTES)
#define PAGE_BYTES  4096
#define SHALLOW     300
#define TIMES       500
#define BLOCK_BYTES 24

static char *memory;
static ucontext_t thread_context, coroutine;
static volatile unsigned depth;
static volatile char *frame, *frame_below;
static volatile uint64_t blocks;

static __attribute__((noinline)) unsigned descend(unsigned left)
{
	volatile char room[24];

	room[0] = 0;
	frame = frame_below;
	frame_below = room;
	if (left > 0)
		return descend(left - 1) + (unsigned)room[0];
	free(malloc(BLOCK_BYTES));
	blocks = blocks + 1;
	return 0;
}

static void body(void)
{
	descend(depth);
}

static void run(size_t bytes, size_t frames)
{
	depth = (unsigned)frames;
	MUST(!getcontext(&coroutine));
	coroutine.uc_stack.ss_sp = memory;
	coroutine.uc_stack.ss_size = bytes;
	coroutine.uc_link = &thread_context;
	makecontext(&coroutine, body, 0);
	MUST(!swapcontext(&thread_context, &coroutine));
}

static void *thread_main(void *first)
{
	size_t bytes, gap = PAGE_BYTES;

	if (first == NULL)
		descend(10);
	run(BELOW_BYTES, 1);
	/* A coroutine with so many frames more, on a stack that much larger, has its innermost
	 * where those of a smaller one will be. */
	bytes = (size_t)(frame - frame_below);
	while (gap % bytes != 0 || gap < SMALL_BYTES / 4)
		gap += PAGE_BYTES;
	MUST(gap <= BELOW_BYTES - SMALL_BYTES);
	for (unsigned i = 0; i < 8; i++)
		run(SMALL_BYTES + gap, SHALLOW + gap / bytes + i);
	MUST(!munmap(memory + SMALL_BYTES, BELOW_BYTES - SMALL_BYTES));
	for (unsigned i = 0; i < TIMES; i++)
		run(SMALL_BYTES, SHALLOW + i % 8);
	return NULL;
}

int main(void)
{
	/* The second thread's first block is a coroutine's. */
	for (int round = 0; round < 2; round++) {
		pthread_attr_t attributes;
		pthread_t thread;

		memory = mmap(NULL, BELOW_BYTES + OWN_BYTES, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		MUST(memory != MAP_FAILED);
		MUST(!pthread_attr_init(&attributes));
		MUST(!pthread_attr_setstack(&attributes, memory + BELOW_BYTES, OWN_BYTES));
		MUST(!pthread_create(&thread, &attributes, thread_main, round ? memory : NULL));
		MUST(!pthread_join(thread, NULL));
	}
	MUST(blocks == 2 * (9 + TIMES) + 1);
	/* A thread on a stack of its own program has its dtv allocated, and freed at its end. */
	announce(&(struct figures){
	    .allocations = blocks + 2,
	    .deallocations = blocks + 2,
	    .bytes = UNKNOWN,
	    .temporary = UNKNOWN,
	    .peak_bytes = UNKNOWN,
	    .peak_blocks = UNKNOWN,
	});
	return 0;
}
