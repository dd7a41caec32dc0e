/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_TEXT_H
#define MALLOGRAPH_TEXT_H

/* The text reports of `print` and `info`. Errors of out are for the caller to
 * find (ferror). */

#include <stdio.h>

#include "analyzer/report/report.h"

/* What stands above the sections: which files (base_path NULL: no diff), which program. */
void text_report_head(FILE *out, const struct profile *profile, const char *path,
		      const char *base_path);

/* The sections in their order, then what the trace lacks. Trees of the report may grow
 * (query/tree.h). 0 or ERROR_MEMORY. */
int text_report(FILE *out, struct report *report);

/* What is in the file: program, times, totals, health. plain_bytes: 72704 instead
 * of 72.70K. 0 or ERROR_MEMORY. */
int text_info(FILE *out, const struct profile *profile, const char *path, int plain_bytes);

#endif
