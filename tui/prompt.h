/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_PROMPT_H
#define MALLOGRAPH_PROMPT_H

/* A line that the user types, in place of the status line. */

#include <stddef.h>

#include "tui/canvas.h"
#include "tui/key.h"

struct tui;

enum { PROMPT_BYTES = 512, PROMPT_LAST = 4 };

struct prompt_kind {
	const char *label; /* "search: " */
	/* The line was finished; it may be empty. */
	void (*done)(struct tui *tui, const char *text);
	/* The text with more behind it, in a buffer of PROMPT_BYTES: the next that is possible (n
	 * is how often Tab was hit). 0: there is none. NULL: nothing is completed. */
	int (*complete)(struct tui *tui, const char *text, unsigned n, char *completed);
};

struct prompt {
	const struct prompt_kind *kind; /* NULL: there is none */
	char text[PROMPT_BYTES];        /* UTF-8 */
	size_t length, cursor;          /* bytes */
	char typed[PROMPT_BYTES];       /* what is completed */
	unsigned tabs;                  /* in a row */
	/* what was typed last, by kind: Up brings it back */
	struct {
		const struct prompt_kind *kind;
		char text[PROMPT_BYTES];
	} last[PROMPT_LAST];
};

void prompt_begin(struct prompt *prompt, const struct prompt_kind *kind, const char *text);
void prompt_key(struct tui *tui, struct prompt *prompt, uint32_t key);
void prompt_draw(const struct prompt *prompt, const struct canvas *canvas, int row);

#endif
