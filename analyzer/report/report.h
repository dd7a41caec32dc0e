/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_REPORT_H
#define MALLOGRAPH_REPORT_H

/*
 * What a report shows, gathered once: the text (text.h) and the machine's form
 * (json.h) are two ways to write the same figures.
 */

#include <stddef.h>
#include <stdint.h>

#include "analyzer/model/filter.h"
#include "analyzer/model/profile.h"
#include "analyzer/query/details.h"
#include "analyzer/query/lens.h"
#include "analyzer/query/sites.h"
#include "analyzer/query/tree.h"
#include "analyzer/report/timeline.h"
#include "formats/numbers.h"

enum report_section {
	REPORT_ALLOCATIONS = 1, /* MOST CALLS TO ALLOCATION FUNCTIONS */
	REPORT_PEAK = 2,        /* PEAK MEMORY CONSUMERS */
	REPORT_LEAKS = 4,       /* MEMORY LEAKS */
	REPORT_TEMPORARY = 8,   /* MOST TEMPORARY ALLOCATIONS */
	REPORT_SUMMARY = 16,    /* the totals at the end */
	REPORT_TIMELINE = 32,   /* the heap over time */
	REPORT_HISTOGRAM = 64   /* how many of which size */
};

struct report_options {
	unsigned sections;             /* enum report_section */
	int tree;                      /* 1 + enum tree_direction; 0: none */
	const char *callers, *callees; /* trees of these functions; NULL: none */
	int merge;                     /* one entry for each site, its stacks below */
	int details;                   /* what only events tell of each entry */
	int shorten;                   /* leave template arguments out */
	int plain_bytes;               /* 72704 instead of 72.70K */
	size_t entries;                /* in a section at most */
	size_t stacks;                 /* below an entry at most */
	int sort_by;                   /* enum cost_kind; -1: what the section is about */
	uint64_t per;                  /* counts and bytes are divided by it; 0: not */
	uint64_t least;                /* of a diff: smaller changes are counted, not listed */
	int suppressions;              /* list those that matched */
	/* What was selected; NULL, or an empty filter: everything. Of a diff, fresh's and
	 * base's: an instant may be another in each. */
	const struct filter *filter, *base_filter;
	const struct timeline_view *timeline; /* for REPORT_TIMELINE */
};

/* One of the sections of entries. */
struct report_kind {
	enum report_section section;
	enum cost_kind kind;
	const char *name;  /* "allocations", as --only takes it */
	const char *title; /* "MOST CALLS TO ALLOCATION FUNCTIONS" */
};
#define REPORT_KINDS 4
extern const struct report_kind report_kinds[REPORT_KINDS];

/* The totals of one side, with what suppressions took out of the leaks. */
struct report_totals {
	const struct profile_totals *totals;
	uint64_t leaked_blocks, leaked_bytes; /* without the suppressed ones */
	uint64_t suppressed_blocks, suppressed_bytes;
};

enum { REPORT_TREE, REPORT_CALLERS, REPORT_CALLEES, REPORT_TREES };

struct report_tree {
	int wanted;
	enum tree_direction direction;
	const char *function; /* NULL: the tree of everything */
	struct tree tree;
};

struct report {
	const struct profile *profile;
	const struct report_options *options;
	const struct lens *lens; /* NULL: defaults */
	int diff;                /* profile is a combined one */
	struct sites sites;
	struct report_totals fresh, base; /* base: of a diff, else all 0 but totals */
	struct report_tree trees[REPORT_TREES];
	/* options->details: of each entry (report_entries); base's in a diff, else NULL */
	struct details *details, *base_details;
	const char *missing; /* ERROR_EMPTY: the function that no stack has */
};

/* Gathers all there is to show. ERROR_MEMORY; ERROR_EMPTY (see missing); errors of
 * details_collect(). Release in any case. All but the report must outlive it. */
int report_init(struct report *report, const struct profile *profile, const struct lens *lens,
		const struct report_options *options);
void report_release(struct report *report);

/* What a section lists, in its order; index into sites.sites (merged) or sites.stacks.
 * *below: how many the limit of a diff leaves out. The caller frees; NULL: out of memory. */
uint32_t *report_entries(const struct report *report, enum cost_kind kind, size_t *found,
			 size_t *below);
/* Of a diff: how many sites are not listed, for their sum is the same, though stacks of theirs
 * changed. */
size_t report_shifted(const struct report *report, enum cost_kind kind);
/* The stacks of one site, likewise; nothing is too small here. */
uint32_t *report_stacks(const struct report *report, const struct site *site, enum cost_kind kind,
			size_t *found);

/* The conditions of a filter as text (filter_text). The caller frees; NULL: out of memory. */
char *report_conditions(const struct filter *filter);

/* By what its trees are ordered. */
enum cost_kind report_tree_kind(const struct report *report);

int report_in_bytes(enum cost_kind kind);
/* Whether the program was still running: leaked is then what was in use. */
static inline int report_is_unfinished(const struct report *report)
{
	return !report->diff && report->profile->state == TRACE_RECORDING;
}

/* What is shown of a cost: of a diff the difference. */
int64_t report_figure(const struct report *report, const struct cost *cost, const struct cost *base,
		      enum cost_kind kind);

/* Figures as text, divided by options->per. */
struct number_text report_count_text(const struct report_options *options, int64_t count);
struct number_text report_bytes_text(const struct report_options *options, int64_t bytes);

/* Allocations per second of a runtime; what took less than a tick took one. */
uint64_t report_per_second(uint64_t count, uint64_t ticks);

#endif
