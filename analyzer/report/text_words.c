/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/report/text_parts.h"

static void print_share(const struct text *text, const struct cost *cost, const struct cost *base)
{
	int64_t temporary = report_figure(text->report, cost, base, COST_TEMPORARY);
	int64_t all = report_figure(text->report, cost, base, COST_ALLOCATIONS);

	/* of two differences: -10 of -20 are 50 % */
	fputs(number_percent(all < 0 ? -temporary : temporary, all).text, text->out);
}

static void print_figure(const struct text *text, const struct cost *cost, const struct cost *base,
			 enum cost_kind kind)
{
	int64_t figure = report_figure(text->report, cost, base, kind);
	const struct report_options *options = text->report->options;

	fputs(report_in_bytes(kind) ? report_bytes_text(options, figure).text
				    : report_count_text(options, figure).text,
	      text->out);
}

static struct number_text side_text(const struct text *text, const struct text_sides *sides,
				    int64_t value)
{
	return sides->in_bytes ? report_bytes_text(text->report->options, value)
			       : report_count_text(text->report->options, value);
}

void text_end_line(const struct text *text, const struct text_sides *sides)
{
	int64_t difference = sides->fresh - sides->base;

	if (text->report->diff) {
		fprintf(text->out, " [base %s, new %s", side_text(text, sides, sides->base).text,
			side_text(text, sides, sides->fresh).text);
		if (sides->only_fresh || sides->only_base)
			fprintf(text->out, ", only in %s", sides->only_fresh ? "new" : "base");
		else if (sides->base)
			fprintf(text->out, ", %s%s", difference > 0 ? "+" : "",
				number_percent(difference, sides->base).text);
		fprintf(text->out, "%s%s]", sides->note ? ", " : "",
			sides->note ? sides->note : "");
	}
	fputc('\n', text->out);
}

static void print_words(const struct text *text, const char *words, const struct cost *cost,
			const struct cost *base)
{
	for (; *words; words++) {
		if (*words != '%') {
			fputc(*words, text->out);
			continue;
		}
		switch (*++words) {
		case 'a':
			print_figure(text, cost, base, COST_ALLOCATIONS);
			break;
		case 't':
			print_figure(text, cost, base, COST_TEMPORARY);
			break;
		case 'r':
			print_share(text, cost, base);
			break;
		case 'p':
			print_figure(text, cost, base, COST_PEAK);
			break;
		case 'l':
			print_figure(text, cost, base, COST_LEAKED);
			break;
		}
	}
}

void text_words(const struct text *text, const char *words, const struct cost *cost,
		const struct cost *base, enum cost_kind kind, const char *note)
{
	struct text_sides sides = {
	    .fresh = (int64_t)cost_of(cost, kind),
	    .base = (int64_t)cost_of(base, kind),
	    .in_bytes = report_in_bytes(kind),
	    .only_fresh = !base->allocations,
	    .only_base = !cost->allocations,
	    .note = note,
	};

	print_words(text, words, cost, base);
	text_end_line(text, &sides);
}
