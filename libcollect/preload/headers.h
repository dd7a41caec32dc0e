/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_HEADERS_H
#define MALLOGRAPH_HEADERS_H

#include <dlfcn.h>
#include <link.h>
#include <stdint.h>

/*
 * The program headers of a loaded file, in mapped memory; NULL: they are not to be found. What
 * _dl_find_object() found is a whole file; or one segment of the program, where that was not
 * mapped in one piece. Takes no lock.
 */
const ElfW(Phdr) * program_headers(const struct dl_find_object *found, unsigned *count);
/* Whether [from, to) lies in a segment of that file. */
int segment_holds(const struct dl_find_object *found, const ElfW(Phdr) * segment, uintptr_t from,
		  uintptr_t to);

#endif
