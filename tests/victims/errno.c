/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Calls that succeed leave errno alone: the first of a thread, those with a new stack
 * and those behind a full ring too. */
#include <errno.h>
#include <malloc.h>
#include <pthread.h>

#include "expect.h"

#define DEPTH       300
#define ROUNDS      100000
#define BLOCK_BYTES 24
#define MARK        1234
#define STACK_BYTES (1 << 20)

#define KEEPS_ERRNO(statement)                                                                     \
	do {                                                                                       \
		errno = MARK;                                                                      \
		statement;                                                                         \
		MUST(errno == MARK);                                                               \
	} while (0)

static void down(int depth)
{
	void *block;

	KEEPS_ERRNO(block = malloc(BLOCK_BYTES));
	if (depth > 1)
		down(depth - 1);
	KEEPS_ERRNO(free(block));
}

static void *run(void *unused)
{
	void *block;

	(void)unused;
	KEEPS_ERRNO(block = calloc(1, BLOCK_BYTES));
	KEEPS_ERRNO(block = realloc(block, BLOCK_BYTES));
	KEEPS_ERRNO(free(block));
	return NULL;
}

int main(void)
{
	pthread_attr_t attributes;
	pthread_t thread;

	errno = 0;
	MUST(!calloc(SIZE_MAX / 2, 4) && errno == ENOMEM); /* memcheck doesn't set it */
	errno = 0;
	MUST(!reallocarray(NULL, SIZE_MAX / 2, 4) && errno == ENOMEM);
	down(DEPTH);
	for (int i = 0; i < ROUNDS; i++) {
		void *block;

		KEEPS_ERRNO(block = malloc(BLOCK_BYTES));
		KEEPS_ERRNO(free(block));
	}
	MUST(!pthread_attr_init(&attributes));
	MUST(!pthread_attr_setstacksize(&attributes, STACK_BYTES));
	MUST(!pthread_create(&thread, &attributes, run, NULL));
	pthread_join(thread, NULL);
	announce(&(struct figures){
	    .allocations = DEPTH + ROUNDS + 2 + 1,
	    .deallocations = DEPTH + ROUNDS + 2,
	    .bytes = (DEPTH + ROUNDS + 2) * BLOCK_BYTES + thread_block_bytes(),
	    .temporary = 1 + ROUNDS + 2, /* of down() the innermost */
	    .reallocations = 1,
	    .leaked_blocks = 1,
	    .leaked_bytes = thread_block_bytes(),
	    .peak_bytes = DEPTH * BLOCK_BYTES,
	    .peak_blocks = DEPTH,
	});
	return 0;
}
