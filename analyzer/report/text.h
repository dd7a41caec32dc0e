/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_TEXT_H
#define MALLOGRAPH_TEXT_H

/* The text reports of `print` and `info`. */

#include <stddef.h>
#include <stdio.h>

#include "analyzer/model/profile.h"

enum text_section {
	TEXT_ALLOCATIONS = 1, /* MOST CALLS TO ALLOCATION FUNCTIONS */
	TEXT_PEAK = 2,        /* PEAK MEMORY CONSUMERS */
	TEXT_LEAKS = 4,       /* MEMORY LEAKS */
	TEXT_TEMPORARY = 8,   /* MOST TEMPORARY ALLOCATIONS */
	TEXT_SUMMARY = 16     /* the totals at the end */
};

struct text_options {
	unsigned sections; /* enum text_section */
	int merge;         /* one entry for each site, its stacks below */
	int shorten;       /* leave template arguments out */
	int plain_bytes;   /* 72704 instead of 72.70K */
	size_t entries;    /* in a section at most */
	size_t stacks;     /* below an entry at most */
};

/* What stands above the sections: which file, which program. */
void text_report_head(FILE *out, const struct profile *profile, const char *path);

/* The sections in their order, then what the trace lacks. 0 or ERROR_MEMORY;
 * errors of out are for the caller to find (ferror). */
int text_report(FILE *out, const struct profile *profile, const struct text_options *options);

/* What is in the file: program, times, totals, health. plain_bytes as above. 0 or
 * ERROR_MEMORY. */
int text_info(FILE *out, const struct profile *profile, const char *path, int plain_bytes);

#endif
