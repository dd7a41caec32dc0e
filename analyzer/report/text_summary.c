/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/report/text_parts.h"

#include <inttypes.h>

#include "analyzer/model/health.h"
#include "formats/trace/reader.h"

/* Behind a figure that was printed; base is shown in a diff alone. */
static void end_total(const struct text *text, uint64_t fresh, uint64_t base, int in_bytes)
{
	struct text_sides sides = {
	    .fresh = (int64_t)fresh,
	    .base = (int64_t)base,
	    .in_bytes = in_bytes,
	};

	text_end_line(text, &sides);
}

static void print_runtime(const struct text *text)
{
	uint64_t fresh = text->report->fresh.totals->end_tick;
	uint64_t base = text->report->base.totals->end_tick;
	int64_t ticks = (int64_t)fresh - (int64_t)base;
	unsigned decimals =
	    -TRACE_TICKS_PER_SECOND < ticks && ticks < TRACE_TICKS_PER_SECOND ? 3 : 2;

	fprintf(text->out, "total runtime: %ss.",
		number_fixed(ticks, TRACE_TICKS_PER_SECOND, decimals).text);
	if (text->report->diff)
		fprintf(text->out, " [base %ss, new %ss]",
			number_fixed((int64_t)base, TRACE_TICKS_PER_SECOND, decimals).text,
			number_fixed((int64_t)fresh, TRACE_TICKS_PER_SECOND, decimals).text);
	fputc('\n', text->out);
}

static void print_count(const struct text *text, const char *label, uint64_t fresh, uint64_t base)
{
	const struct report *report = text->report;
	uint64_t rate = report_per_second(fresh, report->fresh.totals->end_tick);
	uint64_t base_rate = report_per_second(base, report->base.totals->end_tick);

	fprintf(text->out, "%s: %s (%" PRId64 "/s)", label,
		report_count_text(report->options, (int64_t)(fresh - base)).text,
		(int64_t)(rate - base_rate));
	end_total(text, fresh, base, 0);
}

static void print_bytes(const struct text *text, const char *label, uint64_t fresh, uint64_t base)
{
	fprintf(text->out, "%s: %s", label,
		report_bytes_text(text->report->options, (int64_t)(fresh - base)).text);
	end_total(text, fresh, base, 1);
}

/* As long as the program runs nobody knows what it will give back. */
static void print_leaked(const struct text *text, uint64_t fresh, uint64_t base)
{
	fprintf(text->out, "total memory leaked: %s%s",
		report_bytes_text(text->report->options, (int64_t)(fresh - base)).text,
		report_is_unfinished(text->report) ? " (in use so far)" : "");
	end_total(text, fresh, base, 1);
}

static void print_rss(const struct text *text, uint64_t fresh, uint64_t base)
{
	const char *label = text->report->profile->kind == PROFILE_HEAPTRACK
				? "peak RSS (including heaptrack overhead)"
				: "peak RSS (including mallograph overhead)";

	if (!fresh || (text->report->diff && !base))
		fprintf(text->out, "%s: unknown\n", label);
	else
		print_bytes(text, label, fresh, base);
}

void text_summary(struct text *text)
{
	const struct report_totals *fresh = &text->report->fresh, *base = &text->report->base;

	print_runtime(text);
	print_count(text, "calls to allocation functions", fresh->totals->allocations,
		    base->totals->allocations);
	print_count(text, "temporary memory allocations", fresh->totals->temporary,
		    base->totals->temporary);
	print_bytes(text, "peak heap memory consumption", fresh->totals->peak_bytes,
		    base->totals->peak_bytes);
	print_rss(text, fresh->totals->peak_rss, base->totals->peak_rss);
	print_leaked(text, fresh->leaked_bytes, base->leaked_bytes);
	if (fresh->suppressed_blocks || base->suppressed_blocks)
		print_bytes(text, "suppressed leaks", fresh->suppressed_bytes,
			    base->suppressed_bytes);
}

void text_suppressions(struct text *text)
{
	const struct suppressions *all =
	    text->report->lens ? text->report->lens->suppressions : NULL;
	int found = 0;

	for (size_t i = 0; all && i < all->count; i++) {
		const struct suppression *rule = &all->rules[i];
		int64_t bytes = (int64_t)(rule->leaked_bytes - rule->base_leaked_bytes);

		if (!rule->matches && !rule->base_matches)
			continue;
		if (!found++)
			fputs("Suppressions used:\n         matches           leaked pattern\n",
			      text->out);
		fprintf(text->out, "%16" PRId64 " %16s ",
			(int64_t)(rule->matches - rule->base_matches),
			report_bytes_text(text->report->options, bytes).text);
		frame_print_text(&text->frames, rule->pattern);
		fputc('\n', text->out);
	}
}

static void print_nameless(struct text *text, const struct profile *profile, const char *side)
{
	size_t places, of, module = health_nameless(profile, &places, &of);

	if (!module)
		return;
	fprintf(text->out, "%sno function names in ", side);
	frame_print_text(&text->frames, profile->modules[module].path);
	fprintf(text->out, " (%zu of %zu places): %s\n", places, of,
		profile->kind == PROFILE_HEAPTRACK
		    ? "heaptrack takes them from debug symbols as it records"
		    : "its debug symbols bring them, or --debuginfod");
}

static void print_side_health(struct text *text, const struct profile *profile, const char *side)
{
	char line[256];

	if (health_state_text(profile, line, sizeof(line)))
		fprintf(text->out, "%strace %s\n", side, line);
	if (profile->lacks & PROFILE_LACKS_BEGINNING)
		fprintf(text->out, "%s%s\n", side,
			profile_lack_text(profile, PROFILE_LACKS_BEGINNING));
	for (const struct health_item *item = health_items; item->label; item++)
		if (health_misleads(profile, item) &&
		    health_item_text(profile, item, line, sizeof(line)))
			fprintf(text->out, "%s%s\n", side, line);
	print_nameless(text, profile, side);
}

void text_health(struct text *text)
{
	const struct profile *profile = text->report->profile;

	if (!text->report->diff) {
		print_side_health(text, profile, "");
		return;
	}
	print_side_health(text, profile->fresh, "new: ");
	print_side_health(text, profile->base, "base: ");
}
