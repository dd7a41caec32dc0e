/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * figures FILE: a trace's totals as NAME=NUMBER, for the tests. Where the trace is whole,
 * its counters and what its events add up to must be the same: where they differ, says so
 * and fails.
 * figures FILE classes: SIZE and number of allocations of each class instead.
 * figures FILE shares: of each thread and class instead, lines as random_program writes them
 * (victims/random_model.h): "thread TID FIGURE", "path FUNCTION;FUNCTION BY FIGURE", a tab, the
 * value. A path has the program's own functions, without parameters; several classes may have
 * the same.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "analyzer/model/profile.h"
#include "formats/error.h"

static uint64_t lost(const struct profile *profile)
{
	return profile->end[TRACE_END_LOST_SIGNAL] + profile->end[TRACE_END_LOST_NO_RING] +
	       profile->end[TRACE_END_LOST_OTHER] + profile->end[TRACE_END_LOST_ABANDONED];
}

static void print(const char *name, uint64_t value)
{
	printf("%s=%ju\n", name, (uintmax_t)value);
}

/* The classes and the threads must say what the totals say. */
static int sums_differ(const struct profile *profile)
{
	const struct profile_totals *totals = &profile->totals;
	struct profile_totals by_class = {0}, by_thread = {0};

	for (size_t i = 1; i < profile->class_count; i++) {
		const struct profile_class *class = &profile->classes[i];

		by_class.allocations += class->allocations;
		by_class.deallocations += class->deallocations;
		by_class.temporary += class->temporary;
		by_class.bytes += class->allocations * class->size;
		by_class.leaked_blocks += class->allocations - class->deallocations;
		by_class.leaked_bytes += (class->allocations - class->deallocations) * class->size;
		by_class.peak_blocks += class->peak_live;
		by_class.peak_bytes += class->peak_live * class->size;
	}
	/* the first is the one of files that hold no threads */
	for (size_t i = 0; i < profile->thread_count; i++) {
		by_thread.allocations += profile->threads[i].allocations;
		by_thread.deallocations += profile->threads[i].deallocations;
		by_thread.temporary += profile->threads[i].temporary;
		by_thread.bytes += profile->threads[i].bytes;
	}
	return by_class.allocations != totals->allocations ||
	       by_class.deallocations != totals->deallocations ||
	       by_class.temporary != totals->temporary || by_class.bytes != totals->bytes ||
	       by_class.leaked_blocks != totals->leaked_blocks ||
	       by_class.leaked_bytes != totals->leaked_bytes ||
	       by_class.peak_blocks != totals->peak_blocks ||
	       by_class.peak_bytes != totals->peak_bytes ||
	       by_thread.allocations != totals->allocations ||
	       by_thread.deallocations != totals->deallocations ||
	       by_thread.temporary != totals->temporary || by_thread.bytes != totals->bytes;
}

static int events_differ(const struct profile *profile, const char *path)
{
	const struct profile_totals *a = &profile->totals, *b;
	struct profile *rebuilt;
	int differ, error = profile_load_from_events(&rebuilt, path);

	if (error) {
		fprintf(stderr, "figures: %s: from events: %s\n", path, error_text(error));
		return 1;
	}
	b = &rebuilt->totals;
	differ = a->allocations != b->allocations || a->deallocations != b->deallocations ||
		 a->reallocations != b->reallocations || a->temporary != b->temporary ||
		 a->bytes != b->bytes || a->peak_bytes != b->peak_bytes ||
		 a->peak_blocks != b->peak_blocks || a->leaked_blocks != b->leaked_blocks ||
		 a->leaked_bytes != b->leaked_bytes || sums_differ(rebuilt);
	profile_free(rebuilt);
	return differ;
}

/* --- shares -------------------------------------------------------------------------------- */

static void print_path(const struct profile *profile, uint32_t node, const char *separator)
{
	const struct profile_node *here = &profile->nodes[node];
	const struct profile_location *location = &profile->locations[here->location];
	const char *function = NULL;

	if (node == 0)
		return;
	if (location->frame_count != 0 &&
	    strcmp(profile->modules[location->module].path, profile->program) == 0)
		function = profile->frames[location->frame].function;
	/* what calls main() has no file */
	if (function == NULL || profile->frames[location->frame].file == NULL) {
		print_path(profile, here->parent, separator);
		return;
	}
	print_path(profile, here->parent, ";");
	printf("%.*s%s", (int)strcspn(function, "("), function, separator);
}

