/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tui/curves.h"

#include <stdlib.h>
#include <string.h>

#include "formats/error.h"
#include "tui/state.h"

/* Of a scan: 40 bytes each. A run of half a minute is exact to the tick by the first one. */
#define INTERVALS 32768

/* --- what is selected, whenever it was allocated ------------------------------------------ */

static int copy_without_times(struct filter *copy, const struct filter *filter)
{
	int error = filter_copy(copy, filter);
	size_t kept = 0;

	if (error)
		return error;
	for (size_t i = 0; i < copy->count; i++)
		if (copy->terms[i].key != FILTER_TIME)
			copy->terms[kept++] = copy->terms[i];
	copy->count = kept;
	copy->instant = FILTER_END;
	copy->tick = 0;
	return 0;
}

static char *filter_key(const struct filter *filter)
{
	int length = filter_text(filter, NULL, 0);
	char *text = length < 0 ? NULL : malloc((size_t)length + 1);

	if (text)
		filter_text(filter, text, (size_t)length + 1);
	return text;
}

/* --- the job ------------------------------------------------------------------------------ */

struct curves_job {
	struct curves *owner;
	unsigned asked;
	const struct profile *profiles[2];
	struct filter filters[2];
	struct curve_options options;
	struct curve made[2];
};

static int work(void *context, char *complaint)
{
	struct curves_job *job = context;
	int error = 0;

	(void)complaint;
	for (int i = 0; i < 2 && !error; i++) {
		if (!job->profiles[i])
			continue;
		job->options.filter = &job->filters[i];
		error = curve_collect(&job->made[i], job->profiles[i], &job->options);
	}
	return error;
}

static void free_job(struct curves_job *job)
{
	for (int i = 0; i < 2; i++) {
		filter_release(&job->filters[i]);
		curve_release(&job->made[i]);
	}
	free(job);
}

static void replace(struct curve *curves, struct curve *by)
{
	for (int i = 0; i < 2; i++) {
		curve_release(&curves[i]);
		curves[i] = by[i];
		by[i] = (struct curve){0};
	}
}

static void done(struct tui *tui, void *context, int error, const char *complaint)
{
	struct curves_job *job = context;
	struct curves *curves = job->owner;

	(void)complaint;
	if (job->asked == curves->asked) {
		if (error && error != ERROR_CANCELLED && error != ERROR_UNSUPPORTED)
			tui_message(tui, "the events can't be read: %s", error_text(error));
		curves->failed = error != 0;
		if (!error && !job->options.from && job->options.to == curves->end) {
			replace(curves->whole, job->made);
			curves->exact = 1;
		} else if (!error) {
			replace(curves->fine, job->made);
		}
	}
	free_job(job);
}

static const struct job_kind counting = {"counting the heap over time", work, done};

static void start(struct tui *tui, struct curves *curves, uint64_t from, uint64_t to)
{
	struct curves_job *job;

	if (tui->job.kind || curves->failed)
		return;
	job = calloc(1, sizeof(*job));
	if (!job)
		return;
	job->owner = curves;
	job->profiles[0] = tui->options->fresh;
	job->profiles[1] = tui->options->base;
	job->options = (struct curve_options){.from = from, .to = to, .intervals = INTERVALS};
	if (filter_copy(&job->filters[0], &curves->filters[0]) ||
	    filter_copy(&job->filters[1], &curves->filters[1])) {
		free_job(job);
		return;
	}
	job->asked = ++curves->asked;
	job_start(tui, &counting, job);
}

/* --- what there is ------------------------------------------------------------------------ */

static void forget(struct curves *curves)
{
	for (int i = 0; i < 2; i++) {
		curve_release(&curves->whole[i]);
		curve_release(&curves->fine[i]);
		filter_release(&curves->filters[i]);
	}
	free(curves->key);
	curves->key = NULL;
	curves->exact = curves->failed = 0;
	curves->asked++;
}

void curves_release(struct curves *curves)
{
	forget(curves);
}

/* Points are those of everything, or of a selection as it is; and of that not of a part of the
 * time. */
static int take_points(struct tui *tui, struct curves *curves)
{
	const struct profile *wholes[2] = {tui->options->fresh, tui->options->base};
	int error = 0;

	for (int i = 0; i < 2 && !error; i++) {
		const struct filter *filter = &tui->picture->filters[i];
		const struct profile *profile = wholes[i];

		if (!profile)
			continue;
		if (!filter_is_empty(&curves->filters[i])) {
			profile = tui->picture->selected[i];
			if (filter->instant != FILTER_END ||
			    filter->count > curves->filters[i].count)
				continue;
		}
		error = curve_from_points(&curves->whole[i], profile);
	}
	return error;
}

static uint64_t end_of(const struct profile *profile)
{
	return profile ? profile->totals.end_tick + 1 : 0;
}

int curves_refresh(struct tui *tui, struct curves *curves)
{
	struct filter filters[2] = {{0}, {0}};
	char *key = NULL;
	int error = 0;

	for (int i = 0; i < 2 && !error; i++)
		error = copy_without_times(&filters[i], &tui->picture->filters[i]);
	if (!error)
		key = filter_key(&filters[0]);
	if (!key || (curves->key && !strcmp(key, curves->key))) {
		filter_release(&filters[0]);
		filter_release(&filters[1]);
		free(key);
		return key ? 0 : ERROR_MEMORY;
	}
	forget(curves);
	curves->key = key;
	curves->filters[0] = filters[0];
	curves->filters[1] = filters[1];
	curves->end = end_of(tui->options->fresh);
	if (end_of(tui->options->base) > curves->end)
		curves->end = end_of(tui->options->base);
	error = take_points(tui, curves);
	if (!error)
		start(tui, curves, 0, curves->end);
	return error;
}

static int covers(const struct curve *curve, uint64_t from, uint64_t to)
{
	return curve->count && curve->from <= from && curve->to >= to;
}

static int is_fine_enough(const struct curve *curve, uint64_t from, uint64_t to, size_t columns)
{
	size_t wanted = to - from < columns ? (size_t)(to - from) : columns;

	return covers(curve, from, to) &&
	       curve_find(curve, to - 1) - curve_find(curve, from) + 1 >= wanted;
}

void curves_want(struct tui *tui, struct curves *curves, uint64_t from, uint64_t to, size_t columns)
{
	uint64_t length = to - from;

	if (!curves->exact) {
		start(tui, curves, 0, curves->end);
		return;
	}
	if (is_fine_enough(&curves->whole[0], from, to, columns) ||
	    is_fine_enough(&curves->fine[0], from, to, columns))
		return;
	/* with what lies beside, for who moves on */
	start(tui, curves, from > length ? from - length : 0,
	      curves->end - to > length ? to + length : curves->end);
}

const struct curve *curves_of(const struct curves *curves, int side, uint64_t from, uint64_t to)
{
	if (covers(&curves->fine[side], from, to))
		return &curves->fine[side];
	return curves->whole[side].count ? &curves->whole[side] : NULL;
}
