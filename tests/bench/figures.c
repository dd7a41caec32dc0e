/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/bench/figures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const tool_names[TOOLS] = {"native", "alone", "mallograph", "heaptrack"};

struct workload workloads[WORKLOADS_MAX];
size_t workload_count;

static struct workload *workload_of(const char *name)
{
	for (size_t i = 0; i < workload_count; i++) {
		if (strcmp(workloads[i].name, name) == 0)
			return &workloads[i];
	}
	if (workload_count == WORKLOADS_MAX)
		return NULL;
	snprintf(workloads[workload_count].name, NAME_BYTES, "%s", name);
	return &workloads[workload_count++];
}

/* Returns 0, or -1 for a line that neither measure nor run prints. */
static int take_line(const char *line)
{
	char name[NAME_BYTES], tool[NAME_BYTES];
	struct workload *workload;
	double value[FIGURES], number;
	int round, same, which;

	if (sscanf(line, "%31[^\t] %31s", name, tool) != 2 ||
	    (workload = workload_of(name)) == NULL)
		return -1;
	if (sscanf(line, "%*[^\t] allocations %lf", &workload->allocations) == 1 ||
	    sscanf(line, "%*[^\t] fallbacks %lf", &workload->fallbacks) == 1)
		return 0;
	for (which = 0; which < TOOLS && strcmp(tool, tool_names[which]) != 0; which++)
		;
	if (which == TOOLS)
		return -1;
	if (sscanf(line, "%*[^\t] %*s exit %lf", &number) == 1)
		return 0;
	if (sscanf(line, "%*[^\t] %*s limit %lf", &workload->limit[which]) == 1)
		return 0;
	if (sscanf(line, "%*[^\t] %*s %d %lf %lf %lf %lf %lf %lf %lf %d", &round, &value[WALL],
		   &value[CPU], &value[PROGRAM_CPU], &value[PROGRAM], &value[RECORDER],
		   &value[TRACE], &value[INSIDE], &same) != 9 ||
	    round < 1 || round > ROUNDS_MAX)
		return -1;
	for (int i = 0; i < FIGURES; i++)
		workload->value[which][i][round - 1] = value[i];
	workload->ran[which] = round;
	workload->differs[which] |= !same;
	return 0;
}

/* Rounds that are not complete don't count; a tool that was given up counts for nothing. */
static int close_rounds(struct workload *w)
{
	w->rounds = w->ran[NATIVE];
	for (enum tool tool = ALONE; tool < TOOLS; tool++) {
		if (w->limit[tool] > 0)
			w->ran[tool] = 0;
		else if (w->ran[tool] > 0 && w->ran[tool] < w->rounds)
			w->rounds = w->ran[tool];
	}
	if (w->rounds > 0)
		return 0;
	fprintf(stderr, "table: no rounds of %s\n", w->name);
	return -1;
}

int figures_read(void)
{
	char line[512];

	while (fgets(line, sizeof(line), stdin) != NULL) {
		if (take_line(line) != 0) {
			fprintf(stderr, "table: not a row: %s", line);
			return -1;
		}
	}
	for (size_t i = 0; i < workload_count; i++)
		if (close_rounds(&workloads[i]) != 0)
			return -1;
	return 0;
}

/* --- medians ---------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Of count sorted values, the one below which a share of them lies. */
static double quantile(const double *sorted, int count, double part)
{
	double place = part * (count - 1);
	int below = (int)place;
	double rest = place - below;

	if (below + 1 >= count)
		return sorted[count - 1];
	return sorted[below] * (1 - rest) + sorted[below + 1] * rest;
}

static struct median median(double *values, int count)
{
	qsort(values, (size_t)count, sizeof(*values), compare);
	return (struct median){
	    .middle = quantile(values, count, 0.5),
	    .spread = (quantile(values, count, 0.75) - quantile(values, count, 0.25)) / 2,
	};
}

struct median figures_plain(const struct workload *w, enum tool tool, enum figure figure)
{
	double values[ROUNDS_MAX];

	memcpy(values, w->value[tool][figure], sizeof(values));
	return median(values, w->rounds);
}

struct median figures_added(const struct workload *w, enum tool tool, enum figure figure)
{
	double values[ROUNDS_MAX];

	for (int i = 0; i < w->rounds; i++)
		values[i] = w->value[tool][figure][i] - w->value[NATIVE][figure][i];
	return median(values, w->rounds);
}

struct median figures_ratio(const struct workload *w, enum tool tool, enum tool to,
			    enum figure figure)
{
	double values[ROUNDS_MAX];

	for (int i = 0; i < w->rounds; i++) {
		const double native = w->value[NATIVE][figure][i];

		values[i] =
		    (w->value[tool][figure][i] - native) / (w->value[to][figure][i] - native);
	}
	return median(values, w->rounds);
}

struct median figures_times(const struct workload *w, enum tool tool, enum figure figure)
{
	double values[ROUNDS_MAX];

	for (int i = 0; i < w->rounds; i++)
		values[i] = w->value[tool][figure][i] / w->value[NATIVE][figure][i];
	return median(values, w->rounds);
}

int figures_known(const struct workload *w, enum tool tool, enum figure figure)
{
	if (w->ran[tool] == 0)
		return 0;
	for (int i = 0; i < w->rounds; i++)
		if (w->value[tool][figure][i] < 0)
			return 0;
	return 1;
}
