/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_WRAPPERS_H
#define MALLOGRAPH_WRAPPERS_H

/*
 * Functions that allocate for their caller: the entry of a report names the
 * caller. A built-in list (operator new in all forms, malloc and its relatives,
 * strdup, g_malloc, xmalloc, std allocators ...; documented in
 * mallograph-print(1)) and what the user adds. Only frames that a stack begins with
 * are looked through.
 */

#include <stddef.h>

struct wrappers;

/* With the built-in list, or empty. NULL when out of memory. */
struct wrappers *wrappers_new(int builtin);
/* A pattern, '*' for any text, against the name alone (name_bare(): no arguments, no return
 * type, no template arguments): "my_alloc", "pool::*::allocate". ERROR_MEMORY or 0. */
int wrappers_add(struct wrappers *wrappers, const char *pattern);
void wrappers_free(struct wrappers *wrappers);

/* function may be NULL; wrappers NULL: the built-in list. Thread-safe. */
int wrappers_match(const struct wrappers *wrappers, const char *function);

/* The built-in list, for those who document it: ends with a group whose title is NULL;
 * the patterns of each end with NULL. */
struct wrapper_group {
	const char *title;
	const char *const *patterns;
};
extern const struct wrapper_group wrapper_groups[];

#endif
