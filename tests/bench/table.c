/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * table NAME... < ROWS: makes tables of what measure printed. NAME: times, side, inside,
 * start, sizes. Half the distance between the quartiles stands behind the sign ±.
 */
#include "tests/bench/figures.h"

#include <stdio.h>
#include <string.h>

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
	if (value.middle >= 10000)
		decimals = 0;
	snprintf(text, sizeof(text), "%.*f ±%.*f", decimals, value.middle, decimals, value.spread);
	printf(" %*s", width + 1, text);
}

static const char *output_of(const struct workload *w)
{
	static char text[64];

	for (enum tool tool = ALONE; tool < TOOLS; tool++) {
		if (w->limit[tool] <= 0)
			continue;
		snprintf(text, sizeof(text), "%s: over %.0f s",
			 tool == ALONE        ? "alone"
			 : tool == MALLOGRAPH ? "mallograph"
					      : "heaptrack",
			 w->limit[tool]);
		return text;
	}
	if (w->differs[NATIVE])
		return "varies";
	if (w->differs[MALLOGRAPH] || w->differs[ALONE])
		return w->differs[HEAPTRACK] ? "BOTH DIFFER" : "DIFFERS";
	return w->differs[HEAPTRACK] ? "heaptrack's differs" : "same";
}

static void cell_ratio(const struct workload *w, enum tool tool, enum tool to, enum figure figure)
{
	if (figures_known(w, tool, figure) && figures_known(w, to, figure))
		cell(5, 2, figures_ratio(w, tool, to, figure).middle);
	else
		cell_blank(5);
}

static void cell_added(const struct workload *w, int width, int decimals, enum tool tool,
		       enum figure figure)
{
	cell_spread(width, decimals, figures_added(w, tool, figure),
		    figures_known(w, tool, figure));
}

/* --- tables ------------------------------------------------------------------ */

static void print_times(void)
{
	puts("\nTime, in seconds: native, and what recording adds (CPU of all processes).\n"
	     "m/h: what mallograph adds divided by what heaptrack adds.\n");
	printf("%-14s %3s %13s | %13s %13s | %13s %13s | %5s %5s | %s\n", "", "", "native",
	       "mallograph", "", "heaptrack", "", "m/h", "m/h", "");
	printf("%-14s %3s %13s | %13s %13s | %13s %13s | %5s %5s | %s\n", "workload", "n", "wall",
	       "+wall", "+CPU", "+wall", "+CPU", "wall", "CPU", "output");
	for (const struct workload *w = workloads; w < workloads + workload_count; w++) {
		printf("%-14s %3d", w->name, w->rounds);
		cell_spread(13, 3, figures_plain(w, NATIVE, WALL), 1);
		for (enum tool tool = MALLOGRAPH; tool < TOOLS; tool++) {
			printf(" |");
			cell_added(w, 13, 3, tool, WALL);
			cell_added(w, 13, 3, tool, CPU);
		}
		printf(" |");
		cell_ratio(w, MALLOGRAPH, HEAPTRACK, WALL);
		cell_ratio(w, MALLOGRAPH, HEAPTRACK, CPU);
		printf(" | %s\n", output_of(w));
	}
}

static void cell_times(const struct workload *w, enum tool tool, enum figure figure)
{
	if (figures_known(w, tool, figure) && figures_known(w, NATIVE, figure))
		cell(6, 3, figures_times(w, tool, figure).middle);
	else
		cell_blank(6);
}

