/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_FOLDED_H
#define MALLOGRAPH_FOLDED_H

/*
 * Folded stacks (-F), as flamegraph.pl, inferno and speedscope read them: a line for each
 * stack, from main (or where the stack starts) to who allocated, and what it cost:
 *
 *	main (app.c);parse (app.c);grow (buffer.h) 1000
 *
 * A frame is a function with the name of its source file, where that is known, as
 * heaptrack_print writes it; inlined functions stand behind the one they were inlined into.
 * Stacks that read the same are one line. The costs add up to the profile's total; stacks that
 * cost nothing are left out.
 *
 * A ';' in a name is written as ':', a control byte or one that is not UTF-8 as \xNN, and the
 * blank before a number that a name ends with as '_': readers would take it for a cost.
 *
 * Of a combined profile a line has two costs, base's and fresh's: the input of a differential
 * flame graph, as difffolded.pl writes it. Stacks that did not change stand there, too: the
 * graph needs them.
 */

#include <stdio.h>

#include "analyzer/model/profile.h"
#include "analyzer/query/cost.h"
#include "analyzer/query/lens.h"

/* shorten: leave template arguments out. 0 or ERROR_MEMORY; errors of out are for the caller to
 * find (ferror). */
int folded_write(FILE *out, const struct profile *profile, const struct lens *lens,
		 enum cost_kind kind, int shorten);

#endif
