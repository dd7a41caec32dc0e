/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_SITES_LINES_H
#define MALLOGRAPH_SITES_LINES_H

#include "analyzer/query/places.h"
#include "analyzer/query/sites.h"

/*
 * A site of a diff may be a whole function, of which a report can show one line: here that becomes
 * the one whose bytes differ most (leaked, at the peak, requested; then allocations), instead of
 * the first. Of sites that are complete; ERROR_MEMORY or 0. Private to sites.c.
 */
int sites_choose_lines(struct sites *sites, const struct profile *profile,
		       const struct places *places, const struct lens *lens);

#endif
