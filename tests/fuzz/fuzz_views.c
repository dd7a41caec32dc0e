/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/model/combine.h"
#include "analyzer/model/filter.h"
#include "analyzer/model/health.h"
#include "analyzer/model/profile.h"
#include "analyzer/model/select.h"
#include "analyzer/query/curve.h"
#include "analyzer/report/folded.h"
#include "analyzer/report/histogram.h"
#include "analyzer/report/json_report.h"
#include "analyzer/report/massif.h"
#include "analyzer/report/text.h"
#include "formats/error.h"
#include "tests/fuzz/fuzz.h"

enum { EVERYTHING = 127, COMPLAINT_BYTES = 512 };

static FILE *nowhere(void)
{
	static FILE *out;

	if (!out)
		out = fopen("/dev/null", "we");
	if (!out)
		exit(2);
	return out;
}

static void show_report(const struct profile *profile, const struct lens *lens,
			struct report_options *options)
{
	struct report report;
	int error;

	error = report_init(&report, profile, lens, options);
	if (!error) {
		text_report_head(nowhere(), profile, "a", profile->fresh ? "b" : NULL);
		error = text_report(nowhere(), &report);
	}
	report_release(&report);
	if (!error && !report_init(&report, profile, lens, options))
		json_report(nowhere(), &report, "a", profile->fresh ? "b" : NULL);
	if (!error)
		report_release(&report);
}

static void show(const struct profile *profile, const struct filter *filter, enum lens_by by)
{
	struct suppressions suppressions = {0};
	struct lens lens = {.by = by, .suppressions = &suppressions, .match_similar = 1};
	struct timeline_view timeline = {
	    .axis = TIMELINE_MS,
	    .detailed_every = 2,
	    .filter = filter,
	    .base_filter = filter,
	    .lens = &lens,
	    .threshold = TIMELINE_PERCENT,
	    .shorten = 1,
	};
	struct report_options options = {
	    .sections = EVERYTHING,
	    .tree = 1,
	    .callers = "a",
	    .merge = by % 2 == 0,
	    .details = 1,
	    .shorten = 1,
	    .entries = 20,
	    .stacks = 5,
	    .sort_by = -1,
	    .least = 1,
	    .suppressions = 1,
	    .filter = filter,
	    .base_filter = filter,
	    .timeline = &timeline,
	};

	for (size_t i = 0; i < profile->suppression_count; i++) {
		char complaint[COMPLAINT_BYTES];
		const char *rule = profile->suppressions[i];

		suppressions_add_text(&suppressions, rule, strlen(rule), SUPPRESSION_EMBEDDED,
				      complaint, sizeof(complaint));
	}
	if (!suppressions_add_builtin(&suppressions) &&
	    !suppressions_apply(&suppressions, profile)) {
		show_report(profile, &lens, &options);
		options.callers = NULL;
		options.tree = 2;
		show_report(profile, &lens, &options);
		folded_write(nowhere(), profile, &lens, COST_PEAK, 1);
		histogram_write(nowhere(), profile);
		if (!profile->fresh) {
			massif_write(nowhere(), profile, &timeline);
			timeline.axis = TIMELINE_BYTES;
			massif_write(nowhere(), profile, &timeline);
		}
	}
	suppressions_release(&suppressions);
}

static void show_curves(const struct profile *profile, const struct filter *filter)
{
	const struct curve_options options = {
	    .filter = filter, .to = profile->totals.end_tick, .intervals = 100};
	struct curve curve;

	curve_from_points(&curve, profile);
	curve_release(&curve);
	curve_collect(&curve, profile, &options);
	curve_release(&curve);
}

static void show_part(const struct profile *profile, const char *const *terms, const char *at,
		      enum lens_by by)
{
	unsigned flags = by == LENS_BY_THREAD ? SELECT_BY_THREAD : 0;
	char complaint[COMPLAINT_BYTES] = "";
	struct filter filter = {0};
	struct profile *selected;

	while (*terms)
		filter_add(&filter, *terms++, 0, complaint, sizeof(complaint));
	if (at)
		filter_set_instant(&filter, at, profile->totals.end_tick, complaint,
				   sizeof(complaint));
	if (!profile_select(&selected, profile, &filter, flags, complaint, sizeof(complaint))) {
		show(selected, &filter, by);
		show_curves(profile, &filter);
		profile_free(selected);
	}
	filter_release(&filter);
}

void fuzz_views(const char *path)
{
	static const char *const lived[] = {"lifetime=1ms..", "size=1..", "time=0..9m", NULL};
	static const char *const named[] = {"function=a", "thread=a", NULL}, *const none[] = {NULL};
	struct profile *profile, *again, *both;
	struct filter everything = {0};
	char state[COMPLAINT_BYTES];

	if (profile_load(&profile, path))
		return;
	profile_check_events(profile, path);
	health_state_text(profile, state, sizeof(state));
	text_info(nowhere(), profile, path, 0);
	show(profile, &everything, LENS_BY_SITE);
	show_curves(profile, &everything);
	show_part(profile, lived, NULL, LENS_BY_FUNCTION);
	show_part(profile, named, NULL, LENS_BY_SIZE);
	show_part(profile, none, "50%", LENS_BY_THREAD);
	if (!profile_load_from_events(&again, path)) {
		if (!profile_combine(&both, profile, again)) {
			show(both, &everything, LENS_BY_SITE);
			profile_free(both);
		}
		profile_free(again);
	}
	profile_free(profile);
}
