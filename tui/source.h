/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_SOURCE_H
#define MALLOGRAPH_SOURCE_H

/*
 * A source file of a trace, found on this machine, and what its lines cost. The name comes from
 * the trace, and so may be anything; the file's bytes, too. Both are for canvas_text() to mask.
 */

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "analyzer/query/tree_sums.h"

enum { SOURCE_MOST_BYTES = 16 << 20, SOURCE_MOST_LINES = 1 << 20 };

struct source_file {
	char *path; /* where it was found */
	char *text;
	size_t size;
	uint32_t *lines; /* where each begins, and the end of the last; [0] is line 1 */
	size_t line_count;
	int cut; /* there is more of it than is read */
	struct timespec modified;
};

/*
 * Looks below `below` (NULL: nowhere) for the file whose path has most in common with the end of
 * the one in the trace, and then for that itself; folder: from where relative ones go out, may be
 * NULL. ERROR_EMPTY: there is none; ERROR_SYSTEM (errno), ERROR_MEMORY, ERROR_UNSUPPORTED: no
 * regular file. Release in every case.
 */
int source_open(struct source_file *file, const char *name, const char *folder, const char *below);
void source_release(struct source_file *file);

/* What is in front of its end; line: from 1 on, at most line_count. Not terminated. */
const char *source_line(const struct source_file *file, size_t line, size_t *length);

struct source_line_cost {
	uint32_t line;
	uint32_t node, frame; /* one that is there */
	struct tree_sum sum;
};
struct source_costs {
	struct source_line_cost *lines; /* in their order; those that stacks pass through */
	size_t count;
};

/* Of all lines of a file of the trace; of a combined profile of all files of that base name. The
 * lens's identity is not used. ERROR_MEMORY or ERROR_LIMIT; release in every case. */
int source_costs(struct source_costs *costs, const struct profile *profile, const struct lens *lens,
		 const char *name);
void source_costs_release(struct source_costs *costs);
/* NULL: no stack passes through it. */
const struct source_line_cost *source_cost_of(const struct source_costs *costs, size_t line);

#endif
