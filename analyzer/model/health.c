/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/model/health.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "formats/numbers.h"

const struct health_item health_items[] = {
    {
	.tag = TRACE_END_UNKNOWN_FREES,
	.misleading = 1,
	.label = "frees of unknown blocks",
	.unit = "",
	.sentence = "blocks given back whose allocation was never recorded",
    },
    {
	.tag = TRACE_END_INHERITED_FREES,
	.label = "frees of inherited blocks",
	.unit = "",
	.sentence = "blocks given back that the parent process had allocated before the fork",
    },
    {
	.tag = TRACE_END_LOST_SIGNAL,
	.misleading = 1,
	.label = "lost events",
	.unit = " (in signal handlers)",
	.sentence = "calls in signal handlers that interrupted the collector itself",
    },
    {
	.tag = TRACE_END_LOST_NO_RING,
	.misleading = 1,
	.label = "lost events",
	.unit = " (no ring left for the thread)",
	.sentence = "calls of threads beyond the number that can be recorded at a time",
    },
    {
	.tag = TRACE_END_LOST_OTHER,
	.misleading = 1,
	.label = "lost events",
	.unit = " (other reasons)",
	.sentence = "calls that could not be recorded for another reason",
    },
    {
	.tag = TRACE_END_LOST_ABANDONED,
	.misleading = 1,
	.label = "recording abandoned",
	.unit = " (the program went on unrecorded)",
	.sentence = "recording ended before the program did: what came later is missing",
    },
    {
	.tag = TRACE_END_STACKS_UNKNOWN,
	.misleading = 1,
	.label = "stacks without a frame",
	.unit = " allocations",
	.sentence = "allocations whose caller is not known",
    },
    {
	.tag = TRACE_END_STACKS_INCOMPLETE,
	.misleading = 1,
	.label = "stacks not walked to their end",
	.unit = " allocations",
	.sentence = "allocations whose outer frames could not be found",
    },
    {
	.tag = TRACE_END_STACKS_CUT,
	.misleading = 1,
	.label = "stacks cut by the depth limit",
	.unit = " allocations",
	.sentence = "allocations whose outer frames were left out (record --max-depth)",
    },
    {
	.tag = TRACE_END_STACKS_GUESSED,
	.misleading = 1,
	.label = "stacks with guessed frames",
	.unit = " allocations",
	.sentence = "allocations through code without unwind information",
    },
    {
	.tag = TRACE_END_STACKS_FALLBACK,
	.label = "stacks walked by libunwind",
	.unit = " allocations",
	.sentence = "right, but slower to capture than the others",
    },
    {
	.tag = TRACE_END_EXEC_UNRECORDED,
	.misleading = 1,
	.label = "programs not recorded",
	.unit = "",
	.sentence = "started by this one, but static, privileged or of another kind",
    },
    {
	.tag = TRACE_END_LOADED_PAST,
	.misleading = 1,
	.label = "libraries not recorded",
	.unit = " (RTLD_DEEPBIND or dlmopen)",
	.sentence = "they call another malloc: what they allocate is missing, what they free "
		    "for others counts as leaked",
    },
    {
	.tag = TRACE_END_LATE_EVENTS,
	.label = "read out of order",
	.unit = " events",
	.sentence =
	    "calls that several threads made at the same time: all are counted, their order "
	    "is not certain",
    },
    {
	.tag = TRACE_END_SYMBOLS_SKIPPED,
	.misleading = 1,
	.label = "modules without symbols",
	.unit = " (skipped: missing, damaged or over a limit)",
	.sentence = "their functions are shown as addresses, or without lines",
    },
    {
	.misleading = 1,
	.label = "embedded suppressions not read",
	.unit = " (no literal is returned by __lsan_default_suppressions)",
	.sentence = "what the program itself would suppress is not: print --suppressions FILE can",
    },
    {
	.tag = TRACE_END_EVENTS_STOPPED,
	.is_tick = 1,
	.by = TRACE_STOPPED_BY_LIMIT,
	.label = "events recorded up to",
	.unit = " s (the size limit)",
	.sentence = "the totals and the peak went on; what needs events ends there",
    },
    {
	.tag = TRACE_END_EVENTS_STOPPED,
	.is_tick = 1,
	.by = TRACE_STOPPED_BY_DISK,
	.label = "events recorded up to",
	.unit = " s (the disk was full)",
	.sentence =
	    "the totals and the peak went on; what needs events ends there, maybe the timeline",
    },
    {
	.tag = TRACE_END_EVENTS_STOPPED,
	.is_tick = 1,
	.by = TRACE_STOPPED_BY_MEMORY,
	.label = "events recorded up to",
	.unit = " s (the recorder had no memory)",
	.sentence = "the totals and the peak went on; what needs events ends there",
    },
    {0},
};

