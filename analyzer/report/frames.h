/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_FRAMES_H
#define MALLOGRAPH_FRAMES_H

/* Frames and stacks as text:
 *
 *	std::vector<>::reserve(unsigned long)
 *	  at /usr/include/c++/12/bits/vector.tcc:79
 *	  in /usr/bin/app
 *	parse
 *	  at parse.c:17            the frame it was inlined into
 */

#include <stdio.h>

#include "analyzer/model/profile.h"

struct frame_printer {
	FILE *out;
	const struct profile *profile;
	int shorten; /* leave template arguments out */
	/* grown as needed, reused from name to name */
	char *name, *escaped;
	size_t name_room, escaped_room;
	int failed; /* out of memory: some name is missing */
};

void frame_printer_init(struct frame_printer *printer, FILE *out, const struct profile *profile,
			int shorten);
void frame_printer_release(struct frame_printer *printer);

/* Any text from a trace, control bytes masked. */
void frame_print_text(struct frame_printer *printer, const char *text);

/* count frames of a node's location, from frame `first` on; indent is in
 * columns. Where the location has no symbol, its address. */
void frame_print(struct frame_printer *printer, unsigned indent, uint32_t node, uint32_t first,
		 uint32_t count);

/* A stack from frame `first` of node outward, up to main where it has one.
 * Nothing for node 0. */
void frame_print_stack(struct frame_printer *printer, unsigned indent, uint32_t node,
		       uint32_t first);

#endif
