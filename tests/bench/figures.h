/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TESTS_BENCH_FIGURES_H
#define TESTS_BENCH_FIGURES_H

/*
 * What measure printed, and lines NAME <tab> allocations|fallbacks <tab> NUMBER.
 *
 * What a tool adds is taken within each round, profiled minus native; every figure
 * is the median over the rounds, a ratio the median of the rounds' ratios.
 */
#include <stddef.h>

enum { WORKLOADS_MAX = 64, ROUNDS_MAX = 100, NAME_BYTES = 32 };
enum tool { NATIVE, ALONE, MALLOGRAPH, HEAPTRACK, TOOLS };
enum figure { WALL, CPU, PROGRAM_CPU, PROGRAM, RECORDER, TRACE, INSIDE, FIGURES };

struct workload {
	char name[NAME_BYTES];
	double value[TOOLS][FIGURES][ROUNDS_MAX];
	int rounds; /* complete ones: of every tool that ran */
	int ran[TOOLS];
	int differs[TOOLS];
	double limit[TOOLS]; /* s that a run took at least, where it was given up */
	double allocations, fallbacks;
};

/* half the distance between the quartiles is the spread */
struct median {
	double middle, spread;
};

extern struct workload workloads[WORKLOADS_MAX];
extern size_t workload_count;

/* From stdin. Returns 0, or -1 after a message. */
int figures_read(void);

struct median figures_plain(const struct workload *w, enum tool tool, enum figure figure);
struct median figures_added(const struct workload *w, enum tool tool, enum figure figure);
/* What one tool adds in terms of what another adds. */
struct median figures_ratio(const struct workload *w, enum tool tool, enum tool to,
			    enum figure figure);
/* The whole in terms of the native whole. */
struct median figures_times(const struct workload *w, enum tool tool, enum figure figure);
/* Is it known in each round? */
int figures_known(const struct workload *w, enum tool tool, enum figure figure);

#endif
