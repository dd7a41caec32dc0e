/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_NEWEST_H
#define MALLOGRAPH_NEWEST_H

/* The trace that is meant where none is named. */

#include "cli/input.h"

#define NEWEST_PATTERN "mallograph.*.mlg"

enum newest {
	NEWEST_NONE = 0,
	NEWEST_TRACE, /* the newest file */
	NEWEST_FIRST  /* another: that of the newest run's first process */
};

/* Among the traces in the current folder that of the newest run's first process, the one that
 * record's `next:` named; where no trace tells, the newest file. name has INPUT_NAME_BYTES. */
enum newest newest_find(char *name);

#endif