static void print_class(const struct profile *profile, const struct profile_class *class)
{
	const uint64_t live = class->allocations - class->deallocations;
	const struct {
		const char *name;
		uint64_t value;
	} figures[] = {
	    {"allocations", class->allocations},
	    {"deallocations", class->deallocations},
	    {"bytes", class->allocations * class->size},
	    {"temporary", class->temporary},
	    {"leaked_blocks", live},
	    {"leaked_bytes", live * class->size},
	    {"peak_blocks", class->peak_live},
	    {"peak_bytes", class->peak_live * class->size},
	};

	for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++) {
		fputs("path ", stdout);
		print_path(profile, class->node, "");
		printf(" %s %s\t%ju\n", profile_function_name(class->function), figures[i].name,
		       (uintmax_t)figures[i].value);
	}
}

static void print_thread(const struct profile *profile, const struct profile_thread *thread)
{
	char name[24] = "first";

	if (thread->tid != profile->pid)
		snprintf(name, sizeof(name), "%ju", (uintmax_t)thread->tid);
	printf("thread %s allocations\t%ju\n", name, (uintmax_t)thread->allocations);
	printf("thread %s deallocations\t%ju\n", name, (uintmax_t)thread->deallocations);
	printf("thread %s temporary\t%ju\n", name, (uintmax_t)thread->temporary);
	printf("thread %s bytes\t%ju\n", name, (uintmax_t)thread->bytes);
}

static void print_shares(const struct profile *profile)
{
	for (size_t i = 1; i < profile->thread_count; i++)
		print_thread(profile, &profile->threads[i]);
	for (size_t i = 1; i < profile->class_count; i++)
		print_class(profile, &profile->classes[i]);
}

int main(int argc, char **argv)
{
	struct profile *profile;
	const struct profile_totals *totals;
	int error, bad = 0;

	if (argc != 2 &&
	    (argc != 3 || (strcmp(argv[2], "classes") != 0 && strcmp(argv[2], "shares") != 0))) {
		fputs("usage: figures FILE [classes|shares]\n", stderr);
		return 2;
	}
	error = profile_load(&profile, argv[1]);
	if (error) {
		fprintf(stderr, "figures: %s: %s\n", argv[1], error_text(error));
		return 1;
	}
	if (argc == 3 && strcmp(argv[2], "shares") == 0) {
		print_shares(profile);
		profile_free(profile);
		return 0;
	}
	if (argc == 3) {
		for (size_t i = 1; i < profile->class_count; i++)
			printf("%ju\t%ju\n", (uintmax_t)profile->classes[i].size,
			       (uintmax_t)profile->classes[i].allocations);
		profile_free(profile);
		return 0;
	}
	totals = &profile->totals;
	print("allocations", totals->allocations);
	print("deallocations", totals->deallocations);
	print("bytes", totals->bytes);
	print("temporary", totals->temporary);
	print("reallocations", totals->reallocations);
	print("leaked_blocks", totals->leaked_blocks);
	print("leaked_bytes", totals->leaked_bytes);
	print("peak_bytes", totals->peak_bytes);
	print("peak_blocks", totals->peak_blocks);
	print("unmatched", totals->allocations - totals->deallocations - totals->leaked_blocks);
	print("unknown_frees", profile->end[TRACE_END_UNKNOWN_FREES]);
	print("inherited_frees", profile->end[TRACE_END_INHERITED_FREES]);
	print("late_events", profile->end[TRACE_END_LATE_EVENTS]);
	print("lost", lost(profile));
	if (sums_differ(profile)) {
		fprintf(stderr, "figures: %s: classes or threads do not sum to the totals\n",
			argv[1]);
		bad = 1;
	}
	if (profile->state == TRACE_COMPLETE && events_differ(profile, argv[1])) {
		fprintf(stderr, "figures: %s: the events add up to something else\n", argv[1]);
		bad = 1;
	}
	profile_free(profile);
	return bad;
}
