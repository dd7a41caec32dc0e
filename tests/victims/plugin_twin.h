/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VICTIM_PLUGIN_TWIN_H
#define VICTIM_PLUGIN_TWIN_H

/*
 * Two plugins that are the same byte by byte, but for the size of one frame: where one was
 * unloaded the other finds room, and the same return address means another frame.
 */
#include <stdlib.h>

typedef void *asker(size_t size);

/* Calls ask(size) from a frame of so many bytes: 8 modulo 16, less than 128. */
#define TWIN(name, frame)                                                                          \
	asker name;                                                                                \
	void *twin_call(asker *ask, size_t size);                                                  \
	__asm__(".text\n"                                                                          \
		".globl twin_call\n"                                                               \
		".type twin_call, @function\n"                                                     \
		"twin_call:\n"                                                                     \
		".cfi_startproc\n"                                                                 \
		"sub $" #frame ", %rsp\n"                                                          \
		".cfi_adjust_cfa_offset " #frame "\n"                                              \
		"mov %rdi, %rax\n"                                                                 \
		"mov %rsi, %rdi\n"                                                                 \
		"call *%rax\n"                                                                     \
		"add $" #frame ", %rsp\n"                                                          \
		".cfi_adjust_cfa_offset -" #frame "\n"                                             \
		"ret\n"                                                                            \
		".cfi_endproc\n");                                                                 \
	void *name(size_t size)                                                                    \
	{                                                                                          \
		return malloc(size);                                                               \
	}

#endif
