/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/report/timeline.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/report/heap_lines.h"
#include "analyzer/report/labels.h"
#include "formats/error.h"
#include "formats/numbers.h"

/* Parts of a run that a diff compares, and intervals that it finds their largest snapshots by:
 * a multiple, so that none lies across a border. */
#define COMPARED 20
#define FINER    5

struct printer {
	FILE *out;
	const struct profile *profile; /* whole */
	const struct timeline_view *view;
	struct label_maker labels;
	/* what stands in front of the lines below the one of each depth */
	char *prefix;
	size_t prefix_room;
	struct {
		size_t prefix_length, below;
		uint64_t bytes;
	} depths[TIMELINE_DEPTH + 1];
};

/* 1,234,567 */
static struct number_text grouped(const struct printer *printer, int64_t value)
{
	struct number_text plain = number_plain(value), out;
	const char *digits = plain.text + (value < 0);
	size_t length = strlen(digits), at = 0;

	if (printer->view->plain)
		return plain;
	if (value < 0)
		out.text[at++] = '-';
	for (size_t i = 0; i < length; i++) {
		if (i && (length - i) % 3 == 0)
			out.text[at++] = ',';
		out.text[at++] = digits[i];
	}
	out.text[at] = '\0';
	return out;
}

static int set_prefix(struct printer *printer, size_t length, const char *more)
{
	size_t wanted = length + strlen(more) + 1;

	if (wanted > printer->prefix_room) {
		char *larger = realloc(printer->prefix, wanted * 2);

		if (!larger)
			return ERROR_MEMORY;
		printer->prefix = larger;
		printer->prefix_room = wanted * 2;
	}
	strcpy(printer->prefix + length, more);
	return 0;
}

static void print_figures(const struct printer *printer, const struct heap_line *line)
{
	fprintf(printer->out, "%s (%sB) ",
		number_percent((int64_t)line->bytes, (int64_t)printer->depths[0].bytes).text,
		grouped(printer, (int64_t)line->bytes).text);
}

static void print_label(struct printer *printer, const struct heap_line *line)
{
	switch (line->kind) {
	case HEAP_LINE_ROOT:
		fputs("of the heap, by who allocated\n", printer->out);
		break;
	case HEAP_LINE_FRAME:
		fprintf(printer->out, "%s%s\n",
			label_make(&printer->labels, line->node, line->frame, LABEL_LINE),
			line->cut ? " ..." : "");
		break;
	case HEAP_LINE_ENDS:
		fputs(line->depth > 1 ? "[the stack ends here]\n" : "[stack unknown]\n",
		      printer->out);
		break;
	case HEAP_LINE_REST:
		fprintf(printer->out, "in %zu %s, %sbelow %s%%\n", line->places,
			line->places == 1 ? "place" : "places", line->places == 1 ? "" : "all ",
			number_fixed(printer->view->threshold, TIMELINE_PERCENT, 2).text);
		break;
	}
}

/*
 * As ms_print has it, but a frame that is all of the line above stands right below
 * that one: stacks are deep, and terminals are 80 columns wide.
 */
static int print_line(void *context, const struct heap_line *line)
{
	struct printer *printer = context;
	size_t parent = line->depth ? line->depth - 1 : 0;
	size_t length = line->depth ? printer->depths[parent].prefix_length : 0;
	int goes_on = line->depth > 1 && printer->depths[parent].below == 1 &&
		      line->bytes == printer->depths[parent].bytes;
	const char *more = goes_on || !line->depth ? "" : line->last ? "  " : "| ";

	if (set_prefix(printer, length, ""))
		return ERROR_MEMORY;
	printer->depths[line->depth].bytes = line->bytes;
	printer->depths[line->depth].below = line->below;
	printer->depths[line->depth].prefix_length = length + strlen(more);
	fprintf(printer->out, "%s%s", printer->prefix, goes_on || !line->depth ? "" : "->");
	if (!goes_on)
		print_figures(printer, line);
	print_label(printer, line);
	if (set_prefix(printer, length, more))
		return ERROR_MEMORY;
	if (!line->below) {
		size_t shown = strlen(printer->prefix);

		while (shown && printer->prefix[shown - 1] == ' ')
			shown--;
		fprintf(printer->out, "%.*s\n", (int)shown, printer->prefix);
	}
	return 0;
}

static const char *const axis_names[] = {
    [TIMELINE_MS] = "time(ms)",
    [TIMELINE_ALLOCATIONS] = "allocations",
    [TIMELINE_BYTES] = "time(B)",
};

static void print_head(const struct printer *printer)
{
	fprintf(printer->out, "%4s %14s %16s %13s %13s %14s\n", "n",
		axis_names[printer->view->axis], "heap(B)", "extra(B)", "blocks", "RSS(B)");
}

static int print_snapshot(struct printer *printer, const struct timeline_snapshot *snapshot,
			  size_t number)
{
	unsigned __int128 least =
	    (unsigned __int128)snapshot->heap_bytes * printer->view->threshold;
	unsigned __int128 whole = 100 * TIMELINE_PERCENT;

	fprintf(printer->out, "%3zu%c %14s %16s %13s %13s %14s\n", number,
		snapshot->peak   ? '#'
		: snapshot->live ? '@'
				 : ' ',
		grouped(printer, (int64_t)snapshot->time).text,
		grouped(printer, (int64_t)snapshot->heap_bytes).text,
		grouped(printer, (int64_t)snapshot->extra_bytes).text,
		grouped(printer, (int64_t)snapshot->blocks).text,
		snapshot->rss ? grouped(printer, (int64_t)snapshot->rss).text : "-");
	if (!snapshot->live || !snapshot->heap_bytes)
		return 0;
	return heap_lines(printer->profile, snapshot, printer->view->lens,
			  (uint64_t)((least + whole - 1) / whole), TIMELINE_DEPTH, print_line,
			  printer);
}

