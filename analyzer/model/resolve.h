/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_RESOLVE_H
#define MALLOGRAPH_RESOLVE_H

#include "analyzer/model/profile.h"

/*
 * Names for a trace that holds none: one still being written, cut off, or
 * recorded with --no-symbols. They come from the files that the trace names, where
 * they are still there with the same build-id; other addresses stay as they
 * are. A child process reads the files, with limits on its time and memory, so
 * broken debug information costs names and nothing else. Does nothing when the
 * trace has names. Returns 0, or ERROR_MEMORY. Not thread-safe: it forks.
 */
int profile_resolve(struct profile *profile);

#endif
