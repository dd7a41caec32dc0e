/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/report/massif.h"

#include <inttypes.h>
#include <stdlib.h>

#include "analyzer/report/heap_lines.h"
#include "analyzer/report/labels.h"
#include "formats/error.h"
#include "formats/numbers.h"

/* As massif's own default. */
#define SNAPSHOTS 100

struct writer {
	FILE *out;
	const struct profile *profile;
	const struct timeline_view *view;
	struct label_maker labels;
};

static void write_head(struct writer *writer)
{
	char *command = profile_command(writer->profile);

	fputs("desc: mallograph\ncmd: ", writer->out);
	if (command) {
		label_replace(command, '#', '@');
		writer->labels.printer.out = writer->out;
		frame_print_text(&writer->labels.printer, command);
		writer->labels.printer.out = writer->labels.stream;
	} else {
		writer->labels.printer.failed = 1;
	}
	fprintf(writer->out, "\ntime_unit: %s\n",
		writer->view->axis == TIMELINE_BYTES ? "B" : "ms");
	free(command);
}

static uint64_t address_of(const struct profile *profile, uint32_t node)
{
	const struct profile_location *location =
	    &profile->locations[profile->nodes[node].location];

	return profile->modules[location->module].start + (uint64_t)location->offset;
}

static void write_rest(const struct writer *writer, const struct heap_line *line)
{
	fprintf(writer->out, "in %zu %s, %sbelow massif's threshold (%s%%)\n", line->places,
		line->places == 1 ? "place" : "places", line->places == 1 ? "" : "all ",
		number_fixed(writer->view->threshold, TIMELINE_PERCENT, 2).text);
}

static int write_line(void *context, const struct heap_line *line)
{
	struct writer *writer = context;
	char *label;

	fprintf(writer->out, "%*sn%zu: %" PRIu64 " ", (int)line->depth, "", line->below,
		line->bytes);
	switch (line->kind) {
	case HEAP_LINE_ROOT:
		fputs("(heap allocation functions) malloc/new/new[], --alloc-fns, etc.\n",
		      writer->out);
		break;
	case HEAP_LINE_FRAME:
		label = label_make(&writer->labels, line->node, line->frame, LABEL_LINE);
		label_replace(label, '#', '@');
		fprintf(writer->out, "0x%" PRIX64 ": %s\n", address_of(writer->profile, line->node),
			label);
		break;
	case HEAP_LINE_ENDS:
		fprintf(writer->out, "0x0: %s\n",
			line->depth > 1 ? "[the stack ends here]" : "[stack unknown]");
		break;
	case HEAP_LINE_REST:
		write_rest(writer, line);
		break;
	}
	return 0;
}

/* The smallest part that has a line of its own, of a snapshot's total. */
static uint64_t least_bytes(const struct timeline_snapshot *snapshot, unsigned threshold)
{
	unsigned __int128 total = snapshot->heap_bytes + snapshot->extra_bytes;
	unsigned __int128 whole = 100 * TIMELINE_PERCENT;

	return (uint64_t)((total * threshold + whole - 1) / whole);
}

static int write_snapshot(struct writer *writer, const struct timeline_snapshot *snapshot,
			  size_t number)
{
	fprintf(writer->out,
		"#-----------\nsnapshot=%zu\n#-----------\ntime=%" PRIu64 "\nmem_heap_B=%" PRIu64
		"\nmem_heap_extra_B=%" PRIu64 "\nmem_stacks_B=0\nheap_tree=%s\n",
		number, snapshot->time, snapshot->heap_bytes, snapshot->extra_bytes,
		!snapshot->live  ? "empty"
		: snapshot->peak ? "peak"
				 : "detailed");
	if (!snapshot->live)
		return 0;
	return heap_lines(writer->profile, snapshot, writer->view->lens,
			  least_bytes(snapshot, writer->view->threshold), MASSIF_DEPTH, write_line,
			  writer);
}

int massif_write(FILE *out, const struct profile *profile, const struct timeline_view *view)
{
	struct writer writer = {
	    .out = out,
	    .profile = profile->whole ? profile->whole : profile,
	    .view = view,
	};
	struct timeline_options options = {
	    .axis = view->axis,
	    .snapshots = SNAPSHOTS,
	    .detailed_every = view->detailed_every,
	    .filter = view->filter,
	};
	struct timeline timeline;
	int error;

	if (view->axis == TIMELINE_ALLOCATIONS)
		return ERROR_UNSUPPORTED;
	error = label_maker_init(&writer.labels, writer.profile, view->shorten);
	if (error)
		return error;
	error = timeline_collect(&timeline, profile, &options);
	if (!error)
		write_head(&writer);
	for (size_t i = 0; i < timeline.count && !error; i++)
		error = write_snapshot(&writer, &timeline.snapshots[i], i);
	if (!error && writer.labels.printer.failed)
		error = ERROR_MEMORY;
	timeline_discard(&timeline);
	label_maker_release(&writer.labels);
	return error;
}
