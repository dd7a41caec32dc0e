/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_JSON_PARTS_H
#define MALLOGRAPH_JSON_PARTS_H

/* The parts of the report for programs. Private to analyzer/report/json*.c. */

#include "analyzer/report/json.h"
#include "analyzer/report/report.h"

/* {"allocations": 1, ...}; of a diff {"base": {...}, "new": {...}, "difference": {...}} */
void json_cost(struct json *json, const char *key, const struct report *report,
	       const struct cost *cost, const struct cost *base);

/* One frame of a node's location as an object, and a whole stack as an array of them,
 * from frame `first` of node outward. */
void json_frame(struct json *json, const struct profile *profile, uint32_t node, uint32_t frame);
void json_stack(struct json *json, const char *key, const struct profile *profile, uint32_t node,
		uint32_t first);

int json_sections(struct json *json, const struct report *report);
int json_trees(struct json *json, struct report *report);

/* With the errors of timeline_collect(). */
int json_timeline(struct json *json, const struct report *report);
int json_histogram(struct json *json, const struct profile *profile);

#endif
