/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_RECORD_OPTIONS_H
#define MALLOGRAPH_RECORD_OPTIONS_H

/* The options of record, from the command line or from MALLOGRAPH_OPTIONS. */

#include <stddef.h>

#include "cli/options.h"
#include "libcollect/recorder/recorder.h"

extern const struct option_set record_option_set;

/* What was parsed. Fills everything that options say, and folder and program.
 * Returns 0, or -1 with a complaint. Strings live as long as the process. */
int record_options(struct recorder_options *options, char *complaint, size_t bytes);
int record_quiet(void);

/* The folder of the running binary, without a slash at the end; NULL: unknown. */
const char *program_folder(void);

#endif
