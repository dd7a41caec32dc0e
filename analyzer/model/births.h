/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_BIRTHS_H
#define MALLOGRAPH_BIRTHS_H

/* What an allocation cannot know when it happens: whether its lifetime will be in
 * range. Private to the model. */

#include "analyzer/model/filter_judge.h"
#include "analyzer/model/profile.h"

struct births;

/* Scans the profile's events. end_tick is when what is never given back ends. Errors: those
 * of profile_scan(). Give *births to births_free() in every case. */
int births_new(struct births **births, const struct profile *profile, const struct ranges *lifetime,
	       uint64_t end_tick);
void births_free(struct births *births);

/* Of the next allocation of its thread, in a second scan: 0 or 1. */
int births_next(struct births *births, uint32_t thread);

#endif
