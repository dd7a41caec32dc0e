/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/report/text.h"

#include <inttypes.h>
#include <stdlib.h>

#include "analyzer/report/histogram.h"
#include "analyzer/report/text_parts.h"
#include "formats/error.h"

static void print_reading(struct frame_printer *printer, const char *what, const char *path)
{
	fprintf(printer->out, "reading %s \"", what);
	frame_print_text(printer, path);
	fputs("\" - please wait, this might take some time...\n", printer->out);
}

void text_report_head(FILE *out, const struct profile *profile, const char *path,
		      const char *base_path)
{
	struct frame_printer printer;
	char *command = profile_command(profile);

	frame_printer_init(&printer, out, profile, 0);
	print_reading(&printer, "file", path);
	if (base_path)
		print_reading(&printer, "diff file", base_path);
	fputs("Debuggee command was: ", out);
	frame_print_text(&printer, command ? command : "");
	fputs("\nfinished reading file, now analyzing data:\n\n", out);
	free(command);
	frame_printer_release(&printer);
}

/* How much of the whole is in view, in allocations and in bytes requested. */
static void print_share(struct text *text, const char *side, const struct profile *part)
{
	const struct report_options *options = text->report->options;
	const struct profile_totals *whole = &part->whole->totals, *totals = &part->totals;

	fprintf(text->out, "%s%s of %s allocations (%s), %s of %s requested (%s)\n", side,
		report_count_text(options, (int64_t)totals->allocations).text,
		report_count_text(options, (int64_t)whole->allocations).text,
		number_percent((int64_t)totals->allocations, (int64_t)whole->allocations).text,
		report_bytes_text(options, (int64_t)totals->bytes).text,
		report_bytes_text(options, (int64_t)whole->bytes).text,
		number_percent((int64_t)totals->bytes, (int64_t)whole->bytes).text);
}

/* What the figures are of, where that is not everything as it is. */
static int print_conditions(struct text *text)
{
	const struct report *report = text->report;
	const struct report_options *options = report->options;
	int filtered = options->filter && !filter_is_empty(options->filter);

	if (filtered) {
		char *conditions = report_conditions(options->filter);

		if (!conditions)
			return ERROR_MEMORY;
		fputs("selected: ", text->out);
		frame_print_text(&text->frames, conditions);
		fputc('\n', text->out);
		free(conditions);
		if (report->diff) {
			print_share(text, "  new: ", report->profile->fresh);
			print_share(text, "  base: ", report->profile->base);
		} else {
			print_share(text, "  ", report->profile);
		}
		if (options->filter->instant != FILTER_END)
			fputs("  leaked: what was alive then\n", text->out);
	}
	if (options->per > 1)
		fprintf(text->out, "counts and bytes are divided by %" PRIu64 " (--per)\n",
			options->per);
	if (filtered || options->per > 1)
		fputc('\n', text->out);
	return 0;
}

static void print_leak_hint(const struct text *text)
{
	const struct report *report = text->report;
	int64_t leaked = (int64_t)(report->fresh.leaked_blocks - report->base.leaked_blocks);
	int single;

	if (!(report->options->sections & REPORT_SUMMARY) ||
	    report->options->sections & REPORT_LEAKS || !leaked)
		return;
	single = report->options->per <= 1 && (leaked == 1 || leaked == -1);
	fprintf(text->out, "%s %sblock%s %s; --only leaks lists %s\n",
		report_count_text(report->options, leaked < 0 ? -leaked : leaked).text,
		!report->diff ? ""
		: leaked < 0  ? "fewer "
			      : "more ",
		single ? "" : "s", report_is_unfinished(report) ? "in use so far" : "leaked",
		single ? "it" : "them");
}

int text_report(FILE *out, struct report *report)
{
	struct text text = {.out = out, .report = report};
	unsigned sections = report->options->sections;
	int error;

	frame_printer_init(&text.frames, out, report->profile, report->options->shorten);
	error = print_conditions(&text);
	for (size_t i = 0; i < REPORT_KINDS && !error; i++)
		if (sections & report_kinds[i].section)
			error = text_section(&text, &report_kinds[i]);
	for (size_t i = 0; i < REPORT_TREES && !error; i++)
		if (report->trees[i].wanted)
			error = text_tree(&text, &report->trees[i]);
	if (!error && sections & REPORT_TIMELINE)
		error = timeline_report(out, report->profile, report->options->timeline);
	if (!error && sections & REPORT_HISTOGRAM) {
		fputs("ALLOCATION SIZES\n", out);
		error = histogram_write(out, report->profile);
		fputc('\n', out);
	}
	if (!error && sections & REPORT_SUMMARY)
		text_summary(&text);
	if (!error && report->options->suppressions)
		text_suppressions(&text);
	if (!error) {
		text_health(&text);
		print_leak_hint(&text);
	}
	if (text.frames.failed)
		error = ERROR_MEMORY;
	frame_printer_release(&text.frames);
	return error;
}
