/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The corpus: traces made from the texts in tests/corpus (the README there
 * says how they are written), each read and compared with what it expects.
 *
 *   test_trace_corpus                    all of them
 *   test_trace_corpus --make TEXT TRACE  writes one as a file
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <glob.h>

#include "tests/fuzz/trace_text.h"
#include "tests/unit/trace_sample.h"

static const char *outcome_of(const struct sample_reading *reading)
{
	static const char *const states[] = {
	    [TRACE_COMPLETE] = "complete",
	    [TRACE_RECORDING] = "recording",
	    [TRACE_CUT] = "cut",
	    [TRACE_DAMAGED] = "damaged",
	};
	int error = reading->open_error ? reading->open_error : reading->read_error;

	switch (error) {
	case 0:
		return states[reading->state];
	case ERROR_FOREIGN:
		return "foreign";
	case ERROR_EMPTY:
		return "empty";
	case ERROR_OLDER:
		return "older";
	case ERROR_NEWER:
		return "newer";
	case ERROR_CUT_OFF:
		return "no-header";
	default:
		return "another error";
	}
}

/* 1 when the trace reads as expected. */
static int replay(struct corpus *corpus)
{
	struct sample_reading reading;
	const char *outcome;
	int good;

	if (corpus->needs_zstd && !trace_codec_supported(TRACE_CODEC_ZSTD))
		return 1;
	sample_read_bytes(&reading, corpus->file.at, corpus->file.size);
	outcome = outcome_of(&reading);
	good = strcmp(outcome, corpus->outcome) == 0 && strcmp(reading.fault, corpus->fault) == 0;
	if (!good)
		fprintf(stderr, "%s: %s \"%s\", expected %s \"%s\"\n", corpus->path, outcome,
			reading.fault, corpus->outcome, corpus->fault);
	for (unsigned i = 0; i < corpus->sees; i++) {
		if (!strstr(reading.text, corpus->see[i])) {
			fprintf(stderr, "%s: no \"%s\" in:\n%s", corpus->path, corpus->see[i],
				reading.text);
			good = 0;
		}
	}
	free(reading.text);
	return good;
}

static void test_corpus(void **state)
{
	static struct corpus corpus;
	const char *tests = getenv("TESTS");
	char pattern[4096];
	unsigned failures = 0;
	glob_t found;

	(void)state;
	snprintf(pattern, sizeof(pattern), "%s/corpus/*.txt", tests ? tests : "tests");
	assert_int_equal(glob(pattern, 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		trace_text_make(&corpus, found.gl_pathv[i]);
		failures += !replay(&corpus);
	}
	globfree(&found);
	assert_int_equal(failures, 0);
}

static int write_file(const char *from, const char *to)
{
	static struct corpus corpus;
	FILE *out = fopen(to, "wb");

	trace_text_make(&corpus, from);
	if (!out || fwrite(corpus.file.at, 1, corpus.file.size, out) != corpus.file.size ||
	    fclose(out)) {
		perror(to);
		return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_corpus)};

	if (argc == 4 && strcmp(argv[1], "--make") == 0)
		return write_file(argv[2], argv[3]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
