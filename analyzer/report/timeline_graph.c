/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/report/timeline.h"
#include "formats/error.h"
#include "formats/numbers.h"

#define COLUMNS TIMELINE_GRAPH_COLUMNS
#define ROWS    20

struct graph {
	char cells[ROWS][COLUMNS + 1]; /* [0] is the lowest row */
};

static size_t part_of(const struct timeline *timeline, uint64_t time, size_t count)
{
	unsigned __int128 end = timeline->end_time ? timeline->end_time : 1;
	size_t part = (size_t)((unsigned __int128)time * count / end);

	return part < count ? part : count - 1;
}

size_t *timeline_parts(const struct timeline *timeline, size_t count)
{
	size_t *parts = calloc(count, sizeof(*parts));
	size_t filled = 0;

	if (!parts)
		return NULL;
	for (size_t i = 0; i < timeline->count; i++) {
		size_t part = part_of(timeline, timeline->snapshots[i].time, count);

		for (; filled <= part; filled++)
			parts[filled] = filled == part ? i : i - 1;
		if (timeline->snapshots[i].heap_bytes > timeline->snapshots[parts[part]].heap_bytes)
			parts[part] = i;
	}
	return parts;
}

/* How many rows a height fills: a row only when it reaches its top. */
static size_t rows_of(uint64_t bytes, uint64_t top)
{
	return (size_t)((unsigned __int128)bytes * ROWS / (top ? top : 1));
}

static char mark_of(const struct timeline_snapshot *snapshot)
{
	return snapshot->peak ? '#' : snapshot->live ? '@' : ':';
}

/* A column whose part of the axis has no snapshot of its own goes on from the one before at the
 * same height. */
static void draw(struct graph *graph, const struct timeline *timeline, const size_t *parts,
		 uint64_t top)
{
	for (size_t row = 0; row < ROWS; row++) {
		memset(graph->cells[row], ' ', COLUMNS);
		graph->cells[row][COLUMNS] = '\0';
	}
	for (size_t column = 0; column < COLUMNS; column++) {
		const struct timeline_snapshot *snapshot = &timeline->snapshots[parts[column]];
		size_t rows = rows_of(snapshot->heap_bytes, top);
		int own = part_of(timeline, snapshot->time, COLUMNS) == column;

		for (size_t row = own ? 0 : rows ? rows - 1 : 0; row < rows && row < ROWS; row++)
			graph->cells[row][column] = own ? mark_of(snapshot) : ':';
	}
}

static struct number_text end_label(uint64_t end, enum timeline_axis axis)
{
	static const struct {
		uint64_t from, divisor;
		const char *unit;
	} scales[] = {{UINT64_C(2) * 3600000, 3600000, "h"},
		      {UINT64_C(2) * 60000, 60000, "m"},
		      {1000, 1000, "s"}};
	struct number_text label;
	int64_t value = end > INT64_MAX ? INT64_MAX : (int64_t)end;

	if (axis == TIMELINE_BYTES)
		return number_bytes(value);
	label = number_plain(value);
	if (axis == TIMELINE_ALLOCATIONS) {
		strcat(label.text, " allocations");
		return label;
	}
	for (size_t i = 0; i < sizeof(scales) / sizeof(*scales); i++)
		if (end >= scales[i].from) {
			label = number_fixed(value, scales[i].divisor, 2);
			strcat(label.text, scales[i].unit);
			return label;
		}
	strcat(label.text, "ms");
	return label;
}

static void print_row(FILE *out, const char *cells)
{
	size_t length = COLUMNS;

	while (length && cells[length - 1] == ' ')
		length--;
	fprintf(out, "%.*s\n", (int)length, cells);
}

int timeline_graph(FILE *out, const struct timeline *timeline, enum timeline_axis axis,
		   uint64_t top)
{
	size_t *parts = timeline_parts(timeline, COLUMNS);
	struct graph graph;
	char dashes[COLUMNS];

	if (!parts)
		return ERROR_MEMORY;
	for (size_t i = 0; !top && i < timeline->count; i++)
		if (timeline->snapshots[i].peak)
			top = timeline->snapshots[i].heap_bytes;
	draw(&graph, timeline, parts, top);
	free(parts);
	for (size_t row = ROWS; row-- > 0;) {
		if (row + 1 == ROWS)
			fprintf(out, "%8s^", number_bytes((int64_t)top).text);
		else
			fputs("        |", out);
		print_row(out, graph.cells[row]);
	}
	memset(dashes, '-', sizeof(dashes));
	fprintf(out, "%8s+%.*s>\n", "0", COLUMNS - 1, dashes);
	fprintf(out, "%9s%*s\n", "0", COLUMNS, end_label(timeline->end_time, axis).text);
	return 0;
}
