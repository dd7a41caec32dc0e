/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tui/marks.h"

#include <stdlib.h>
#include <string.h>

const uint8_t *marks_of(struct marks *marks, const struct profile *profile, unsigned picture,
			const char *text, marks_judge judge)
{
	uint8_t *larger;

	if (marks->of_frame && marks->frames == profile->frames && marks->picture == picture &&
	    marks->count == profile->frame_count && !strcmp(marks->text, text))
		return marks->of_frame;
	larger = realloc(marks->of_frame, profile->frame_count + 1);
	if (!larger) {
		marks_release(marks);
		return NULL;
	}
	*marks = (struct marks){.frames = profile->frames,
				.picture = picture,
				.of_frame = larger,
				.count = profile->frame_count};
	strncat(marks->text, text, sizeof(marks->text) - 1);
	for (size_t i = 0; i < marks->count; i++) {
		const struct profile_frame *frame = &profile->frames[i];

		/* what lies side by side often is of one function, or of one file */
		if (i && frame->function == frame[-1].function && frame->file == frame[-1].file)
			larger[i] = larger[i - 1];
		else
			larger[i] = judge(frame, marks->text);
	}
	return larger;
}

void marks_release(struct marks *marks)
{
	free(marks->of_frame);
	*marks = (struct marks){0};
}

static char folded(char letter)
{
	return letter >= 'A' && letter <= 'Z' ? (char)(letter - 'A' + 'a') : letter;
}

/* (strcasestr() asks the locale about each letter, and takes ten times as long for a name.) */
int marks_folded(const char *text, const char *needle)
{
	if (!*needle)
		return 1;
	for (; *text; text++) {
		size_t same = 0;

		while (needle[same] && folded(text[same]) == needle[same])
			same++;
		if (!needle[same])
			return 1;
	}
	return 0;
}
