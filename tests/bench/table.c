/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * table < ROWS: makes the tables of the benchmark from what measure printed, and from
 * lines NAME <tab> allocations <tab> NUMBER.
 *
 * What a profiler adds is taken within each round, profiled minus native; every figure
 * is the median over the rounds, a ratio the median of the rounds' ratios. Half the
 * distance between the quartiles stands behind the sign ±.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORKLOADS_MAX = 64, ROUNDS_MAX = 100, NAME_BYTES = 32 };

enum tool { NATIVE, MALLOGRAPH, HEAPTRACK, TOOLS };
static const char *const tool_names[TOOLS] = {"native", "mallograph", "heaptrack"};

enum figure { WALL, CPU, PROGRAM, RECORDER, TRACE, INSIDE, FIGURES };

struct workload {
	char name[NAME_BYTES];
	double value[TOOLS][FIGURES][ROUNDS_MAX];
	int rounds; /* complete ones: of every tool that ran */
	int ran[TOOLS];
	int differs[TOOLS];
	double allocations;
};

static struct workload workloads[WORKLOADS_MAX];
static size_t workload_count;

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

	if (sscanf(line, "%31[^\t] allocations %lf", name, &number) == 2) {
		workload = workload_of(name);
		if (workload != NULL)
			workload->allocations = number;
		return workload != NULL ? 0 : -1;
	}
	if (sscanf(line, "%31[^\t] %31s %d %lf %lf %lf %lf %lf %lf %d", name, tool, &round,
		   &value[WALL], &value[CPU], &value[PROGRAM], &value[RECORDER], &value[TRACE],
		   &value[INSIDE], &same) != 10)
		return -1;
	workload = workload_of(name);
	for (which = 0; which < TOOLS && strcmp(tool, tool_names[which]) != 0; which++)
		;
	if (workload == NULL || which == TOOLS || round < 1 || round > ROUNDS_MAX)
		return -1;
	for (int i = 0; i < FIGURES; i++)
		workload->value[which][i][round - 1] = value[i];
	workload->ran[which] = round;
	workload->differs[which] |= !same;
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

struct median {
	double middle, spread;
};

static struct median median(double *values, int count)
{
	qsort(values, (size_t)count, sizeof(*values), compare);
	return (struct median){
	    .middle = quantile(values, count, 0.5),
	    .spread = (quantile(values, count, 0.75) - quantile(values, count, 0.25)) / 2,
	};
}

static struct median plain(const struct workload *w, enum tool tool, enum figure figure)
{
	double values[ROUNDS_MAX];

	memcpy(values, w->value[tool][figure], sizeof(values));
	return median(values, w->rounds);
}

static struct median added(const struct workload *w, enum tool tool, enum figure figure)
{
	double values[ROUNDS_MAX];

	for (int i = 0; i < w->rounds; i++)
		values[i] = w->value[tool][figure][i] - w->value[NATIVE][figure][i];
	return median(values, w->rounds);
}

/* What mallograph adds in terms of what heaptrack adds. */
static struct median ratio(const struct workload *w, enum figure figure)
{
	double values[ROUNDS_MAX];

	for (int i = 0; i < w->rounds; i++) {
		const double native = w->value[NATIVE][figure][i];

		values[i] = (w->value[MALLOGRAPH][figure][i] - native) /
			    (w->value[HEAPTRACK][figure][i] - native);
	}
	return median(values, w->rounds);
}

/* --- cells ------------------------------------------------------------------- */

static void cell_blank(int width)
{
	printf(" %*s", width, "-");
}

static void cell(int width, int decimals, double value)
{
	printf(" %*.*f", width, decimals, value);
}

/* 0.412 ±0.013; the sign is two bytes and one column. */
static void cell_spread(int width, int decimals, struct median value, int present)
{
	char text[64];

	if (!present) {
		cell_blank(width);
		return;
	}
	snprintf(text, sizeof(text), "%.*f ±%.*f", decimals, value.middle, decimals, value.spread);
	printf(" %*s", width + 1, text);
}

static int both(const struct workload *w)
{
	return w->ran[MALLOGRAPH] && w->ran[HEAPTRACK];
}

static const char *output_of(const struct workload *w)
{
	if (w->differs[NATIVE])
		return "varies";
	if (w->differs[MALLOGRAPH])
		return w->differs[HEAPTRACK] ? "BOTH DIFFER" : "DIFFERS";
	return w->differs[HEAPTRACK] ? "heaptrack's differs" : "same";
}

/* --- tables ------------------------------------------------------------------ */

