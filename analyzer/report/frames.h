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

/* What a node stands for that is no address: "[deeper frames cut]"; NULL: it is one. */
const char *frame_mark(uint32_t node, unsigned flags);
/* The address in the file, as addr2line and objdump take it; that of the process where
 * it is not known where the module lay. */
uint64_t frame_address(const struct profile *profile, const struct profile_location *location);
/* main and what starts it: what lies beyond is not shown. */
int frame_ends_stack(const struct profile *profile, uint32_t node);

/* Any text from a trace, control bytes masked. */
void frame_print_text(struct frame_printer *printer, const char *text);

/* count frames of a node's location, from frame `first` on; indent is in
 * columns. Where the location has no symbol, its address. */
void frame_print(struct frame_printer *printer, unsigned indent, uint32_t node, uint32_t first,
		 uint32_t count);

/* One thing of a frame, on a line of its own, "??" where it is not known: its function with
 * the module below, "file:line", the file, the module's path; or that address
 * in the module, as addr2line takes it. */
enum frame_part { FRAME_FUNCTION, FRAME_LINE, FRAME_FILE, FRAME_MODULE, FRAME_ADDRESS };
void frame_print_part(struct frame_printer *printer, uint32_t node, uint32_t frame,
		      enum frame_part part);

/* Without an end of line, for tables: the function; and where it is, " (app.c:20)" or
 * " (libfoo.so)", or nothing where that is not known. */
void frame_print_name(struct frame_printer *printer, uint32_t node, uint32_t frame);
void frame_print_where(struct frame_printer *printer, uint32_t node, uint32_t frame);

/* A stack from frame `first` of node outward, up to main where it has one.
 * Nothing for node 0. */
void frame_print_stack(struct frame_printer *printer, unsigned indent, uint32_t node,
		       uint32_t first);

#endif
