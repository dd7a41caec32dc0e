/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_PICTURE_H
#define MALLOGRAPH_PICTURE_H

/*
 * What all views show: the part of the trace that the filter selects (of a diff, of both),
 * and what is made of it once for all views.
 */

#include "analyzer/model/filter.h"
#include "analyzer/model/profile.h"
#include "analyzer/query/lens.h"
#include "analyzer/query/sites.h"
#include "tui/tui.h"

struct picture {
	const struct profile *profile; /* the one to show */
	struct lens lens;              /* to look at it by */
	struct filter filters[2];      /* what was selected: of fresh, of base */
	struct profile *selected[2], *combined;
	struct suppressions suppressions;
	struct sites *sites; /* by what was asked for last; NULL: forgotten */
	enum lens_by sites_by;
};

/* Takes the filters, which it leaves empty. flags: enum select_flag. Scans the events unless all
 * filters are empty and flags are 0. *picture is NULL on an error; complaint may then say why, and
 * on success it may be a remark. */
int picture_new(struct picture **picture, const struct tui_options *options,
		struct filter filters[2], unsigned flags, char *complaint, size_t complaint_bytes);
void picture_free(struct picture *picture);

/* They are kept until others are asked for or they are forgotten: for a refresh (view.h). NULL: out
 * of memory. LENS_BY_THREAD needs a picture by thread. */
const struct sites *picture_sites(struct picture *picture, enum lens_by by);
/* They take as much as all else together: who makes something large without them lets them go. */
void picture_forget_sites(struct picture *picture);

/* A copy for the caller to release. 0 or ERROR_MEMORY. */
int filter_copy(struct filter *copy, const struct filter *filter);

#endif
