/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_SIMILAR_H
#define MALLOGRAPH_SIMILAR_H

/*
 * Stacks of a diff that only one of the two traces has, paired by likeness: a function was
 * renamed, or one was put between two others.
 *
 * Two stacks are as alike as 2 * C / (A + B), where A and B are their lengths in frames
 * and C counts the frames that they begin with and end with alike; below 1/2 they are not
 * paired. The most alike are paired first, each stack once. Looked at are stacks that
 * begin with the same function, and those whose frames from the second, third or fourth on
 * are the same; of each such group the 16 that allocate most on each side.
 *
 * A pair stands below the site of fresh's stack. So when the two traces are exchanged, stacks
 * keep their partners, but pairs may be below other sites.
 */

#include "analyzer/query/places.h"
#include "analyzer/query/sites.h"

/* steps: by stack, where it ends. into: by stack, its own index; that of a stack that only base has
 * and that was paired becomes that of its partner. same_site: only within a site.
 * ERROR_MEMORY or 0. */
int similar_stacks(const struct profile *profile, const struct places *places,
		   const struct sites *sites, const uint32_t *steps, int same_site, uint32_t *into);

#endif
