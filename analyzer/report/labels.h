/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_LABELS_H
#define MALLOGRAPH_LABELS_H

/* Frames in one line each, for files that other tools read: "function (file.c)",
 * "function (file.c:12)", "libfoo.so.1+0x1234 (in /usr/lib/libfoo.so.1)". */

#include <stdio.h>

#include "analyzer/report/frames.h"

enum label_style {
	LABEL_FILE, /* behind the name its source file's, where it is known */
	LABEL_LINE  /* that and the line; otherwise the module's path */
};

struct label_maker {
	struct frame_printer printer;
	FILE *stream;
	char *text;
	size_t size;
};

/* ERROR_MEMORY, or 0; release in both cases. */
int label_maker_init(struct label_maker *maker, const struct profile *profile, int shorten);
void label_maker_release(struct label_maker *maker);

/* Control bytes are masked (text_escape). The caller may write to the text; it
 * lives until the next call. Empty when out of memory: release tells by printer.failed. */
char *label_make(struct label_maker *maker, uint32_t node, uint32_t frame, enum label_style style);

/* Each byte `from` becomes `to`. */
void label_replace(char *label, char from, char to);

#endif
