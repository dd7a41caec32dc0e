/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Assembly that calls malloc from frames without unwind information, or with wrong one:
 * a walk through them can't be right, and must not crash or go round in circles.
 */
#include <sys/mman.h>

#include "expect.h"

#define ROUNDS      30
#define BLOCK_BYTES 72
#define PAGE        4096

typedef void *function(size_t size, uintptr_t rbp);

/* Each calls malloc(size), with what it likes in rbp. */
function bare_plain, bare_pushes, bare_frame, bare_clobbers, lying_pushes, lying_clobbers,
    lying_moves;

#define BARE(name, text)  __asm__(".text\n.type " #name ", @function\n" #name ":\n" text)
#define LYING(name, text) BARE(name, ".cfi_startproc\n" text ".cfi_endproc\n")

BARE(bare_plain, "sub $8, %rsp\n"
		 "call malloc@PLT\n"
		 "add $8, %rsp\n"
		 "ret\n");
BARE(bare_pushes, "push %rbp\n"
		  "push %rbx\n"
		  "push %r12\n"
		  "call malloc@PLT\n"
		  "pop %r12\n"
		  "pop %rbx\n"
		  "pop %rbp\n"
		  "ret\n");
BARE(bare_frame, "push %rbp\n"
		 "mov %rsp, %rbp\n"
		 "sub $32, %rsp\n"
		 "call malloc@PLT\n"
		 "leave\n"
		 "ret\n");
BARE(bare_clobbers, "push %rbp\n"
		    "mov %rsi, %rbp\n"
		    "call malloc@PLT\n"
		    "pop %rbp\n"
		    "ret\n");
/* The unwind information is that of a function that does nothing. */
LYING(lying_pushes, "push %rbp\n"
		    "call malloc@PLT\n"
		    "pop %rbp\n"
		    "ret\n");
LYING(lying_clobbers, "push %rbp\n"
		      "push %rsi\n"
		      "push %rsi\n"
		      "mov %rsi, %rbp\n"
		      "call malloc@PLT\n"
		      "add $16, %rsp\n"
		      "pop %rbp\n"
		      "ret\n");
/* Says that its frame is where rbp points to. */
LYING(lying_moves, "push %rbp\n"
		   ".cfi_def_cfa %rbp, 16\n"
		   ".cfi_offset %rbp, -16\n"
		   "mov %rsi, %rbp\n"
		   "call malloc@PLT\n"
		   "pop %rbp\n"
		   ".cfi_def_cfa %rsp, 8\n"
		   "ret\n");

static function *const functions[] = {bare_plain,   bare_pushes,    bare_frame, bare_clobbers,
				      lying_pushes, lying_clobbers, lying_moves};
#define FUNCTIONS (sizeof(functions) / sizeof(functions[0]))

static uint64_t blocks;

static void call_all(uintptr_t rbp, unsigned depth)
{
	for (size_t i = 0; i < FUNCTIONS; i++, blocks++)
		free(functions[i](BLOCK_BYTES, rbp));
	if (depth > 0)
		call_all(rbp, depth - 1);
}

int main(void)
{
	/* a readable page between two that can't be read */
	char *pages = mmap(NULL, 3 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uintptr_t page = (uintptr_t)pages + PAGE, here = (uintptr_t)__builtin_frame_address(0);
	uintptr_t circle[4] = {(uintptr_t)circle, (uintptr_t)main, (uintptr_t)circle};
	const uintptr_t wild[] = {
	    0,
	    1,
	    8,
	    page,
	    page + 1,
	    page + PAGE - 8,
	    page + PAGE - 16,
	    page + PAGE - 1,
	    page - 8,
	    page - 16,
	    page + PAGE,
	    (uintptr_t)circle,
	    here,
	    here - 64,
	    here + 3,
	    (uintptr_t)&blocks,
	    (uintptr_t)main,
	    UINT64_C(0xffffffffff600000), /* vsyscall */
	    UINT64_C(0xffff888000000000), /* the kernel's */
	    UINT64_C(0x00007ffffffffff8),
	    UINT64_C(0x0000800000000000), /* no address at all */
	    UINT64_C(0x4141414141414141),
	    UINTPTR_MAX - 15,
	    UINTPTR_MAX - 7,
	    UINTPTR_MAX,
	};
	const uint64_t all = ROUNDS * FUNCTIONS * (sizeof(wild) / sizeof(wild[0])) * 2;

	MUST(pages != MAP_FAILED && !mprotect((void *)page, PAGE, PROT_READ | PROT_WRITE));
	for (size_t i = 0; i < PAGE / 8; i++)
		((uintptr_t *)page)[i] = i % 2 ? (uintptr_t)main + 1 : page + i * 8 + 16;
	for (unsigned i = 0; i < ROUNDS; i++)
		for (size_t j = 0; j < sizeof(wild) / sizeof(wild[0]); j++)
			call_all(wild[j], 1);
	MUST(blocks == all);
	announce(&(struct figures){
	    .allocations = all,
	    .deallocations = all,
	    .bytes = all * BLOCK_BYTES,
	    .temporary = all,
	    .peak_bytes = BLOCK_BYTES,
	    .peak_blocks = 1,
	});
	return 0;
}
