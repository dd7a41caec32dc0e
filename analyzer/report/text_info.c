/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE /* sigabbrev_np */
#include "analyzer/report/text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "analyzer/model/health.h"
#include "analyzer/report/frames.h"
#include "formats/error.h"
#include "formats/numbers.h"

#define LABEL_COLUMNS 16
#define THREADS_SHOWN 5

struct info {
	FILE *out;
	const struct profile *profile;
	struct frame_printer texts;
	int plain_bytes;
};

static struct number_text bytes_text(const struct info *info, uint64_t bytes)
{
	return info->plain_bytes ? number_plain((int64_t)bytes) : number_bytes((int64_t)bytes);
}

static void line(const struct info *info, const char *label, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void line(const struct info *info, const char *label, const char *format, ...)
{
	va_list arguments;

	fprintf(info->out, "%-*s", LABEL_COLUMNS, label);
	va_start(arguments, format);
	vfprintf(info->out, format, arguments);
	va_end(arguments);
	fputc('\n', info->out);
}

static void text_line(struct info *info, const char *label, const char *text)
{
	if (!text || !*text)
		return;
	fprintf(info->out, "%-*s", LABEL_COLUMNS, label);
	frame_print_text(&info->texts, text);
	fputc('\n', info->out);
}

static struct number_text seconds(uint64_t ticks, unsigned decimals)
{
	return number_fixed((int64_t)ticks, TRACE_TICKS_PER_SECOND, decimals);
}

static const char *origin_text(uint64_t origin)
{
	switch (origin) {
	case TRACE_ORIGIN_LAUNCHED:
		return "started by mallograph record";
	case TRACE_ORIGIN_FORKED:
		return "forked from a recorded process";
	case TRACE_ORIGIN_EXECED:
		return "another program ran in this process before (exec)";
	case TRACE_ORIGIN_PRELOADED:
		return "started with the library preloaded";
	case TRACE_ORIGIN_CHILD:
		return "started by a recorded process";
	}
	return "unknown to this version";
}

static void print_start(const struct info *info)
{
	const struct profile *profile = info->profile;
	time_t start = (time_t)(profile->start_nanoseconds / 1000000000);
	struct tm date;
	char text[64];

	if (profile->start_nanoseconds && gmtime_r(&start, &date) &&
	    strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &date))
		line(info, "started", "%s", text);
}

static void print_end(const struct info *info)
{
	const struct profile *profile = info->profile;
	uint64_t status = profile->end[TRACE_END_STATUS];
	uint64_t end = profile->totals.end_tick;
	struct number_text after = seconds(end, end < TRACE_TICKS_PER_SECOND ? 3 : 2);
	const char *name;

	if (profile->state == TRACE_RECORDING) {
		line(info, "ended", "not yet, after %s s", after.text);
		return;
	}
	switch (profile->end[TRACE_END_HOW]) {
	case TRACE_ENDING_EXITED:
		line(info, "ended", "exit status %" PRIu64 ", after %s s", status, after.text);
		return;
	case TRACE_ENDING_SIGNALLED:
		name = status < 65 ? sigabbrev_np((int)status) : NULL;
		line(info, "ended", "killed by signal %" PRIu64 "%s%s%s, after %s s", status,
		     name ? " (SIG" : "", name ? name : "", name ? ")" : "", after.text);
		return;
	case TRACE_ENDING_EXECED:
		line(info, "ended", "another program took the process over (exec), after %s s",
		     after.text);
		return;
	case TRACE_ENDING_ABANDONED:
		line(info, "ended", "recording was abandoned after %s s", after.text);
		return;
	}
	line(info, "ended", "not known; the last event is at %s s", after.text);
}

static void print_process(struct info *info, const char *path)
{
	const struct profile *profile = info->profile;
	char *command = profile_command(profile);

	text_line(info, "trace", strcmp(path, "-") ? path : "standard input");
	text_line(info, "program", profile->program);
	text_line(info, "command", command);
	text_line(info, "directory", profile->folder);
	text_line(info, "host", profile->host);
	if (!(profile->lacks & PROFILE_LACKS_PROCESS)) {
		line(info, "process", "%" PRIu64 ", parent %" PRIu64, profile->pid,
		     profile->parent_pid);
		line(info, "origin", "%s", origin_text(profile->origin));
	}
	text_line(info, "parent trace", profile->parent_trace);
	text_line(info, "recorded by", profile->collector);
	print_start(info);
	print_end(info);
	free(command);
}

static void print_totals(const struct info *info)
{
	const struct profile_totals *totals = &info->profile->totals;
	uint64_t ticks = totals->end_tick ? totals->end_tick : 1;
	uint64_t rate =
	    (uint64_t)((unsigned __int128)totals->allocations * TRACE_TICKS_PER_SECOND / ticks);

	fputc('\n', info->out);
	line(info, "allocations", "%" PRIu64 " (%" PRIu64 "/s)", totals->allocations, rate);
	line(info, "deallocations", "%" PRIu64, totals->deallocations);
	if (!(info->profile->lacks & PROFILE_LACKS_REALLOCATIONS))
		line(info, "reallocations", "%" PRIu64, totals->reallocations);
	line(info, "temporary", "%" PRIu64 " (%s)", totals->temporary,
	     number_percent((int64_t)totals->temporary, (int64_t)totals->allocations).text);
	line(info, "requested", "%s (%s bytes per allocation)",
	     bytes_text(info, totals->bytes).text,
	     number_fixed((int64_t)totals->bytes, totals->allocations, 1).text);
	line(info, "peak", "%s in %" PRIu64 " blocks, at %s s",
	     bytes_text(info, totals->peak_bytes).text, totals->peak_blocks,
	     seconds(totals->peak_tick, 3).text);
	line(info, "peak RSS", "%s",
	     totals->peak_rss ? bytes_text(info, totals->peak_rss).text : "unknown");
	line(info, info->profile->state == TRACE_RECORDING ? "live now" : "leaked",
	     "%s in %" PRIu64 " blocks", bytes_text(info, totals->leaked_bytes).text,
	     totals->leaked_blocks);
}