/* Whether all figures end where the events do, and not only some views. */
static int is_of_events(const struct profile *profile)
{
	return profile->whole && profile->rebuilt;
}

uint64_t health_value(const struct profile *profile, const struct health_item *item)
{
	if (!item->tag)
		return (uint64_t)profile->suppressions_unread;
	if (item->is_tick && profile->end[TRACE_END_EVENTS_STOPPED_BY] != item->by)
		return 0;
	return profile->end[item->tag];
}

int health_item_text(const struct profile *profile, const struct health_item *item, char *text,
		     size_t size)
{
	uint64_t value = health_value(profile, item);

	if (!value)
		return snprintf(text, size, "%s", "");
	if (!item->is_tick)
		return snprintf(text, size, "%s: %" PRIu64 "%s", item->label, value, item->unit);
	value = value > INT64_MAX ? INT64_MAX : value - 1;
	return snprintf(text, size, "%s: %s%s",
			is_of_events(profile) ? "filtered figures end at" : item->label,
			number_fixed((int64_t)value, TRACE_TICKS_PER_SECOND, 3).text, item->unit);
}

int health_misleads(const struct profile *profile, const struct health_item *item)
{
	return health_value(profile, item) && (item->misleading || item->is_tick);
}

int health_state_text(const struct profile *profile, char *text, size_t size)
{
	int64_t end = (int64_t)profile->totals.end_tick;
	struct number_text upto =
	    number_fixed(end, TRACE_TICKS_PER_SECOND, end < TRACE_TICKS_PER_SECOND ? 3 : 1);

	switch (profile->state) {
	case TRACE_COMPLETE:
		if (profile->events_fault)
			return snprintf(text, size,
					"damaged: the figures are sound, but not the events (%s)",
					profile->events_fault);
		break;
	case TRACE_RECORDING:
		return snprintf(text, size, "still recording: figures up to %s s", upto.text);
	case TRACE_CUT:
		if (profile->used_bytes == profile->file_bytes)
			return snprintf(text, size,
					"cut off: figures up to %s s, from all %ju bytes",
					upto.text, (uintmax_t)profile->file_bytes);
		return snprintf(text, size, "cut off: figures up to %s s, from %ju of %ju bytes",
				upto.text, (uintmax_t)profile->used_bytes,
				(uintmax_t)profile->file_bytes);
	case TRACE_DAMAGED:
		return snprintf(text, size,
				"damaged (%s): figures up to %s s, from %ju of %ju bytes",
				profile->fault ? profile->fault : "reason unknown", upto.text,
				(uintmax_t)profile->used_bytes, (uintmax_t)profile->file_bytes);
	}
	return snprintf(text, size, "%s", "");
}

size_t health_nameless(const struct profile *profile, size_t *places, size_t *of)
{
	struct {
		size_t places, nameless;
	} *counts = calloc(profile->module_count, sizeof(*counts));
	size_t worst = 0;

	if (!counts)
		return 0;
	for (size_t i = 1; i < profile->location_count; i++) {
		const struct profile_location *at = &profile->locations[i];

		counts[at->module].places++;
		counts[at->module].nameless +=
		    !at->frame_count || !profile->frames[at->frame].function;
	}
	for (size_t i = 1; i < profile->module_count; i++)
		if (counts[i].nameless * 2 >= counts[i].places &&
		    counts[i].nameless * 4 >= profile->location_count - 1 &&
		    counts[i].nameless > (worst ? counts[worst].nameless : 0))
			worst = i;
	*places = counts[worst].nameless;
	*of = counts[worst].places;
	free(counts);
	return worst;
}