static void print_times(void)
{
	puts("Time, in seconds: native, and what recording adds (CPU of all processes).\n"
	     "m/h: what mallograph adds divided by what heaptrack adds.\n");
	printf("%-14s %3s %13s | %13s %13s | %13s %13s | %5s %5s | %s\n", "", "", "native",
	       "mallograph", "", "heaptrack", "", "m/h", "m/h", "");
	printf("%-14s %3s %13s | %13s %13s | %13s %13s | %5s %5s | %s\n", "workload", "n", "wall",
	       "+wall", "+CPU", "+wall", "+CPU", "wall", "CPU", "output");
	for (const struct workload *w = workloads; w < workloads + workload_count; w++) {
		printf("%-14s %3d", w->name, w->rounds);
		cell_spread(13, 3, plain(w, NATIVE, WALL), 1);
		for (enum tool tool = MALLOGRAPH; tool < TOOLS; tool++) {
			printf(" |");
			cell_spread(13, 3, added(w, tool, WALL), w->ran[tool]);
			cell_spread(13, 3, added(w, tool, CPU), w->ran[tool]);
		}
		printf(" |");
		if (both(w)) {
			cell(5, 2, ratio(w, WALL).middle);
			cell(5, 2, ratio(w, CPU).middle);
		} else {
			cell_blank(5);
			cell_blank(5);
		}
		printf(" | %s\n", output_of(w));
	}
}

static void print_inside(void)
{
	puts("\nInside the program, nanoseconds a malloc+free pair (exchange: wall time of all\n"
	     "threads together, divided by the blocks).\n");
	printf("%-14s %15s | %15s %15s | %15s %15s | %5s\n", "", "", "mallograph", "", "heaptrack",
	       "", "m/h");
	printf("%-14s %15s | %15s %15s | %15s %15s | %5s\n", "workload", "native", "total", "added",
	       "total", "added", "added");
	for (const struct workload *w = workloads; w < workloads + workload_count; w++) {
		if (plain(w, NATIVE, INSIDE).middle <= 0)
			continue;
		printf("%-14s", w->name);
		cell_spread(15, 1, plain(w, NATIVE, INSIDE), 1);
		for (enum tool tool = MALLOGRAPH; tool < TOOLS; tool++) {
			printf(" |");
			cell_spread(15, 1, plain(w, tool, INSIDE), w->ran[tool]);
			cell_spread(15, 1, added(w, tool, INSIDE), w->ran[tool]);
		}
		printf(" |");
		if (both(w))
			cell(5, 2, ratio(w, INSIDE).middle);
		else
			cell_blank(5);
		putchar('\n');
	}
}

static void print_sizes(void)
{
	puts("\nMemory, peak resident MB of the program and of the largest process beside it;\n"
	     "trace, MB and bytes an allocation.\n");
	printf("%-14s %9s %8s | %8s %8s %8s %6s | %8s %8s %8s %6s\n", "", "", "native",
	       "mallograph", "", "", "", "heaptrack", "", "", "");
	printf("%-14s %9s %8s | %8s %8s %8s %6s | %8s %8s %8s %6s\n", "workload", "allocs",
	       "program", "program", "recorder", "trace", "B/a", "program", "recorder", "trace",
	       "B/a");
	for (const struct workload *w = workloads; w < workloads + workload_count; w++) {
		printf("%-14s", w->name);
		if (w->allocations > 0)
			cell(9, 0, w->allocations);
		else
			cell_blank(9);
		cell(8, 1, plain(w, NATIVE, PROGRAM).middle / 1e6);
		for (enum tool tool = MALLOGRAPH; tool < TOOLS; tool++) {
			double trace = plain(w, tool, TRACE).middle;

			printf(" |");
			if (!w->ran[tool]) {
				printf(" %8s %8s %8s %6s", "-", "-", "-", "-");
				continue;
			}
			cell(8, 1, plain(w, tool, PROGRAM).middle / 1e6);
			cell(8, 1, plain(w, tool, RECORDER).middle / 1e6);
			cell(8, 3, trace / 1e6);
			if (w->allocations > 0)
				cell(6, 2, trace / w->allocations);
			else
				cell_blank(6);
		}
		putchar('\n');
	}
}

int main(void)
{
	char line[512];

	while (fgets(line, sizeof(line), stdin) != NULL) {
		if (take_line(line) != 0) {
			fprintf(stderr, "table: not a row: %s", line);
			return 1;
		}
	}
	for (struct workload *w = workloads; w < workloads + workload_count; w++) {
		w->rounds = w->ran[NATIVE];
		for (enum tool tool = MALLOGRAPH; tool < TOOLS; tool++) {
			if (w->ran[tool] > 0 && w->ran[tool] < w->rounds)
				w->rounds = w->ran[tool];
		}
		if (w->rounds == 0) {
			fprintf(stderr, "table: no rounds of %s\n", w->name);
			return 1;
		}
	}
	print_times();
	print_inside();
	print_sizes();
	return 0;
}
