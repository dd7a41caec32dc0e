/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_NEXT_H
#define MALLOGRAPH_NEXT_H

/* The functions behind our hooks: what the program would have called without us. */

#include <dlfcn.h>
#include <stdatomic.h>
#include <stddef.h>

struct next {
	const char *name;
	void *_Atomic function;
};

/* Looked up once, which takes the loader's lock: see prepare.h. */
static inline void *next_function(struct next *next)
{
	void *function = atomic_load_explicit(&next->function, memory_order_relaxed);

	if (__builtin_expect(function == NULL, 0)) {
		function = dlsym(RTLD_NEXT, next->name);
		atomic_store_explicit(&next->function, function, memory_order_relaxed);
	}
	return function;
}

/*
 * Exports a function NAME that gives its arguments to FIND, and then jumps to the function which
 * that returns, with registers and stack as they came: for those that look for their caller by the
 * return address (dlopen), or don't return on the stack they were called on (a clone by syscall).
 * Not in C, where whether a call becomes a jump is the compiler's choice. Arguments are up to six
 * words.
 */
#define EXPORT_JUMP(name, find)                                                                    \
	__asm__(".pushsection .text\n\t"                                                           \
		".globl " #name "\n\t"                                                             \
		".type " #name ", @function\n" #name ":\n\t"                                       \
		".cfi_startproc\n\t"                                                               \
		"endbr64\n\t"                                                                      \
		"subq $56, %rsp\n\t"                                                               \
		".cfi_adjust_cfa_offset 56\n\t"                                                    \
		"movq %rdi, (%rsp)\n\t"                                                            \
		"movq %rsi, 8(%rsp)\n\t"                                                           \
		"movq %rdx, 16(%rsp)\n\t"                                                          \
		"movq %rcx, 24(%rsp)\n\t"                                                          \
		"movq %r8, 32(%rsp)\n\t"                                                           \
		"movq %r9, 40(%rsp)\n\t"                                                           \
		"call " #find "\n\t"                                                               \
		"movq (%rsp), %rdi\n\t"                                                            \
		"movq 8(%rsp), %rsi\n\t"                                                           \
		"movq 16(%rsp), %rdx\n\t"                                                          \
		"movq 24(%rsp), %rcx\n\t"                                                          \
		"movq 32(%rsp), %r8\n\t"                                                           \
		"movq 40(%rsp), %r9\n\t"                                                           \
		"addq $56, %rsp\n\t"                                                               \
		".cfi_adjust_cfa_offset -56\n\t"                                                   \
		"jmpq *%rax\n\t"                                                                   \
		".cfi_endproc\n\t"                                                                 \
		".size " #name ", . - " #name "\n\t"                                               \
		".popsection")
#define JUMP_FINDS static __attribute__((used))

#endif
