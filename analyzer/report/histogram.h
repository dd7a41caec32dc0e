/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_HISTOGRAM_H
#define MALLOGRAPH_HISTOGRAM_H

/*
 * How many allocations there were of each size (-H), as heaptrack_print writes it: lines of
 * "size<TAB>count", every size on its own, smallest first. The counts add up to the profile's
 * allocations. Of a combined profile the count is fresh's less base's, and sizes whose count
 * does not differ are left out.
 */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "analyzer/model/profile.h"

struct histogram_bucket {
	uint64_t size;
	int64_t count; /* never 0 */
};

/* The same lines as data: the caller frees. 0 or ERROR_MEMORY. */
int histogram_collect(struct histogram_bucket **buckets, size_t *count,
		      const struct profile *profile);

/* 0 or ERROR_MEMORY; errors of out are for the caller to find (ferror). */
int histogram_write(FILE *out, const struct profile *profile);

#endif
