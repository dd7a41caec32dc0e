/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_FILTER_JUDGE_H
#define MALLOGRAPH_FILTER_JUDGE_H

/* A filter made ready for a profile: what holds for whole classes and threads, and the
 * ranges of times. Private to the model. */

#include "analyzer/model/filter.h"
#include "analyzer/model/profile.h"

struct ranges { /* disjoint, in order */
	struct range {
		uint64_t from, length;
	} * list;
	size_t count;
};

static inline int ranges_hold(const struct ranges *ranges, uint64_t value)
{
	for (size_t i = 0; i < ranges->count; i++)
		if (value - ranges->list[i].from < ranges->list[i].length)
			return 1;
	return 0;
}

struct judgement {
	uint8_t *classes, *threads; /* by id: 1 when what is known of it passes */
	struct ranges time, lifetime;
	int timed, lived; /* there are terms of them */
};

/* ERROR_MEMORY or 0, and then maybe a remark on a term that matches nothing.
 * Release in every case. */
int judgement_init(struct judgement *judgement, const struct profile *profile,
		   const struct filter *filter, char *remark, size_t remark_bytes);
void judgement_release(struct judgement *judgement);

/* Whether a number passes all terms of a key that is a range. */
int filter_holds(const struct filter *filter, enum filter_key key, uint64_t value);

#endif
