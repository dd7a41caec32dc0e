/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tui/marks.h"

enum { FRAMES = 500, ROUNDS = 20000 };

static uint64_t state_of_random = 1;

static unsigned below(unsigned limit)
{
	state_of_random ^= state_of_random << 13;
	state_of_random ^= state_of_random >> 7;
	state_of_random ^= state_of_random << 17;
	return (unsigned)(state_of_random % limit);
}

/* Few different letters, so that much is nearly found. */
static void make_text(char *text, unsigned longest, const char *letters)
{
	unsigned length = below(longest + 1);

	for (unsigned i = 0; i < length; i++)
		text[i] = letters[below((unsigned)strlen(letters))];
	text[length] = '\0';
}

static void test_folded_as_strcasestr(void **state)
{
	char text[32], needle[8];

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		make_text(text, 20, "aAbB_@Z[\xc3\xa4");
		make_text(needle, 4, "ab_@z[\xc3\xa4");
		assert_int_equal(marks_folded(text, needle), strcasestr(text, needle) != NULL);
	}
}

static unsigned judged;

static uint8_t judge(const struct profile_frame *frame, const char *text)
{
	judged++;
	return frame->function ? 1 + (strcmp(frame->function, text) == 0) : 0;
}

static void test_frames_are_judged_once(void **state)
{
	static const char *const names[] = {NULL, "one", "two", "three"};
	struct profile_frame frames[FRAMES] = {0};
	struct profile profile = {.frames = frames, .frame_count = FRAMES};
	struct marks marks = {0};

	(void)state;
	for (unsigned round = 0; round < 50; round++) {
		const char *text = names[1 + below(3)];
		const uint8_t *of_frame;

		for (unsigned i = 0; i < FRAMES; i++)
			frames[i].function = names[below(4)];
		/* what was another picture's is not taken for this one's */
		of_frame = marks_of(&marks, &profile, round, text, judge);
		assert_non_null(of_frame);
		for (unsigned i = 0; i < FRAMES; i++)
			assert_int_equal(of_frame[i], judge(&frames[i], text));
		judged = 0;
		assert_ptr_equal(marks_of(&marks, &profile, round, text, judge), of_frame);
		assert_int_equal(judged, 0);
		of_frame = marks_of(&marks, &profile, round, "none", judge);
		for (unsigned i = 0; i < FRAMES; i++)
			assert_int_equal(of_frame[i], frames[i].function != NULL);
	}
	marks_release(&marks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_folded_as_strcasestr),
	    cmocka_unit_test(test_frames_are_judged_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
