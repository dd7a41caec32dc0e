/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_JSON_REPORT_H
#define MALLOGRAPH_JSON_REPORT_H

/*
 * The report for programs: docs/json.md says what is in it. The same figures as
 * the text, exact. JSON_SCHEMA grows when something that was there changes its
 * meaning or goes away, not when something is added.
 */

#include <stdio.h>

#include "analyzer/report/report.h"

#define JSON_SCHEMA 1

/* path, base_path (NULL: no diff): as the user named them. 0 or ERROR_MEMORY;
 * errors of out are for the caller to find (ferror). */
int json_report(FILE *out, struct report *report, const char *path, const char *base_path);

#endif
