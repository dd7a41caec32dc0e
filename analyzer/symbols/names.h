/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_NAMES_H
#define MALLOGRAPH_NAMES_H

/* Function names and file paths as the user sees them, each made once. */

#include <stddef.h>
#include <stdint.h>

#include "analyzer/symbols/string_pool.h"

/* Longer ones are cut: nobody reads them, and files may hold any. */
#define NAMES_BYTES_MAX 32768

struct names {
	struct string_pool raw, pretty;
	const char **pretty_of; /* by id in raw; NULL: not made yet */
	size_t pretty_of_count;
};

void names_init(struct names *names);
void names_release(struct names *names);

/* All return strings that live as long as names, or NULL when out of memory. */

/* Demangled, and without the symbol version ("memcpy@@GLIBC_2.14"). */
const char *names_function(struct names *names, const char *mangled);
/* file seen from folder (may be NULL), without "." and ".." and doubled slashes. */
const char *names_path(struct names *names, const char *folder, const char *file);
/* The string itself. */
const char *names_text(struct names *names, const char *text);

#endif
