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
	marks_release(&captions->searched);
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

/* What may be the end of an escaped byte (\x1b) at a place of a text that is looked for: a name
 * has the byte instead. */
static size_t escaped_length(const char *text, const char *at)
{
	size_t length;

	if (at > text && at[-1] != '\\')
		return 0;
	length = *at == 'x';
	for (int digits = 0; digits < 2 && at[length] && strchr("0123456789abcdef", at[length]);
	     digits++)
		length++;
	return length;
}

/* The longest run of letters and digits: a name has it as it is. What a line or an address (12,
 * 0x7f) may be made of tells nothing. */
int captions_letters(const char *text, char *letters, size_t size)
{
	size_t longest = 0;

	for (const char *at = text; *at;) {
		size_t length = 0, telling = 0;

		at += escaped_length(text, at);
		for (; isalnum((unsigned char)at[length]) || at[length] == '_'; length++)
			telling += !strchr("0123456789abcdefxABCDEFX", at[length]);
		if (telling && length > longest && length < size) {
			longest = length;
			for (size_t i = 0; i < length; i++)
				letters[i] = (char)tolower((unsigned char)at[i]);
			letters[length] = '\0';
		}
		at += length ? length : *at != '\0';
	}
	return longest != 0;
}

/* What has both names is not called after its module. */
enum { MARK_NO, MARK_YES, MARK_MODULE };

static uint8_t judge(const struct profile_frame *frame, const char *letters)
{
	if (frame->function && marks_folded(frame->function, letters))
		return MARK_YES;
	if (frame->file && marks_folded(frame->file, letters))
		return MARK_YES;
	return frame->function && frame->file ? MARK_NO : MARK_MODULE;
}

int captions_may_have(struct captions *captions, const struct profile *profile, unsigned picture,
		      const struct frame_reference *at, const char *letters)
{
	const struct profile_location *location =
	    &profile->locations[profile->nodes[at->node].location];
	const uint8_t *marks;
	uint8_t mark = MARK_MODULE;

	if (!at->node || frame_mark(at->node, profile->nodes[at->node].flags))
		return 1;
	if (at->frame < location->frame_count) {
		marks = marks_of(&captions->searched, profile, picture, letters, judge);
		if (!marks)
			return 1;
		mark = marks[location->frame + at->frame];
	}
	return mark == MARK_YES || (mark == MARK_MODULE &&
				    marks_folded(profile->modules[location->module].path, letters));
}

const struct profile_frame *captions_frame(const struct profile *profile, uint32_t node,
					   uint32_t frame)
{
	const struct profile_location *location =
	    &profile->locations[profile->nodes[node].location];

	return frame < location->frame_count ? &profile->frames[location->frame + frame] : NULL;
}
