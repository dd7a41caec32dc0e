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

uint64_t frame_address(const struct profile *profile, const struct profile_location *location)
{
	const struct profile_module *module = &profile->modules[location->module];

	return module->end ? module->start + (uint64_t)location->offset - module->base
			   : (uint64_t)location->offset;
}

static void print_address(struct frame_printer *printer, const struct profile_location *location)
{
	const struct profile_module *module = &printer->profile->modules[location->module];
	uint64_t address = frame_address(printer->profile, location);

	if (module->end) {
		frame_print_text(printer, name_base(module->path));
		fputc('+', printer->out);
	}
	fprintf(printer->out, "0x%" PRIx64, address);
}

static void print_known(struct frame_printer *printer, const char *text)
{
	frame_print_text(printer, text && *text ? text : "??");
}

static void print_module(struct frame_printer *printer, unsigned indent, uint32_t module)
{
	fprintf(printer->out, "%*s  in ", (int)indent, "");
	print_known(printer, printer->profile->modules[module].path);
	fputc('\n', printer->out);
}

static void print_file_line(struct frame_printer *printer, const struct profile_frame *frame)
{
	print_known(printer, frame ? frame->file : NULL);
	if (frame && frame->file && frame->line)
		fprintf(printer->out, ":%" PRIu32, frame->line);
}

static void print_line(struct frame_printer *printer, unsigned indent,
		       const struct profile_frame *frame)
{
	if (!frame->file)
		return;
	fprintf(printer->out, "%*s  at ", (int)indent, "");
	print_file_line(printer, frame);
	fputc('\n', printer->out);
}

const char *frame_mark(uint32_t node, unsigned flags)
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
	const char *mark = frame_mark(node, flags);

	if (mark) {
		fprintf(printer->out, "%*s%s\n", (int)indent, "", mark);
		return;
	}
	if (!location->frame_count) {
		fprintf(printer->out, "%*s", (int)indent, "");
		frame_print_name(printer, node, 0);
		fputc('\n', printer->out);
		print_module(printer, indent, location->module);
		return;
	}
	for (uint32_t i = first; i < first + count && i < location->frame_count; i++) {
		const struct profile_frame *frame = &profile->frames[location->frame + i];

		fprintf(printer->out, "%*s", (int)indent, "");
		frame_print_name(printer, node, i);
		fputc('\n', printer->out);
		print_line(printer, indent, frame);
		if (i == first)
			print_module(printer, indent, location->module);
	}
}

void frame_print_name(struct frame_printer *printer, uint32_t node, uint32_t frame)
{
	const struct profile *profile = printer->profile;
	unsigned flags = profile->nodes[node].flags;
	const struct profile_location *location =
	    &profile->locations[profile->nodes[node].location];
	const char *mark = frame_mark(node, flags);

	if (mark)
		fputs(mark, printer->out);
	else if (frame < location->frame_count && profile->frames[location->frame + frame].function)
		print_function(printer, profile->frames[location->frame + frame].function);
	else
		print_address(printer, location);
	if (flags & TRACE_NODE_GUESSED)
		fputs(" [guessed]", printer->out);
}

void frame_print_where(struct frame_printer *printer, uint32_t node, uint32_t frame)
{
	const struct profile *profile = printer->profile;
	const struct profile_location *location =
	    &profile->locations[profile->nodes[node].location];
	const char *module = profile->modules[location->module].path;
	const struct profile_frame *known =
	    frame < location->frame_count ? &profile->frames[location->frame + frame] : NULL;

	if (frame_mark(node, profile->nodes[node].flags) || (!(known && known->file) && !*module))
		return;
	fputs(" (", printer->out);
	frame_print_text(printer, name_base(known && known->file ? known->file : module));
	if (known && known->file && known->line)
		fprintf(printer->out, ":%" PRIu32, known->line);
	fputc(')', printer->out);
}

void frame_print_part(struct frame_printer *printer, uint32_t node, uint32_t frame,
		      enum frame_part part)
{
	const struct profile *profile = printer->profile;
	const struct profile_location *location =
	    &profile->locations[profile->nodes[node].location];
	const struct profile_frame *known =
	    frame < location->frame_count ? &profile->frames[location->frame + frame] : NULL;

	switch (part) {
	case FRAME_FUNCTION:
		frame_print_name(printer, node, frame);
		fputc('\n', printer->out);
		if (!frame_mark(node, profile->nodes[node].flags))
			print_module(printer, 0, location->module);
		return;
	case FRAME_LINE:
		print_file_line(printer, known);
		break;
	case FRAME_FILE:
		print_known(printer, known ? known->file : NULL);
		break;
	case FRAME_MODULE:
		print_known(printer, profile->modules[location->module].path);
		break;
	case FRAME_ADDRESS:
		print_address(printer, location);
		break;
	}
	fputc('\n', printer->out);
}

int frame_ends_stack(const struct profile *profile, uint32_t node)
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
		if (frame_ends_stack(profile, node))
			return;
		node = profile->nodes[node].parent;
		first = 0;
	}
}
