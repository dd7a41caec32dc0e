/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_NAMES_H
#define MALLOGRAPH_NAMES_H

/* What reports make of function names. All are thread-safe and take any bytes. */

#include <stddef.h>

/*
 * A demangled name with the arguments of its templates left out:
 * "std::vector<int>::at(unsigned long)" becomes "std::vector<>::at(unsigned long)".
 * Operators (operator<, operator<<, operator->), "<lambda(int)>" and Rust's
 * "<T as Trait>" stay what they are. A name whose brackets do not close is
 * left alone from there on.
 *
 * Like snprintf: writes at most size bytes with the NUL, returns the whole
 * length, which is never more than that of name.
 */
size_t name_shorten(char *out, size_t size, const char *name);

/* Global operator new in any form, mangled or not, and malloc and its relatives
 * (the dynamic linker has inlined ones that call those of libc): not who
 * allocates, but how. NULL is none. */
int name_is_allocator(const char *function);

/* main and what starts it: a stack is of no interest beyond. NULL is none. */
int name_ends_stack(const char *function);

/* Behind the last slash. */
const char *name_base(const char *path);

#endif
