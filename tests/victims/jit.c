/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Machine code made at run time, without unwind information: it calls malloc, or a function
 * that does, and is rewritten so that the same return address has another frame. */
#include <sys/mman.h>

#include "expect.h"

#define ROUNDS      400
#define CODE_BYTES  4096
#define BLOCK_BYTES 56

typedef void *function(size_t);

/* Prologues of four bytes each, so that the call stands at the same place, and what
 * undoes them. */
static const struct frame {
	unsigned char prologue[4];
	unsigned char epilogue[5];
} frames[] = {
    {{0x55, 0x48, 0x89, 0xe5}, {0x5d, 0xc3}},                   /* push %rbp; mov %rsp, %rbp */
    {{0x48, 0x83, 0xec, 0x08}, {0x48, 0x83, 0xc4, 0x08, 0xc3}}, /* sub $8, %rsp */
    {{0x48, 0x83, 0xec, 0x58}, {0x48, 0x83, 0xc4, 0x58, 0xc3}}, /* sub $88, %rsp */
};
#define FRAMES (sizeof(frames) / sizeof(frames[0]))

static unsigned char *code;

static void *allocate(size_t size)
{
	free(malloc(size));
	return malloc(size + 1);
}

/* prologue; mov $target, %rax; call *%rax; epilogue */
static function *generate(size_t offset, const struct frame *frame, function *target)
{
	unsigned char *at = code + offset;

	memcpy(at, frame->prologue, 4);
	memcpy(at + 4, (unsigned char[]){0x48, 0xb8}, 2);
	memcpy(at + 6, &target, 8);
	memcpy(at + 14, (unsigned char[]){0xff, 0xd0}, 2);
	memcpy(at + 16, frame->epilogue, 5);
	return (function *)(uintptr_t)at;
}

int main(void)
{
	code = mmap(NULL, CODE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	MUST(code != MAP_FAILED);
	for (unsigned i = 0; i < ROUNDS; i++) {
		function *inner, *outer;

		MUST(!mprotect(code, CODE_BYTES, PROT_READ | PROT_WRITE));
		inner = generate(0, &frames[i % FRAMES], i / 3 % 2 ? malloc : allocate);
		outer = generate(64, &frames[i / FRAMES % FRAMES], inner);
		MUST(!mprotect(code, CODE_BYTES, PROT_READ | PROT_EXEC));
		free(outer(BLOCK_BYTES));
		free(inner(BLOCK_BYTES));
	}
	/* three rounds of six go by way of allocate(), the first ones */
	const uint64_t rounds = ROUNDS / 6 * 3 + (ROUNDS % 6 < 3 ? ROUNDS % 6 : 3);
	const uint64_t blocks = 2 * (ROUNDS + rounds);

	announce(&(struct figures){
	    .allocations = blocks,
	    .deallocations = blocks,
	    .bytes = blocks * BLOCK_BYTES + 2 * rounds,
	    .temporary = blocks,
	    .peak_bytes = BLOCK_BYTES + 1,
	    .peak_blocks = 1,
	});
	return 0;
}
