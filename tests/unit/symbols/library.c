/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A shared library: exported names, a hidden one, an alias, bare assembly without a size. */
#include <stdlib.h>

__asm__(".text\n"
	".globl library_unsized\n"
	".type library_unsized, @function\n"
	"library_unsized:\n"
	"\txorl %eax, %eax\n"
	"\tnop\n\tnop\n\tnop\n\tnop\n"
	"\tret\n");

__attribute__((noinline)) static void *hidden_allocate(size_t bytes)
{
	void *block = malloc(bytes + 1);
	if (!block)
		abort();
	return block;
}

void *library_allocate(size_t bytes);
void *library_allocate(size_t bytes)
{
	char *block = hidden_allocate(bytes);
	block[bytes] = 1;
	return block;
}

void library_release(void *block);
void library_release(void *block)
{
	free(block);
}

void __library_release(void *block) __attribute__((alias("library_release")));