static int compare_threads(const void *a, const void *b)
{
	const struct profile_thread *const *left = a, *const *right = b;

	if ((*left)->allocations != (*right)->allocations)
		return (*left)->allocations < (*right)->allocations ? 1 : -1;
	return *left < *right ? -1 : *left > *right;
}

static int print_threads(struct info *info)
{
	const struct profile *profile = info->profile;
	size_t count = profile->thread_count - 1;
	const struct profile_thread **order = calloc(count + 1, sizeof(*order));

	if (!order)
		return ERROR_MEMORY;
	for (size_t i = 0; i < count; i++)
		order[i] = &profile->threads[i + 1];
	qsort(order, count, sizeof(*order), compare_threads);
	fputc('\n', info->out);
	line(info, "threads", "%zu", count);
	for (size_t i = 0; i < count && i < THREADS_SHOWN; i++) {
		fprintf(info->out,
			"  %-*" PRIu64 "%" PRIu64 " allocations, %s requested, %" PRIu64
			" temporary%s",
			LABEL_COLUMNS - 2, order[i]->tid, order[i]->allocations,
			bytes_text(info, order[i]->bytes).text, order[i]->temporary,
			*order[i]->name ? "  " : "");
		frame_print_text(&info->texts, order[i]->name);
		fputc('\n', info->out);
	}
	if (count > THREADS_SHOWN)
		fprintf(info->out, "  and %zu more\n", count - THREADS_SHOWN);
	free(order);
	return 0;
}

/* Not those of --no-symbols, nor those whose program runs on. */
static int has_names(const struct profile *profile)
{
	for (size_t i = 0; i < profile->frame_count; i++)
		if (profile->frames[i].function)
			return 1;
	return 0;
}

static void print_nameless(struct info *info)
{
	size_t places, of, module = health_nameless(info->profile, &places, &of);

	if (!module)
		return;
	if (!has_names(info->profile)) {
		line(info, "nameless", "all places: reports look names up in the binaries");
		return;
	}
	fprintf(info->out, "%-*s%zu of %zu places in ", LABEL_COLUMNS, "nameless", places, of);
	frame_print_text(&info->texts, info->profile->modules[module].path);
	fputc('\n', info->out);
}

static int print_contents(struct info *info)
{
	const struct profile *profile = info->profile;
	unsigned char *used = calloc(profile->node_count, 1);
	size_t stacks = 0;

	if (!used)
		return ERROR_MEMORY;
	for (size_t i = 1; i < profile->class_count; i++) {
		stacks += !used[profile->classes[i].node];
		used[profile->classes[i].node] = 1;
	}
	free(used);
	line(info, "modules", "%zu", profile->module_count - 1);
	line(info, "stacks", "%zu, of %zu nodes", stacks, profile->node_count - 1);
	line(info, "classes", "%zu (%s)", profile->class_count - 1,
	     profile->lacks & PROFILE_LACKS_FUNCTIONS ? "stack and size"
						      : "stack, size and function");
	print_nameless(info);
	line(info, "timeline", "%zu points", profile->point_count);
	line(info, "file size", "%s (%s bytes per allocation)",
	     bytes_text(info, profile->file_bytes).text,
	     number_fixed((int64_t)profile->file_bytes, profile->totals.allocations, 2).text);
	return 0;
}

/* Items of one kind below each other; returns how many. */
static unsigned print_items(const struct info *info, const char *label, int missing)
{
	unsigned count = 0;

	for (const struct health_item *item = health_items; item->label; item++) {
		char text[256];

		if ((item->misleading || item->is_tick) != missing ||
		    !health_item_text(info->profile, item, text, sizeof(text)))
			continue;
		line(info, count++ ? "" : label, "%s", text);
		line(info, "", "  %s", item->sentence);
	}
	return count;
}

/* What the kind of file does not hold; returns whether there is anything. */
static int print_lacks(const struct info *info, const char *label)
{
	for (unsigned lack = 1; lack && lack <= info->profile->lacks; lack <<= 1)
		if (profile_lack_text(info->profile, lack)) {
			line(info, label, "%s", profile_lack_text(info->profile, lack));
			label = "";
		}
	return info->profile->lacks != 0;
}

static void print_health(const struct info *info)
{
	char state[256];
	int found = health_state_text(info->profile, state, sizeof(state)) != 0;
	int said;

	fputc('\n', info->out);
	line(info, "state", "%s", found ? state : "complete");
	said = print_items(info, "missing", 1) != 0;
	if (!print_lacks(info, said ? "" : "missing") && !said && !found)
		line(info, "missing", "nothing");
	print_items(info, "note", 0);
}

int text_info(FILE *out, const struct profile *profile, const char *path, int plain_bytes)
{
	struct info info = {.out = out, .profile = profile, .plain_bytes = plain_bytes};
	int error;

	frame_printer_init(&info.texts, out, profile, 0);
	print_process(&info, path);
	print_totals(&info);
	error = profile->lacks & PROFILE_LACKS_THREADS ? 0 : print_threads(&info);
	if (!error)
		error = print_contents(&info);
	if (!error)
		print_health(&info);
	if (!error && info.texts.failed)
		error = ERROR_MEMORY;
	frame_printer_release(&info.texts);
	return error;
}
