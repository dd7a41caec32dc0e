/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_LENS_H
#define MALLOGRAPH_LENS_H

/* How a reader looks at a profile: what counts as one place, what is looked
 * through, by what entries are gathered. All zero: as print does by default. */

#include "analyzer/query/suppressions.h"
#include "analyzer/query/wrappers.h"

/* When two frames are the same. In a combined profile names are compared without compiler
 * suffixes and modules and files by their base names (spec.md 3). */
enum lens_identity {
	LENS_LINE = 0, /* module, function, file and line */
	LENS_FUNCTION, /* module and function: default of a diff */
	LENS_ADDRESS   /* module and offset */
};

/* What an entry of a report is. */
enum lens_by {
	LENS_BY_SITE = 0, /* function, file and line of a module */
	LENS_BY_FUNCTION,
	LENS_BY_LINE, /* file and line */
	LENS_BY_FILE,
	LENS_BY_MODULE,
	LENS_BY_THREAD, /* needs profile_select() with SELECT_BY_THREAD */
	LENS_BY_SIZE,
	LENS_BY_ADDRESS
};

struct places;

struct lens {
	enum lens_identity identity;
	enum lens_by by;
	const struct wrappers *wrappers;         /* NULL: the built-in ones */
	const struct suppressions *suppressions; /* applied to this profile; NULL: none */
	int match_similar;                       /* pair leftover stacks of a combined profile */
	/* Of the same profile, or of the whole that it is a part of, and of a lens of the same
	 * identity and wrappers: for who looks more than once. NULL: made anew each time. */
	const struct places *places;
};

#endif
