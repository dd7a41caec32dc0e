/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_LOAD_TRACE_H
#define MALLOGRAPH_LOAD_TRACE_H

/* Puts what a trace says into a profile, thing by thing. Private to the model. */

#include "analyzer/model/id_table.h"
#include "analyzer/model/profile.h"
#include "analyzer/model/recount.h"

struct loader {
	struct profile *profile;
	size_t module_room, node_room, location_room, frame_room, class_room, thread_room,
	    point_room, string_room, argument_room;
	void *larger;     /* an array that grows, on its way */
	const char *path; /* where it comes from; the caller's, kept by loader_init() */
	const struct trace_reader *reader; /* where the trace is read; NULL: none */
	struct id_table locations;
	struct recount recount;
	size_t class_counters; /* how many classes had counters */
	uint64_t last_tick;    /* of the timeline's points */
};

/* An empty profile with placeholders at 0, so that ids are indices.
 * ERROR_MEMORY, or 0; release in both cases. */
int loader_init(struct loader *loader);
/* Takes over a text of rules. ERROR_MEMORY, also for NULL. */
int loader_add_suppressions(struct profile *profile, char *text);
/* Frees the profile too, unless loader->profile was taken away (NULL). */
void loader_release(struct loader *loader);

/* All callbacks; their context is the loader. */
extern const struct trace_visitor loader_visitor;

#endif
