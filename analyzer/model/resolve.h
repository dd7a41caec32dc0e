/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_RESOLVE_H
#define MALLOGRAPH_RESOLVE_H

#include "analyzer/model/profile.h"

/*
 * Names for a trace that holds none: one still being written, cut off, or
 * recorded with --no-symbols. They come from the files that the trace names, where
 * they are still there with the same build-id; other addresses stay as they
 * are. With a sysroot or debuginfod, addresses without a name or a line are looked up in a
 * trace that has names, too. A child process reads the files, with limits on its time and
 * memory, so broken debug information costs names and nothing else. Returns 0, or
 * ERROR_MEMORY. complaint: why debuginfod's servers could not be asked, or NULL. Not thread-safe:
 * it forks.
 */
struct resolve_options {
	const char *sysroot; /* NULL: none */
	int debuginfod;      /* ask the servers of $DEBUGINFOD_URLS for what is not here */
};
int profile_resolve(struct profile *profile, const struct resolve_options *options,
		    const char **complaint);

#endif
