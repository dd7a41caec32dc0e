/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_VIEW_H
#define MALLOGRAPH_VIEW_H

/* What a command looks at: one trace or two, all of it or a part, by a lens. */

#include <stddef.h>
#include <stdint.h>

#include "analyzer/model/filter.h"
#include "analyzer/model/profile.h"
#include "analyzer/query/lens.h"
#include "cli/options.h"

struct view_options {
	const char *path, *base; /* base NULL: no diff */
	struct option_list filters, excludes;
	struct option_list functions; /* --filter-bt-function */
	const char *at;
	uint64_t temporary_threshold;
	int by, identity; /* enum lens_by, lens_identity; -1: not said */
	int similar;
	struct option_list suppression_files, wrappers;
	int no_embedded, no_builtin; /* suppressions */
	const char *sysroot;
	int debuginfod;
	int whole; /* the filters are made, but nothing is selected or combined by them */
};

struct view_side { /* one trace */
	struct profile *whole, *selected;
	struct filter filter;
};

struct view {
	struct view_side fresh, base;
	struct profile *combined;
	const struct profile *profile; /* the one to show (fresh's, of whole ones); NULL: none */
	struct wrappers *wrappers;
	struct suppressions suppressions;
	struct lens lens;
};

/*
 * Loads, resolves, selects and combines. Says on stderr what is wrong with the
 * files or the options. Returns the exit status that the command ends with if all goes
 * well; view->profile is NULL when it can't go on. Close in both cases.
 */
int view_open(struct view *view, const struct view_options *options);
void view_close(struct view *view);

#endif
