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

/* Why servers could not be asked, if anybody wanted to. */
enum debuginfod_trouble {
	DEBUGINFOD_FINE,
	DEBUGINFOD_NO_LIBRARY,
	DEBUGINFOD_NO_SERVERS,
	DEBUGINFOD_NO_ANSWER
};
enum debuginfod_trouble debuginfod_trouble(void);
/* NULL for what is none. */
const char *debuginfod_trouble_text(int trouble);

#endif
