/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_STEPS_H
#define MALLOGRAPH_STEPS_H

/* For places.c: the tree of steps. */

#include "analyzer/query/places.h"

/* Fills places->steps and places->step from places->place, whose ids are below place_limit.
 * ERROR_MEMORY or ERROR_LIMIT. */
int steps_build(struct places *places, const struct profile *profile, enum lens_identity identity,
		size_t place_limit);

#endif
