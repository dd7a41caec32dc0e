/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/exports.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyzer/query/cost.h"
#include "analyzer/report/folded.h"
#include "analyzer/report/histogram.h"
#include "analyzer/report/json_report.h"
#include "analyzer/report/massif.h"
#include "cli/input.h"
#include "cli/message.h"
#include "formats/error.h"

const struct option_choice export_costs[] = {
    {"allocations", COST_ALLOCATIONS},
    {"temporary", COST_TEMPORARY},
    {"leaked", COST_LEAKED},
    {"peak", COST_PEAK},
    {NULL, 0},
};

/* heaptrack_print's -M. */
#define MASSIF_DETAILED 2

/* massif's names, too */
const struct option_choice export_axes[] = {
    {"ms", TIMELINE_MS},
    {"allocations", TIMELINE_ALLOCATIONS},
    {"bytes", TIMELINE_BYTES},
    {"B", TIMELINE_BYTES},
    {NULL, 0},
};

/* "1", "0.5", "2.25%": in parts of TIMELINE_PERCENT. -1 for what is no percentage. */
static int parse_percent(const char *text, unsigned *parts)
{
	unsigned long value = 0, unit = TIMELINE_PERCENT;
	int digits = 0, point = 0;

	for (; *text && strcmp(text, "%") != 0; text++) {
		if (*text == '.' && !point) {
			point = 1;
			continue;
		}
		if (*text < '0' || *text > '9' || (point && unit == 1))
			return -1;
		digits++;
		if (point) {
			unit /= 10;
			value += (unsigned long)(*text - '0') * unit;
		} else {
			value = value * 10 + (unsigned long)(*text - '0') * unit;
		}
		if (value > 100ul * TIMELINE_PERCENT)
			return -1;
	}
	*parts = (unsigned)value;
	return digits ? 0 : -1;
}

int export_check(enum export_format format, const struct export_options *options,
		 const struct view_options *view)
{
	unsigned parts;

	if (options->percent && parse_percent(options->percent, &parts))
		return message_usage(
		    "option '--massif-threshold': '%s' is no percentage: it takes 0 "
		    "to 100, with up to 4 decimals",
		    options->percent);
	if (format == EXPORT_MASSIF && options->axis == TIMELINE_ALLOCATIONS)
		return message_usage("a massif file has no allocations as its time unit: use "
				     "--time-unit=ms or bytes");
	if (format == EXPORT_MASSIF && view->base)
		return message_usage("a massif file holds one run: leave '-d %s' out", view->base);
	return -1;
}

struct timeline_view export_timeline_view(const struct export_options *options,
					  const struct view *view, unsigned usual)
{
	struct timeline_view timeline = {
	    .axis = (enum timeline_axis)options->axis,
	    .detailed_every = options->detailed == EXPORT_USUAL ? usual
			      : options->detailed > UINT_MAX    ? UINT_MAX
								: (unsigned)options->detailed,
	    .filter = &view->fresh.filter,
	    .base_filter = &view->base.filter,
	    .lens = &view->lens,
	    .threshold = TIMELINE_PERCENT,
	    .shorten = options->shorten,
	    .plain = options->plain,
	};

	if (options->percent)
		parse_percent(options->percent, &timeline.threshold);
	return timeline;
}

static int write_json(FILE *out, const struct export_options *options, const struct view *view,
		      const struct view_options *inputs)
{
	struct report_options report_options = {
	    .sections =
		REPORT_ALLOCATIONS | REPORT_PEAK | REPORT_LEAKS | REPORT_TEMPORARY | REPORT_SUMMARY,
	    .merge = 1,
	    .shorten = options->shorten,
	    .entries = options->entries,
	    .stacks = options->stacks,
	    .sort_by = -1,
	    .least = 1,
	    .suppressions = 1,
	    .filter = &view->fresh.filter,
	    .base_filter = &view->base.filter,
	};
	struct report report;
	int error = report_init(&report, view->profile, &view->lens, &report_options);

	if (!error)
		error = json_report(out, &report, inputs->path, inputs->base);
	report_release(&report);
	return error;
}

static int write_format(FILE *out, enum export_format format, const struct export_options *options,
			const struct view *view, const struct view_options *inputs)
{
	struct timeline_view timeline;

	switch (format) {
	case EXPORT_FOLDED:
		return folded_write(out, view->profile, &view->lens, (enum cost_kind)options->cost,
				    options->shorten);
	case EXPORT_HISTOGRAM:
		return histogram_write(out, view->profile);
	case EXPORT_JSON:
		return write_json(out, options, view, inputs);
	case EXPORT_MASSIF:
		timeline = export_timeline_view(options, view, MASSIF_DETAILED);
		return massif_write(out, view->profile, &timeline);
	}
	return 0;
}

static int is_input(const char *input, const struct stat *output)
{
	struct stat status;

	if (!input || (strcmp(input, "-") ? stat(input, &status) : fstat(STDIN_FILENO, &status)))
		return 0;
	return status.st_dev == output->st_dev && status.st_ino == output->st_ino;
}

/* Whoever mixes up the order of names loses no trace. */
static int refuse_input(const char *path, const struct view_options *inputs)
{
	struct stat status;

	if (stat(path, &status) || !S_ISREG(status.st_mode) ||
	    (!is_input(inputs->path, &status) && !is_input(inputs->base, &status)))
		return -1;
	return message_usage("%s: this is the trace that is read: name another file to write to",
			     path);
}

int export_write(const char *path, enum export_format format, const struct export_options *options,
		 const struct view *view, const struct view_options *inputs)
{
	int to_stdout = !path || !strcmp(path, "-");
	FILE *out = stdout;
	int error, failed, status;

	if (!to_stdout) {
		status = refuse_input(path, inputs);
		if (status >= 0)
			return status;
		out = fopen(path, "we");
		if (!out)
			return message_failed("%s: %s", path, strerror(errno));
	}
	error = write_format(out, format, options, view, inputs);
	if (!to_stdout) {
		failed = ferror(out);
		if ((fclose(out) || failed) && !error)
			return message_failed("%s: not written to the end: %s", path,
					      strerror(errno ? errno : EIO));
	}
	return error ? message_trace_error(inputs->path, error) : -1;
}
