/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_EXPORTS_H
#define MALLOGRAPH_EXPORTS_H

/* A view written for other tools: what export does, and -F, -H, -M and --timeline of print. */

#include <stdint.h>

#include "analyzer/report/timeline.h"
#include "cli/options.h"
#include "cli/view.h"

enum export_format { EXPORT_FOLDED, EXPORT_HISTOGRAM, EXPORT_JSON, EXPORT_MASSIF };

struct export_options {      /* as typed */
	int cost;            /* enum cost_kind: of folded stacks */
	const char *percent; /* smaller parts of a snapshot are one; NULL: 1 */
	/* every Nth snapshot has its parts; 0: only the peak; EXPORT_USUAL: as is usual */
	uint64_t detailed;
	int axis;         /* enum timeline_axis */
	uint64_t entries; /* of JSON: in a section at most */
	uint64_t stacks;  /* and below an entry */
	int shorten;      /* leave template arguments out */
	int plain;        /* plain numbers in text */
};

#define EXPORT_USUAL UINT64_MAX

extern const struct option_choice export_costs[]; /* of --flamegraph-cost-type */
extern const struct option_choice export_axes[];  /* of --time-unit */

/* What can't be: -1, or the exit status after a message. view NULL: not known yet. */
int export_check(enum export_format format, const struct export_options *options,
		 const struct view_options *view);

/* Writes to the file, "-" or NULL is stdout, which is not closed. Where that fails, says so. -1, or
 * the exit status. The options must have passed export_check(). */
int export_write(const char *path, enum export_format format, const struct export_options *options,
		 const struct view *view, const struct view_options *inputs);

/* For timeline_report(). usual: EXPORT_USUAL stands for that. */
struct timeline_view export_timeline_view(const struct export_options *options,
					  const struct view *view, unsigned usual);

#endif
