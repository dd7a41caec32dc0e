/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Handlers that allocate on alternate stacks from little more than the kernel's own frame takes up
 * to 8 KiB, with a page behind each that can't be touched; in threads whose first allocation it is,
 * and in others.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>

#include "expect.h"

#define ROOM_LEAST  1536u /* beyond the kernel's frame: malloc's own frames, and ours */
#define MOST        8192u
#define STEP        256u
#define PAGE        4096u
#define BLOCKS      20
#define BLOCK_BYTES 40

static void handle(int number)
{
	(void)number;
	for (unsigned i = 0; i < BLOCKS; i++)
		free(malloc(BLOCK_BYTES));
}

struct trial {
	size_t bytes;
	int first; /* the handler's is the thread's first allocation */
};

static void *run(void *argument)
{
	const struct trial *trial = argument;
	char *map = mmap(NULL, 4 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	stack_t stack = {.ss_sp = map + PAGE, .ss_size = trial->bytes};
	stack_t none = {.ss_flags = SS_DISABLE};

	MUST(map != MAP_FAILED && !mprotect(map + PAGE, 3 * PAGE, PROT_READ | PROT_WRITE));
	if (!trial->first)
		free(malloc(BLOCK_BYTES));
	MUST(!sigaltstack(&stack, NULL));
	raise(SIGUSR1);
	raise(SIGUSR1);
	MUST(!sigaltstack(&none, NULL) && !munmap(map, 4 * PAGE));
	return NULL;
}

int main(void)
{
	struct sigaction action = {.sa_handler = handle, .sa_flags = SA_ONSTACK};
	const size_t least = (size_t)sysconf(_SC_MINSIGSTKSZ) + ROOM_LEAST;
	uint64_t trials = 0, pairs;

	MUST(!sigaction(SIGUSR1, &action, NULL));
	for (size_t bytes = least; bytes <= MOST; bytes += STEP) {
		for (int first = 0; first < 2; first++, trials++) {
			struct trial trial = {bytes, first};
			pthread_t thread;

			MUST(!pthread_create(&thread, NULL, run, &trial));
			MUST(!pthread_join(thread, NULL));
		}
	}
	MUST(trials > 0);
	pairs = trials * 2 * BLOCKS + trials / 2;
	announce(&(struct figures){
	    .allocations = pairs + 1,
	    .deallocations = pairs,
	    .bytes = pairs * BLOCK_BYTES + thread_block_bytes(),
	    .temporary = pairs,
	    .leaked_blocks = 1,
	    .leaked_bytes = thread_block_bytes(),
	    .peak_bytes = BLOCK_BYTES + thread_block_bytes(),
	    .peak_blocks = 2,
	});
	return 0;
}
