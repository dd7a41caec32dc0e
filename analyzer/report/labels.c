/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/report/labels.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/query/names.h"
#include "formats/error.h"

int label_maker_init(struct label_maker *maker, const struct profile *profile, int shorten)
{
	*maker = (struct label_maker){0};
	maker->stream = open_memstream(&maker->text, &maker->size);
	frame_printer_init(&maker->printer, maker->stream, profile, shorten);
	return maker->stream ? 0 : ERROR_MEMORY;
}

void label_maker_release(struct label_maker *maker)
{
	if (maker->stream)
		fclose(maker->stream);
	free(maker->text);
	frame_printer_release(&maker->printer);
	*maker = (struct label_maker){0};
}

static void print_source(struct label_maker *maker, uint32_t node, uint32_t frame,
			 enum label_style style)
{
	const struct profile *profile = maker->printer.profile;
	const struct profile_location *location =
	    &profile->locations[profile->nodes[node].location];
	const char *module = profile->modules[location->module].path;
	const struct profile_frame *known =
	    frame < location->frame_count ? &profile->frames[location->frame + frame] : NULL;

	if (known && known->file) {
		fputs(" (", maker->stream);
		frame_print_text(&maker->printer, name_base(known->file));
		if (style == LABEL_LINE && known->line)
			fprintf(maker->stream, ":%" PRIu32, known->line);
		fputc(')', maker->stream);
	} else if (style == LABEL_LINE && *module) {
		fputs(" (in ", maker->stream);
		frame_print_text(&maker->printer, module);
		fputc(')', maker->stream);
	}
}

char *label_make(struct label_maker *maker, uint32_t node, uint32_t frame, enum label_style style)
{
	static char empty[1];

	rewind(maker->stream);
	frame_print_name(&maker->printer, node, frame);
	print_source(maker, node, frame, style);
	fputc('\0', maker->stream);
	if (fflush(maker->stream) || ferror(maker->stream)) {
		maker->printer.failed = 1;
		*empty = '\0';
		return empty;
	}
	return maker->text;
}

void label_replace(char *label, char from, char to)
{
	for (; *label; label++)
		if (*label == from)
			*label = to;
}
