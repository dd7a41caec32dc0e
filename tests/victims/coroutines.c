/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Coroutines that allocate on stacks of their own: static, malloc'ed and mapped ones, of
 * 8 kB and more, freed or unmapped at once and used again, in another size, by another function.
 */
#include <sys/mman.h>
#include <ucontext.h>

#include "expect.h"

#define ROUNDS      60
#define LIVE        6 /* coroutines at a time */
#define DEPTH       12
#define SMALL_BYTES (8u << 10)
#define LARGE_BYTES (64u << 10)
#define BLOCK_BYTES 40

enum kind { STATIC, MALLOCED, MAPPED, KINDS };

struct coroutine {
	ucontext_t context;
	enum kind kind;
	size_t bytes; /* of its stack */
	char *stack;
};

static struct coroutine coroutine[LIVE];
static ucontext_t scheduler;
static unsigned running;
static char static_stack[LIVE][LARGE_BYTES] __attribute__((aligned(4096)));
static uint64_t stack_blocks, stack_bytes;

static void yield(void)
{
	MUST(!swapcontext(&coroutine[running].context, &scheduler));
}

static void descend(unsigned depth)
{
	void *block = malloc(BLOCK_BYTES);

	if (depth > 1)
		descend(depth - 1);
	else
		yield();
	free(block);
}

static void run_plain(void)
{
	descend(DEPTH);
}

static void run_wide(void)
{
	volatile char room[1500];

	room[0] = 1;
	descend(DEPTH - room[0]);
	free(malloc(BLOCK_BYTES));
}

static void start(unsigned i, unsigned round)
{
	struct coroutine *it = &coroutine[i];

	it->kind = (enum kind)((i + round / 2) % KINDS);
	it->bytes = (i + round) % 2 ? SMALL_BYTES : LARGE_BYTES;
	if (it->kind == STATIC) {
		it->stack = static_stack[i];
	} else if (it->kind == MALLOCED) {
		MUST((it->stack = malloc(it->bytes)));
		stack_blocks++;
		stack_bytes += it->bytes;
	} else {
		it->stack = mmap(NULL, it->bytes, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		MUST(it->stack != MAP_FAILED);
	}
	MUST(!getcontext(&it->context));
	it->context.uc_stack = (stack_t){.ss_sp = it->stack, .ss_size = it->bytes};
	it->context.uc_link = &scheduler;
	makecontext(&it->context, (i ^ round) % 2 ? run_plain : run_wide, 0);
}

static void resume(unsigned i)
{
	running = i;
	MUST(!swapcontext(&scheduler, &coroutine[i].context));
}

static void end(unsigned i)
{
	struct coroutine *it = &coroutine[i];

	resume(i);
	if (it->kind == MALLOCED)
		free(it->stack);
	else if (it->kind == MAPPED)
		MUST(!munmap(it->stack, it->bytes));
}

int main(void)
{
	const uint64_t blocks = (uint64_t)ROUNDS * LIVE * DEPTH;

	for (unsigned round = 0; round < ROUNDS; round++) {
		for (unsigned i = 0; i < LIVE; i++) {
			if (round > 0)
				end(i);
			start(i, round);
			resume(i);
		}
	}
	for (unsigned i = 0; i < LIVE; i++)
		end(i);
	announce(&(struct figures){
	    .allocations = blocks + stack_blocks,
	    .deallocations = blocks + stack_blocks,
	    .bytes = blocks * BLOCK_BYTES + stack_bytes,
	    .temporary = UNKNOWN, /* depends on who runs between */
	    .peak_bytes = UNKNOWN,
	    .peak_blocks = UNKNOWN,
	});
	return 0;
}