static void print_side(void)
{
	puts("\nThe program's side, in seconds: native, and what is added to the program's own "
	     "time.\n"
	     "alone: hooks and capture, nobody takes the events; x: times native. a/h: alone by\n"
	     "heaptrack (its library in the program). back: captures in 1,000 that fell back.\n");
	printf("%-14s %13s | %13s %13s %6s %6s | %13s | %13s | %5s %6s\n", "", "native", "alone",
	       "", "", "", "mallograph", "heaptrack", "a/h", "");
	printf("%-14s %13s | %13s %13s %6s %6s | %13s | %13s | %5s %6s\n", "workload", "CPU",
	       "+wall", "+CPU", "x wall", "x CPU", "+CPU", "+CPU", "CPU", "back");
	for (const struct workload *w = workloads; w < workloads + workload_count; w++) {
		printf("%-14s", w->name);
		cell_spread(13, 3, figures_plain(w, NATIVE, PROGRAM_CPU),
			    figures_known(w, NATIVE, PROGRAM_CPU));
		printf(" |");
		cell_added(w, 13, 3, ALONE, WALL);
		cell_added(w, 13, 3, ALONE, PROGRAM_CPU);
		cell_times(w, ALONE, WALL);
		cell_times(w, ALONE, PROGRAM_CPU);
		printf(" |");
		cell_added(w, 13, 3, MALLOGRAPH, PROGRAM_CPU);
		printf(" |");
		cell_added(w, 13, 3, HEAPTRACK, PROGRAM_CPU);
		printf(" |");
		cell_ratio(w, ALONE, HEAPTRACK, PROGRAM_CPU);
		if (w->allocations > 0 && w->ran[ALONE])
			cell(6, 3, w->fallbacks * 1000 / w->allocations);
		else
			cell_blank(6);
		putchar('\n');
	}
}

/* unit: nanoseconds in what is printed. */
static void print_operations(double unit, int decimals)
{
	printf("%-14s %15s | %15s | %15s | %15s | %5s %5s |\n", "", "native", "alone", "mallograph",
	       "heaptrack", "a/h", "m/h");
	printf("%-14s %15s | %15s | %15s | %15s | %5s %5s |\n", "workload", "", "added", "added",
	       "added", "added", "added");
	for (struct workload *w = workloads; w < workloads + workload_count; w++) {
		enum figure figure = figures_plain(w, NATIVE, INSIDE).middle > 0 ? INSIDE : WALL;
		const double factor = (figure == INSIDE ? 1 : 1e9) / unit;

		if (unit == 1 && figure == WALL)
			continue;
		for (enum tool tool = NATIVE; tool < TOOLS; tool++)
			for (int i = 0; i < ROUNDS_MAX; i++)
				w->value[tool][figure][i] *= factor;
		printf("%-14s", w->name);
		cell_spread(15, decimals, figures_plain(w, NATIVE, figure), 1);
		for (enum tool tool = ALONE; tool < TOOLS; tool++) {
			printf(" |");
			cell_added(w, 15, decimals, tool, figure);
		}
		printf(" |");
		cell_ratio(w, ALONE, HEAPTRACK, figure);
		cell_ratio(w, MALLOGRAPH, HEAPTRACK, figure);
		printf(" | %s\n", output_of(w));
	}
}

static void print_inside(void)
{
	puts("\nInside the program, nanoseconds an operation (with threads: wall time of all\n"
	     "together, divided by the operations).\n");
	print_operations(1, 1);
}

static void print_start(void)
{
	puts("\nMilliseconds: the whole run of `true`, symbols included; fork, exit and wait of a\n"
	     "child that allocates.\n");
	print_operations(1e6, 3);
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
		cell(8, 1, figures_plain(w, NATIVE, PROGRAM).middle / 1e6);
		for (enum tool tool = MALLOGRAPH; tool < TOOLS; tool++) {
			double trace = figures_plain(w, tool, TRACE).middle;

			printf(" |");
			if (!w->ran[tool]) {
				printf(" %8s %8s %8s %6s", "-", "-", "-", "-");
				continue;
			}
			cell(8, 1, figures_plain(w, tool, PROGRAM).middle / 1e6);
			cell(8, 1, figures_plain(w, tool, RECORDER).middle / 1e6);
			cell(8, 3, trace / 1e6);
			if (w->allocations > 0)
				cell(6, 2, trace / w->allocations);
			else
				cell_blank(6);
		}
		putchar('\n');
	}
}

static const struct {
	const char *name;
	void (*print)(void);
} tables[] = {
    {"times", print_times}, {"side", print_side},   {"inside", print_inside},
    {"start", print_start}, {"sizes", print_sizes},
};

int main(int argc, char **argv)
{
	const size_t count = sizeof(tables) / sizeof(tables[0]);

	if (figures_read() != 0)
		return 1;
	for (int i = 1; i < argc; i++) {
		size_t which = 0;

		while (which < count && strcmp(argv[i], tables[which].name) != 0)
			which++;
		if (which == count) {
			fprintf(stderr, "table: no table is called '%s'\n", argv[i]);
			return 2;
		}
		tables[which].print();
	}
	return 0;
}
