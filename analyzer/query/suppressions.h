/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_SUPPRESSIONS_H
#define MALLOGRAPH_SUPPRESSIONS_H

/*
 * Leaks that nobody wants to see, in LeakSanitizer's syntax: lines of
 * "leak:PATTERN", where PATTERN is found in the function, file or module name of any
 * frame; '*' is any text, '^' at its start and '$' at its end hold it to the name's.
 * Comments begin with '#'.
 */

#include <stddef.h>
#include <stdint.h>

#include "analyzer/model/profile.h"

enum suppression_origin { SUPPRESSION_BUILTIN, SUPPRESSION_EMBEDDED, SUPPRESSION_FILE };

struct suppression {
	char *pattern;
	enum suppression_origin origin;
	uint64_t matches, leaked_bytes; /* leaked blocks and bytes it took out; by apply */
	uint64_t base_matches, base_leaked_bytes; /* of a combined profile's base */
};

struct suppressions { /* all zero: none */
	struct suppression *rules;
	size_t count;
	/* by class of the profile applied to: 1 + the rule that its leaks fall under; 0: none */
	uint32_t *of_class;
	size_t class_count;
	uint64_t leaked_blocks, leaked_bytes; /* taken out in all */
	uint64_t base_leaked_blocks, base_leaked_bytes;
};

/* Lines of text. What the right ones among them say is added. ERROR_MEMORY, or
 * ERROR_FOREIGN with a line in complaint: what is wrong in the first wrong one, and what to
 * write ("line 3: valgrind's suppressions are not read; write leak:FUNCTION ..."). */
int suppressions_add_text(struct suppressions *suppressions, const char *text, size_t size,
			  enum suppression_origin origin, char *complaint, size_t complaint_bytes);
/* ERROR_SYSTEM too: errno. */
int suppressions_add_file(struct suppressions *suppressions, const char *path, char *complaint,
			  size_t complaint_bytes);
/* What libraries allocate once and keep: of glibc and GLib. These reach no further than a
 * constructor: what it leaks is not the loader's, whose functions stand outside of it. */
int suppressions_add_builtin(struct suppressions *suppressions);

/* Finds what falls under each rule (the first that matches, built-in ones last) and counts.
 * ERROR_MEMORY. */
int suppressions_apply(struct suppressions *suppressions, const struct profile *profile);
void suppressions_release(struct suppressions *suppressions);

#endif
