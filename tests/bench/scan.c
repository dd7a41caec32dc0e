/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * scan TRACE [KEY=VALUE...]: what a filter costs. The trace's events are read, read and
 * filtered in several ways (and in the one that is given). Prints for each the events a
 * second and nanoseconds an event of the fastest of three rounds (time of this
 * process, so that neighbours count less), and at the end the most memory that was used.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "analyzer/model/scan.h"
#include "analyzer/model/select.h"
#include "analyzer/query/details.h"
#include "formats/error.h"

enum { ROUNDS = 3 };

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void check(const char *what, int error, const char *complaint)
{
	if (!error)
		return;
	fprintf(stderr, "scan: %s: %s %s\n", what, error_text(error), complaint);
	exit(1);
}

static void print(const char *what, uint64_t events, uint64_t ns)
{
	printf("%-28s %8.1f M events/s %7.2f ns an event\n", what,
	       (double)events * 1000 / (double)ns, (double)ns / (double)events);
}

static int count_events(void *context, const struct trace_event *events, size_t count)
{
	(void)events;
	*(uint64_t *)context += count;
	return 0;
}

static uint64_t scan(const struct profile *profile)
{
	uint64_t best = UINT64_MAX, events = 0;

	for (int i = 0; i < ROUNDS; i++) {
		uint64_t start = now_ns(), took;

		events = 0;
		check(profile->path, profile_scan(profile, count_events, &events), "");
		took = now_ns() - start;
		best = took < best ? took : best;
	}
	print("read", events, best);
	return events;
}

static void selected(const struct profile *profile, const char *what, const char *expression,
		     unsigned flags, enum filter_instant instant, uint64_t events)
{
	struct filter filter = {.instant = instant};
	uint64_t best = UINT64_MAX;
	char complaint[256] = "";

	if (expression)
		check(expression, filter_add(&filter, expression, 0, complaint, sizeof(complaint)),
		      complaint);
	for (int i = 0; i < ROUNDS; i++) {
		uint64_t start = now_ns(), took;
		struct profile *selection;

		check(what,
		      profile_select(&selection, profile, &filter, flags, complaint,
				     sizeof(complaint)),
		      complaint);
		took = now_ns() - start;
		best = took < best ? took : best;
		profile_free(selection);
	}
	print(what, events, best);
	filter_release(&filter);
}

/* Each class is a group. */
static void details(const struct profile *profile, uint64_t events)
{
	uint32_t *groups = calloc(profile->class_count, sizeof(*groups));
	uint64_t best = UINT64_MAX;

	for (size_t i = 0; groups && i < profile->class_count; i++)
		groups[i] = (uint32_t)i;
	for (int i = 0; i < ROUNDS; i++) {
		uint64_t start = now_ns(), took;
		struct details *found;

		check("details",
		      details_collect(&found, profile, NULL, groups, profile->class_count), "");
		took = now_ns() - start;
		best = took < best ? took : best;
		free(found);
	}
	print("details of all classes", events, best);
	free(groups);
}

int main(int argc, char **argv)
{
	struct profile *profile;
	struct rusage usage;
	uint64_t events;

	if (argc < 2) {
		fputs("scan: which trace? scan TRACE [KEY=VALUE...]\n", stderr);
		return 2;
	}
	check(argv[1], profile_load(&profile, argv[1]), "");
	events = scan(profile);
	if (!events) {
		fprintf(stderr, "scan: %s has no events\n", argv[1]);
		return 1;
	}
	selected(profile, "everything counted", "size=0..", 0, FILTER_END, events);
	selected(profile, "small sizes", "size=..64", 0, FILTER_END, events);
	selected(profile, "a time range", "time=100ms..1s", 0, FILTER_END, events);
	selected(profile, "lifetimes", "lifetime=1ms..10ms", 0, FILTER_END, events);
	selected(profile, "by thread", NULL, SELECT_BY_THREAD, FILTER_END, events);
	selected(profile, "up to the peak", NULL, 0, FILTER_AT_PEAK, events);
	for (int i = 2; i < argc; i++)
		selected(profile, argv[i], argv[i], 0, FILTER_END, events);
	details(profile, events);
	profile_free(profile);
	getrusage(RUSAGE_SELF, &usage);
	printf("%-28s %8.1f MB\n", "memory", (double)usage.ru_maxrss / 1e3);
	return 0;
}
