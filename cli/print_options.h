/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_PRINT_OPTIONS_H
#define MALLOGRAPH_PRINT_OPTIONS_H

/* The options of print, as typed. */

#include "cli/exports.h"
#include "cli/options.h"
#include "cli/view.h"

enum { PRINT_OUTPUTS = 3 };

struct print_options {
	struct view_options view; /* which files, what of them, seen how */
	/* sections */
	int allocations, peak, temporary; /* -1: not said */
	int leaks, timeline;
	unsigned only; /* enum report_section; 0: as the switches say */
	/* entries */
	uint64_t entries, stacks;
	int merge, shorten, bytes, details;
	int sort_by; /* enum cost_kind; -1: what the section is about */
	int tree;    /* enum tree_direction; -1: none */
	const char *callers, *callees;
	/* figures */
	uint64_t least, per;
	int list_suppressions;
	/* other outputs */
	struct print_output {     /* -H, -F, -M */
		const char *path; /* NULL: not wanted */
		enum export_format format;
	} outputs[PRINT_OUTPUTS];
	struct export_options exports;
	int json, version;
	const char *fail_above;
};

extern const struct option_set print_option_set;

/* What was parsed, defaults where nothing was said (view.path is for input_choose() to
 * find). Returns -1 with *options set, or the
 * exit status after a message about what does not go together. */
int print_options(struct print_options **options);

/* Which sections that makes: enum report_section. */
unsigned print_sections(const struct print_options *options);

#endif
