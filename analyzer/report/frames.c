/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/report/frames.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/query/names.h"
#include "formats/numbers.h"

void frame_printer_init(struct frame_printer *printer, FILE *out, const struct profile *profile,
			int shorten)
{
	*printer = (struct frame_printer){.out = out, .profile = profile, .shorten = shorten};
}

void frame_printer_release(struct frame_printer *printer)
{
	free(printer->name);
	free(printer->escaped);
	printer->name = printer->escaped = NULL;
}

static char *reserve(struct frame_printer *printer, char **buffer, size_t *room, size_t wanted)
{
	char *larger;

	if (wanted <= *room)
		return *buffer;
	wanted += wanted / 2 + 256;
	larger = realloc(*buffer, wanted);
	if (!larger) {
		printer->failed = 1;
		return NULL;
	}
	*buffer = larger;
	*room = wanted;
	return larger;
}

void frame_print_text(struct frame_printer *printer, const char *text)
{
	size_t length = strlen(text);
	size_t escaped = text_escape(printer->escaped, printer->escaped_room, text, length);

	if (escaped >= printer->escaped_room) {
		if (!reserve(printer, &printer->escaped, &printer->escaped_room, escaped + 1))
			return;
		text_escape(printer->escaped, printer->escaped_room, text, length);
	}
	fwrite(printer->escaped, 1, escaped, printer->out);
}

static void print_function(struct frame_printer *printer, const char *function)
{
	size_t wanted = strlen(function) + 1;

	if (printer->shorten && strchr(function, '<') &&
	    reserve(printer, &printer->name, &printer->name_room, wanted)) {
		name_shorten(printer->name, printer->name_room, function);
		function = printer->name;
	}
	frame_print_text(printer, function);
}

/* The address in the file, as addr2line and objdump take it; that of the process where it
 * is not known where the module lay. */
static void print_address(struct frame_printer *printer, const struct profile_location *location)
{
	const struct profile_module *module = &printer->profile->modules[location->module];

	if (!module->end) {
		fprintf(printer->out, "0x%" PRIx64, (uint64_t)location->offset);
		return;
	}
	frame_print_text(printer, name_base(module->path));
	fprintf(printer->out, "+0x%" PRIx64,
		module->start + (uint64_t)location->offset - module->base);
}

static void print_module(struct frame_printer *printer, unsigned indent, uint32_t module)
{
	const char *path = printer->profile->modules[module].path;

	fprintf(printer->out, "%*s  in ", (int)indent, "");
	frame_print_text(printer, *path ? path : "??");
	fputc('\n', printer->out);
}

static void print_line(struct frame_printer *printer, unsigned indent,
		       const struct profile_frame *frame)
{
	if (!frame->file)
		return;
	fprintf(printer->out, "%*s  at ", (int)indent, "");
	frame_print_text(printer, frame->file);
	if (frame->line)
		fprintf(printer->out, ":%" PRIu32, frame->line);
	fputc('\n', printer->out);
}

static const char *mark_text(uint32_t node, unsigned flags)
{
	if (!node)
		return "[stack unknown]";
	if (flags & TRACE_NODE_CUT)
		return "[deeper frames cut]";
	if (flags & TRACE_NODE_INCOMPLETE)
		return "[stack not walked to its end]";
	return NULL;
}

void frame_print(struct frame_printer *printer, unsigned indent, uint32_t node, uint32_t first,
		 uint32_t count)
{
	const struct profile *profile = printer->profile;
	unsigned flags = profile->nodes[node].flags;
	const struct profile_location *location =
	    &profile->locations[profile->nodes[node].location];
	const char *mark = mark_text(node, flags);
	const char *guessed = flags & TRACE_NODE_GUESSED ? " [guessed]" : "";

	if (mark) {
		fprintf(printer->out, "%*s%s\n", (int)indent, "", mark);
		return;
	}
	if (!location->frame_count) {
		fprintf(printer->out, "%*s", (int)indent, "");
		print_address(printer, location);
		fprintf(printer->out, "%s\n", guessed);
		print_module(printer, indent, location->module);
		return;
	}
	for (uint32_t i = first; i < first + count && i < location->frame_count; i++) {
		const struct profile_frame *frame = &profile->frames[location->frame + i];

		fprintf(printer->out, "%*s", (int)indent, "");
		if (frame->function)
			print_function(printer, frame->function);
		else
			print_address(printer, location);
		fprintf(printer->out, "%s\n", guessed);
		print_line(printer, indent, frame);
		if (i == first)
			print_module(printer, indent, location->module);
	}
}

static int ends_stack(const struct profile *profile, uint32_t node)
{
	const struct profile_location *location =
	    &profile->locations[profile->nodes[node].location];

	for (uint32_t i = 0; i < location->frame_count; i++)
		if (name_ends_stack(profile->frames[location->frame + i].function))
			return 1;
	return 0;
}

void frame_print_stack(struct frame_printer *printer, unsigned indent, uint32_t node,
		       uint32_t first)
{
	const struct profile *profile = printer->profile;

	while (node) {
		uint32_t frames = profile->locations[profile->nodes[node].location].frame_count;

		if (first < frames || !frames)
			frame_print(printer, indent, node, first, UINT32_MAX - first);
		if (ends_stack(profile, node))
			return;
		node = profile->nodes[node].parent;
		first = 0;
	}
}
