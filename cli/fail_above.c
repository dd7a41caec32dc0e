/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/fail_above.h"

#include <string.h>

#include "cli/message.h"
#include "cli/options.h"

struct metric {
	const char *name, *what;
	int in_bytes;
};

enum { ALLOCATIONS, TEMPORARY, LEAKED, LEAKED_BYTES, PEAK, METRICS };

static const struct metric metrics[METRICS] = {
    [ALLOCATIONS] = {"allocations", "allocations", 0},
    [TEMPORARY] = {"temporary", "temporary allocations", 0},
    [LEAKED] = {"leaked", "leaked blocks", 0},
    [LEAKED_BYTES] = {"leaked-bytes", "leaked bytes", 1},
    [PEAK] = {"peak", "bytes at the peak", 1},
};

static uint64_t figure(const struct report_totals *side, int metric)
{
	switch (metric) {
	case ALLOCATIONS:
		return side->totals->allocations;
	case TEMPORARY:
		return side->totals->temporary;
	case LEAKED:
		return side->leaked_blocks;
	case LEAKED_BYTES:
		return side->leaked_bytes;
	}
	return side->totals->peak_bytes;
}

static int unknown_metric(const char *word)
{
	const char *names[METRICS], *nearest;

	for (int i = 0; i < METRICS; i++)
		names[i] = metrics[i].name;
	nearest = options_nearest(word, names, METRICS);
	if (nearest)
		return message_usage("option '--fail-above': there is no '%s': did you mean '%s'?",
				     word, nearest);
	return message_usage("option '--fail-above': there is no '%s': it takes allocations, "
			     "temporary, leaked, leaked-bytes, peak",
			     word);
}

/* The next "METRIC=N" of the list. Returns -1, or STATUS_USAGE after a message. */
static int next_limit(const char **list, int *metric, uint64_t *limit)
{
	size_t length = strcspn(*list, ",");
	char word[64], *equals;

	if (length >= sizeof(word))
		return message_usage("option '--fail-above' takes METRIC=N, not '%s'", *list);
	memcpy(word, *list, length);
	word[length] = '\0';
	*list += length + ((*list)[length] == ',');
	equals = strchr(word, '=');
	if (!equals)
		return message_usage("option '--fail-above' takes METRIC=N, not '%s'", word);
	*equals = '\0';
	for (*metric = 0; *metric < METRICS; ++*metric)
		if (!strcmp(word, metrics[*metric].name))
			break;
	if (*metric == METRICS)
		return unknown_metric(word);
	if (options_size(equals + 1, limit))
		return message_usage("option '--fail-above': %s takes a number like 500 or 2M, "
				     "not '%s'",
				     word, equals + 1);
	return -1;
}

int fail_above_check(const char *limits)
{
	int metric, status = -1;
	uint64_t limit;

	do
		status = next_limit(&limits, &metric, &limit);
	while (status < 0 && *limits);
	return status;
}

int fail_above(const char *limits, const struct report *report, const char *name)
{
	uint64_t per = report->options->per ? report->options->per : 1;
	const char *grew = report->diff ? " more" : "";
	int metric, status = STATUS_OK;
	uint64_t limit;

	while (*limits && next_limit(&limits, &metric, &limit) < 0) {
		uint64_t fresh = figure(&report->fresh, metric);
		uint64_t base = report->diff ? figure(&report->base, metric) : 0;

		if (fresh <= base || fresh - base <= (unsigned __int128)limit * per)
			continue;
		message("%s: %s%s %s, above the limit of %s", name,
			report_count_text(report->options, (int64_t)(fresh - base)).text, grew,
			metrics[metric].what, number_plain((int64_t)limit).text);
		status = STATUS_ABOVE;
	}
	return status;
}
