/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/report/text_parts.h"

#include <inttypes.h>

#include "formats/trace/reader.h"

static struct number_text seconds(uint64_t ticks)
{
	return number_fixed((int64_t)ticks, TRACE_TICKS_PER_SECOND, 3);
}

static struct number_text average_seconds(const struct details *details)
{
	/* lifetime_count ticks of a second fit: both are counts of things in one trace */
	return number_fixed((int64_t)details->lifetime_sum,
			    details->lifetime_count * TRACE_TICKS_PER_SECOND, 3);
}

static void print_lifetime(const struct text *text, const struct details *details)
{
	if (!details->lifetime_count)
		return;
	fprintf(text->out,
		"  lifetime %s s on average, %s to %s s, of %" PRIu64 " blocks given back\n",
		average_seconds(details).text, seconds(details->lifetime_least).text,
		seconds(details->lifetime_most).text, details->lifetime_count);
}

static void print_threads(struct text *text, const struct profile *profile,
			  const struct details *details)
{
	const struct profile_thread *thread;

	if (!details->threads || details->thread >= profile->thread_count)
		return;
	thread = &profile->threads[details->thread];
	fprintf(text->out, ", by %" PRIu32 " thread%s, most by ", details->threads,
		details->threads == 1 ? "" : "s");
	frame_print_text(&text->frames, *thread->name ? thread->name : "thread");
	fprintf(text->out, " (%" PRIu64 "): %" PRIu64, thread->tid, details->thread_allocations);
}

static void print_side(struct text *text, const char *side, const struct profile *profile,
		       const struct details *details, const struct cost *cost)
{
	const struct report_options average = {
	    .plain_bytes = text->report->options->plain_bytes,
	    .per = cost->allocations,
	};

	if (!cost->allocations)
		return;
	fprintf(text->out, "  %sown peak %s at %s s, average size %s\n", side,
		report_bytes_text(text->report->options, (int64_t)details->own_peak_bytes).text,
		seconds(details->own_peak_tick).text,
		report_bytes_text(&average, (int64_t)cost->bytes).text);
	fprintf(text->out, "  first at %s s, last at %s s", seconds(details->first_tick).text,
		seconds(details->last_tick).text);
	print_threads(text, profile, details);
	fputc('\n', text->out);
	print_lifetime(text, details);
}

void text_details(struct text *text, uint32_t entry, const struct cost *cost,
		  const struct cost *base)
{
	const struct report *report = text->report;

	if (!report->details)
		return;
	if (!report->diff) {
		print_side(text, "", report->profile, &report->details[entry], cost);
		return;
	}
	print_side(text, "new: ", report->profile->fresh, &report->details[entry], cost);
	print_side(text, "base: ", report->profile->base, &report->base_details[entry], base);
}
