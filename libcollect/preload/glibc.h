/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_GLIBC_H
#define MALLOGRAPH_GLIBC_H

/*
 * What only glibc has, as references that another libc leaves unbound: a program of musl's
 * that inherits LD_PRELOAD by a raw execve (Go's, say) would not start otherwise. The Makefile
 * includes this page in every file of the library.
 */

#include <dlfcn.h>
#include <stddef.h>

#pragma weak _dl_find_object
#pragma weak dladdr1
extern char __libc_single_threaded __attribute__((weak));
/* The address of the kernel's argument block: above it there are no frames. */
extern void *__libc_stack_end __attribute__((weak));

/* 0: nothing of ours may run, but the hooks that hand calls on. */
static inline int libc_is_glibc(void)
{
	return _dl_find_object != NULL;
}

#endif
