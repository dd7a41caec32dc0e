/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_RECORD_SUMMARY_H
#define MALLOGRAPH_RECORD_SUMMARY_H

#include "libcollect/recorder/launch.h"

/* What record says on stderr at the end: the first process, then a line for each
 * other one, largest peak first. quiet leaves only what went wrong. name is
 * the program as the user typed it. */
void record_summary(struct launch *launch, const char *name, int quiet);

#endif
