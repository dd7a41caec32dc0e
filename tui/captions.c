/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tui/captions.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static int begin(struct captions *captions, const struct profile *profile)
{
	if (!captions->stream) {
		captions->stream = open_memstream(&captions->text, &captions->size);
		if (!captions->stream)
			return 0;
		frame_printer_init(&captions->printer, captions->stream, profile, 1);
	}
	captions->printer.profile = profile;
	rewind(captions->stream);
	return 1;
}

/* The stream has more than was written now: what a longer name left. */
static const char *end(struct captions *captions)
{
	char *line_end;

	fputc('\0', captions->stream);
	if (fflush(captions->stream))
		return "";
	line_end = strchr(captions->text, '\n');
	if (line_end)
		*line_end = '\0';
	return captions->text;
}

void captions_release(struct captions *captions)
{
	if (captions->stream) {
		frame_printer_release(&captions->printer);
		fclose(captions->stream);
	}
	free(captions->text);
	*captions = (struct captions){0};
}

const char *captions_function(struct captions *captions, const struct profile *profile,
			      uint32_t node, uint32_t frame)
{
	if (!begin(captions, profile))
		return "";
	frame_print_name(&captions->printer, node, frame);
	return end(captions);
}

const char *captions_where(struct captions *captions, const struct profile *profile, uint32_t node,
			   uint32_t frame)
{
	if (!begin(captions, profile))
		return "";
	frame_print_where(&captions->printer, node, frame);
	return end(captions);
}

const char *captions_both(struct captions *captions, const struct profile *profile, uint32_t node,
			  uint32_t frame)
{
	if (!begin(captions, profile))
		return "";
	frame_print_name(&captions->printer, node, frame);
	frame_print_where(&captions->printer, node, frame);
	return end(captions);
}

const char *captions_part(struct captions *captions, const struct profile *profile, uint32_t node,
			  uint32_t frame, enum frame_part part)
{
	if (!begin(captions, profile))
		return "";
	frame_print_part(&captions->printer, node, frame, part);
	return end(captions);
}

/* The longest run of letters and digits: a name has it as it is. What a line, an address or an
 * escaped byte (12, 0x7f, \x1b) may be made of tells nothing. */
int captions_letters(const char *text, char *letters, size_t size)
{
	size_t longest = 0;

	for (const char *at = text; *at;) {
		size_t length = 0, telling = 0;

		for (; isalnum((unsigned char)at[length]) || at[length] == '_'; length++)
			telling += !strchr("0123456789abcdefxABCDEFX", at[length]);
		if (telling && length > longest && length < size) {
			longest = length;
			memcpy(letters, at, length);
			letters[length] = '\0';
		}
		at += length ? length : 1;
	}
	return longest != 0;
}

int captions_may_have(const struct profile *profile, uint32_t node, uint32_t frame,
		      const char *letters)
{
	const struct profile_frame *known = captions_frame(profile, node, frame);

	if (!node || frame_mark(node, profile->nodes[node].flags))
		return 1;
	if (known && known->function && strcasestr(known->function, letters))
		return 1;
	if (known && known->file && strcasestr(known->file, letters))
		return 1;
	/* what has both names is not called after its module */
	return (!known || !known->function || !known->file) &&
	       strcasestr(
		   profile->modules[profile->locations[profile->nodes[node].location].module].path,
		   letters) != NULL;
}

const struct profile_frame *captions_frame(const struct profile *profile, uint32_t node,
					   uint32_t frame)
{
	const struct profile_location *location =
	    &profile->locations[profile->nodes[node].location];

	return frame < location->frame_count ? &profile->frames[location->frame + frame] : NULL;
}
