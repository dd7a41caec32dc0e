/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_FAIL_ABOVE_H
#define MALLOGRAPH_FAIL_ABOVE_H

/* --fail-above METRIC=N[,...]: budgets that a test in CI may set. */

#include "analyzer/report/report.h"

/* Nothing but checks the text. Returns -1, or STATUS_USAGE after a message. */
int fail_above_check(const char *limits);

/* A line on stderr for each figure above its limit; of a diff, for each that grew
 * by more. Limits are per options->per, as the report's figures are. name: of the
 * trace. Returns STATUS_ABOVE if there was one, otherwise STATUS_OK. */
int fail_above(const char *limits, const struct report *report, const char *name);

#endif