static int print_snapshots(struct printer *printer, const struct timeline *timeline)
{
	int error = 0;

	for (size_t i = 0; i < timeline->count && !error; i++) {
		if (!i ||
		    (timeline->snapshots[i - 1].live && timeline->snapshots[i - 1].heap_bytes))
			print_head(printer);
		error = print_snapshot(printer, &timeline->snapshots[i], i);
	}
	fputc('\n', printer->out);
	return error;
}

static int report_one(FILE *out, const struct profile *profile, const struct timeline_view *view)
{
	struct printer printer = {
	    .out = out,
	    .profile = profile->whole ? profile->whole : profile,
	    .view = view,
	};
	struct timeline_options options = {
	    .axis = view->axis,
	    .snapshots = TIMELINE_GRAPH_COLUMNS + 2,
	    .detailed_every = view->detailed_every,
	    .filter = view->filter,
	};
	struct timeline timeline;
	int error = label_maker_init(&printer.labels, printer.profile, view->shorten);

	if (error)
		return error;
	error = timeline_collect(&timeline, profile, &options);
	if (!error)
		error = timeline_graph(out, &timeline, view->axis, 0);
	if (!error) {
		fputs("\n# peak, @ with its parts below, : other\n\n", out);
		error = print_snapshots(&printer, &timeline);
	}
	if (!error && printer.labels.printer.failed)
		error = ERROR_MEMORY;
	free(printer.prefix);
	timeline_discard(&timeline);
	label_maker_release(&printer.labels);
	return error;
}

static uint64_t peak_of(const struct timeline *timeline)
{
	for (size_t i = 0; i < timeline->count; i++)
		if (timeline->snapshots[i].peak)
			return timeline->snapshots[i].heap_bytes;
	return 0;
}

static void print_compared(const struct printer *printer, const struct timeline *sides,
			   size_t *const *parts)
{
	fprintf(printer->out, "%8s %22s %22s %22s\n", "of run", "new heap(B)", "base heap(B)",
		"difference(B)");
	for (size_t i = 0; i < COMPARED; i++) {
		int64_t fresh = (int64_t)sides[0].snapshots[parts[0][i]].heap_bytes;
		int64_t base = (int64_t)sides[1].snapshots[parts[1][i]].heap_bytes;

		if (fresh != base)
			fprintf(printer->out, "%3zu-%3zu%% %22s %22s %22s\n", i * 100 / COMPARED,
				(i + 1) * 100 / COMPARED, grouped(printer, fresh).text,
				grouped(printer, base).text, grouped(printer, fresh - base).text);
	}
	fputc('\n', printer->out);
}

static int differ(const struct timeline *sides, size_t *const *parts)
{
	for (size_t i = 0; i < COMPARED; i++)
		if (sides[0].snapshots[parts[0][i]].heap_bytes !=
		    sides[1].snapshots[parts[1][i]].heap_bytes)
			return 1;
	return 0;
}

static int print_difference(const struct printer *printer, const struct timeline *sides)
{
	size_t *parts[2] = {timeline_parts(&sides[0], COMPARED),
			    timeline_parts(&sides[1], COMPARED)};
	uint64_t fresh = peak_of(&sides[0]), base = peak_of(&sides[1]);
	int error = parts[0] && parts[1] ? 0 : ERROR_MEMORY;

	if (!error && differ(sides, parts)) {
		fputs("new:\n", printer->out);
		error = timeline_graph(printer->out, &sides[0], printer->view->axis,
				       fresh > base ? fresh : base);
		fputs("\nbase:\n", printer->out);
		if (!error)
			error = timeline_graph(printer->out, &sides[1], printer->view->axis,
					       fresh > base ? fresh : base);
		fputc('\n', printer->out);
		print_compared(printer, sides, parts);
	} else if (!error) {
		fputs("nothing changed\n\n", printer->out);
	}
	free(parts[0]);
	free(parts[1]);
	return error;
}

static int report_both(FILE *out, const struct profile *profile, const struct timeline_view *view)
{
	struct printer printer = {.out = out, .view = view};
	struct timeline_options options = {
	    .axis = view->axis,
	    .snapshots = COMPARED * FINER + 2,
	    .filter = view->filter,
	};
	struct timeline sides[2] = {{0}};
	int error = timeline_collect(&sides[0], profile->fresh, &options);

	options.filter = view->base_filter;
	if (!error)
		error = timeline_collect(&sides[1], profile->base, &options);
	if (!error)
		error = print_difference(&printer, sides);
	timeline_discard(&sides[0]);
	timeline_discard(&sides[1]);
	return error;
}

int timeline_report(FILE *out, const struct profile *profile, const struct timeline_view *view)
{
	fputs("HEAP OVER TIME\n", out);
	return profile->base ? report_both(out, profile, view) : report_one(out, profile, view);
}
