/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_TUI_H
#define MALLOGRAPH_TUI_H

/* mallograph tui: a trace, or two, browsed in the terminal. */

#include <stddef.h>

#include "analyzer/model/filter.h"
#include "analyzer/model/profile.h"
#include "analyzer/query/lens.h"

struct tui_options {
	const struct profile *fresh, *base;      /* whole ones, resolved; base NULL: no diff */
	const char *path, *base_path;            /* as the user named them */
	const struct filter *filters[2];         /* to begin with: of fresh, of base */
	const struct suppressions *suppressions; /* the rules; they are applied to copies */
	struct lens lens;   /* wrappers, identity, match_similar; its suppressions are not used */
	const char *script; /* keys from this file, on a screen of its own; NULL: the terminal */
	const char *source_dir; /* where source files are looked for; NULL: where they were */
};

/*
 * Returns when the user quits. 0, or an error (formats/error.h) with a line in complaint
 * that says what was wrong; the terminal is as it was in any case. Sets the locale. Ends the
 * process by the signal that asked for it, the terminal as it was. The calling thread's scan_watch
 * is told of what is read before the screen is taken, and is none from then on.
 */
int tui_run(const struct tui_options *options, char *complaint, size_t complaint_bytes);

#endif
