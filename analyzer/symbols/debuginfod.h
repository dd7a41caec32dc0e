/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_DEBUGINFOD_H
#define MALLOGRAPH_DEBUGINFOD_H

#include <stddef.h>

#include "analyzer/symbols/elf_file.h"

enum debuginfod_kind { DEBUGINFOD_MODULE, DEBUGINFOD_DEBUG };

/* Asks the servers of $DEBUGINFOD_URLS for a module, or for its debug
 * information; what they send is kept in their client's cache. The file is the caller's to
 * close. ERROR_SYSTEM: nothing was found, or libdebuginfod is not installed (it is loaded
 * when it is needed); ERROR_FOREIGN: a file with another build-id came.
 * Slow: call it where somebody waits for it. Not thread-safe. */
int debuginfod_open(struct elf_file *file, const void *build_id, size_t bytes,
		    enum debuginfod_kind kind);

#endif
