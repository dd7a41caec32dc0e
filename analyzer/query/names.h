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

/* Text is a part of name, or, where it is qualified, of what name_shorten() or name_bare() leave
 * of it: "vector<>::at" as reports have it, "std::vector::at" as sources think of it. Out of
 * memory only the first is found. */
int name_has(const char *name, const char *text);

/*
 * The name alone: no return type, no arguments, none of templates either, no suffix
 * of a compiler: "void* pool<int>::get(int) const [clone .cold]" becomes "pool::get".
 * out has room for strlen(name) + 1 bytes, as in the next two.
 */
void name_bare(char *out, const char *name);

/*
 * What stays the same when a program is built again: the name without
 * .part.N, .constprop.N, .isra.N, .cold, .lto_priv.N and their like in any
 * chain, " [clone ...]", Rust's ::h<16 hex digits>, "@@GLIBC_2.2.5"; and without the
 * numbers of lambdas, closures and other nameless things.
 */
void name_comparable(char *out, const char *name);

/*
 * The file's name without folders and without a version: libfoo.so.1.2.3, libfoo.so.2 and
 * libfoo-1.2.so are all libfoo.so. Who updates a library wants to see what that
 * changed; that a program uses two versions of one library at once is rare, and they are
 * then taken together.
 */
void module_comparable(char *out, const char *path);

/* main and what starts it: a stack is of no interest beyond. NULL is none. */
int name_ends_stack(const char *function);

/* Behind the last slash. */
const char *name_base(const char *path);

#endif
