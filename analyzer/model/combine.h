/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_COMBINE_H
#define MALLOGRAPH_COMBINE_H

/*
 * Two profiles side by side in one, for a diff: modules, threads, locations, stacks
 * and classes of both, those of base marked (profile_class.base). What of them is the
 * same to a reader is for the lens to say (query/places.h); costs of the two are
 * kept apart by every query. totals are those of fresh; base_totals those of
 * base; fresh and base point to the two. Everything else that can be said of one file only
 * (program, state, end) is fresh's; there are no points, and no path to scan.
 *
 * Fresh's ids stay what they are; base's follow, in order: its class i is
 * fresh->class_count - 1 + i. 0 is shared.
 */

#include "analyzer/model/profile.h"

/* Borrows strings of both, which must outlive it. ERROR_MEMORY, or ERROR_LIMIT
 * when ids of both together do not fit. Free with profile_free(). */
int profile_combine(struct profile **combined, const struct profile *fresh,
		    const struct profile *base);

#endif
