/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_PARTS_H
#define MALLOGRAPH_PARTS_H

/* Which class of a selection by thread (profile_class.thread, .whole) an event of the whole
 * profile belongs to. */

#include "analyzer/model/id_table.h"
#include "analyzer/model/profile.h"

struct parts {
	const struct profile *split;
	struct part {
		uint32_t thread, id;
	} * last;            /* by class of the whole: found last; id 0: none yet */
	uint32_t *first;     /* likewise; most classes have no other */
	struct id_table ids; /* of all but the first ones */
};

/* Whether the profile is a selection by thread. */
static inline int parts_are_of(const struct profile *profile)
{
	return profile->class_count > 1 && profile->classes[1].whole != 0;
}

/* With the classes that split has already. ERROR_MEMORY or 0; release in every case. */
int parts_init(struct parts *parts, const struct profile *split);
void parts_release(struct parts *parts);

/* 0: there is none. */
uint32_t parts_find_other(struct parts *parts, uint32_t class_id, uint32_t thread);
static inline uint32_t parts_find(struct parts *parts, const struct trace_event *event)
{
	const struct part *last = &parts->last[event->class_id];

	if (last->id && last->thread == event->allocating_thread)
		return last->id;
	return parts_find_other(parts, event->class_id, event->allocating_thread);
}

/* Class id of split, which was not there before. 0 or ERROR_MEMORY. */
int parts_add(struct parts *parts, uint32_t id);

#endif
