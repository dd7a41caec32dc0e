/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_LOOKUP_H
#define MALLOGRAPH_LOOKUP_H

/*
 * Symbols of loaded files without the loader's lock, which dlsym() would take:
 * a thread that a plugin's constructor waits for must not wait for the thread
 * that is loading the plugin.
 */

#include <link.h>
#include <stddef.h>

/* The function that map itself defines by that name, or NULL; *bytes its size. */
void *lookup_in(const struct link_map *map, const char *name, size_t *bytes);

/* The first one among all loaded files but ours; *where is the file. near is a
 * file that can't be unloaded now, such as the caller's. */
void *lookup_anywhere(const struct link_map *near, const char *name, size_t *bytes,
		      const struct link_map **where);

#endif
