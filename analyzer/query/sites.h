/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_SITES_H
#define MALLOGRAPH_SITES_H

/*
 * Who allocated: the classes of a profile gathered by stack, and the stacks by
 * site (one function, file and line of a module). The costs of all sites add up
 * to the profile's totals, and so do those of all stacks.
 *
 * Of a combined profile (model/combine.h) every entry has two costs: `cost` is
 * fresh's and `base` is base's. base is all 0 otherwise.
 */

#include <stddef.h>
#include <stdint.h>

#include "analyzer/model/profile.h"
#include "analyzer/query/cost.h"
#include "analyzer/query/lens.h"

struct site_stack {
	struct cost cost, base;
	uint32_t site;
	uint32_t node;    /* where it begins, behind operator new; 0: not known */
	uint32_t frame;   /* the same: of that node's location */
	uint32_t similar; /* lens.match_similar: base's node that it was paired with; or 0 */
};

struct site {
	struct cost cost, base;
	uint32_t node, frame; /* one of its stacks; of fresh where it has one there */
	/* how many frames from there (this one and those it was inlined into) all
	 * stacks of the site have in common; 0 without symbol */
	uint32_t shared_frames;
	uint32_t first_stack, stack_count; /* in sites.stacks */
	uint32_t thread;                   /* LENS_BY_THREAD */
	uint64_t size;                     /* LENS_BY_SIZE */
};

struct sites {
	struct site *sites;
	size_t site_count;
	struct site_stack *stacks; /* those of a site side by side */
	size_t stack_count;
	/* By class id: index in stacks; UINT32_MAX for class 0. Of a combined profile base's
	 * class i is fresh->class_count - 1 + i. */
	uint32_t *stack_of_class;
};

/* LENS_BY_THREAD: in a diff all threads without a name are one site, of whose tids none stands for
 * the others. What it is called ("threads without a name"); NULL: it is another one. */
const char *site_nameless_threads(const struct profile *profile, const struct site *site);

/* lens NULL: all defaults. ERROR_MEMORY, or 0; release in both cases. */
int sites_init(struct sites *sites, const struct profile *profile, const struct lens *lens);
void sites_release(struct sites *sites);

/* Indices of the sites, or of count stacks from first on, that the ordering
 * lists. The caller frees; NULL when out of memory. *found is how many there are. */
uint32_t *sites_sorted(const struct sites *sites, const struct ordering *ordering, size_t *found);
/* The same of no more than `most` of them. */
uint32_t *sites_first(const struct sites *sites, const struct ordering *ordering, size_t most,
		      size_t *found);
uint32_t *sites_sorted_stacks(const struct sites *sites, size_t first, size_t count,
			      const struct ordering *ordering, size_t *found);

#endif
