/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/record_summary.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/message.h"
#include "formats/numbers.h"

enum { OTHERS_MAX = 10, WARNINGS_MAX = 20, TEXT_BYTES = 4096 };

/* One write to stderr for the whole, so that the program's own last words don't
 * come between. */
struct text {
	char bytes[TEXT_BYTES];
	size_t used;
};

static void __attribute__((format(printf, 2, 3))) add(struct text *text, const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(text->bytes + text->used, sizeof(text->bytes) - text->used, format,
			   arguments);
	va_end(arguments);
	if (length > 0)
		text->used += (size_t)length;
	if (text->used >= sizeof(text->bytes))
		text->used = sizeof(text->bytes) - 1;
}

static void say(const struct text *text)
{
	for (size_t done = 0; done < text->used;) {
		ssize_t n = write(STDERR_FILENO, text->bytes + done, text->used - done);

		if (n <= 0)
			return;
		done += (size_t)n;
	}
}

static const char *plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

static void add_row(struct text *text, const char *label, const char *value)
{
	add(text, "  %-14s%14s", label, value);
}

static const char *signal_name(unsigned number, char *buffer, size_t bytes)
{
	const char *name = sigabbrev_np((int)number);

	if (name != NULL)
		snprintf(buffer, bytes, "SIG%s", name);
	else
		snprintf(buffer, bytes, "signal %u", number);
	return buffer;
}

/* Names come from programs and folders: safe for a terminal ... */
struct safe {
	char text[2048];
};

static struct safe shown(const char *name)
{
	struct safe safe;

	text_escape(safe.text, sizeof(safe.text), name, strlen(name));
	return safe;
}

/* ... and, where the line is there to be pasted, for a shell. */
static struct safe for_shell(const char *name)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "_-./+,=:@%";
	char quoted[2048];
	size_t used = 0;

	if (name[strspn(name, plain)] == '\0' && *name != '\0' && *name != '-')
		return shown(name);
	quoted[used++] = '\'';
	for (; *name != '\0' && used + 8 < sizeof(quoted); name++) {
		if (*name == '\'') {
			memcpy(quoted + used, "'\\''", 4);
			used += 4;
		} else {
			quoted[used++] = *name;
		}
	}
	quoted[used++] = '\'';
	quoted[used] = '\0';
	return shown(quoted);
}

/* Seconds, to the millisecond where hundredths would say little. */
static struct number_text seconds(uint64_t nanoseconds)
{
	uint64_t milliseconds = nanoseconds / 1000000;

	return number_fixed((int64_t)milliseconds, 1000, milliseconds < 1000 ? 3 : 2);
}

/* After an exec the time is that of all programs, otherwise the one that reports show, too. */
static void add_ending(struct text *text, const struct launch *launch, const struct report *r)
{
	uint64_t nanoseconds = r->execed ? launch->nanoseconds : r->nanoseconds;
	char buffer[32];

	if (WIFSIGNALED(launch->status))
		add(text, "killed by %s",
		    signal_name((unsigned)WTERMSIG(launch->status), buffer, sizeof(buffer)));
	else
		add(text, "exit status %d", WEXITSTATUS(launch->status));
	add(text, ", %s s\n", seconds(nanoseconds).text);
}

static void add_lost(struct text *text, const struct report *report)
{
	if (report->lost != 0) {
		add_row(text, "lost", number_plain((int64_t)report->lost).text);
		add(text, "  (events that could not be recorded; mallograph info tells why)\n");
	}
	if ((report->lost_other_reason & 1) != 0)
		add(text, "  %-28s  (everything after the recorder gave no sign of life)\n",
		    "lost");
	if ((report->lost_other_reason & 2) != 0)
		add(text, "  %-28s  (what could not be written to the trace)\n", "lost");
}

/* The same in a line, where the summary does not have it. */
static void say_lost(const struct report *report)
{
	if ((report->lost_other_reason & 1) != 0)
		message("%s: recording was abandoned: the recorder gave no sign of life, the "
			"trace ends there",
			report->path);
	if (report->lost != 0)
		message("%s: %" PRIu64 " events could not be recorded: mallograph info tells why",
			report->path, report->lost);
}

static void add_first(struct text *text, const struct launch *launch, const struct report *r,
		      const char *name)
{
	/* Over the milliseconds that reports of the trace know of: both show one rate. */
	uint64_t milliseconds = r->nanoseconds < 1000000 ? 1 : r->nanoseconds / 1000000;
	uint64_t rate = (uint64_t)((double)r->allocations * 1e3 / (double)milliseconds);
	char buffer[32];

	add(text, "mallograph: %s finished, ", name);
	add_ending(text, launch, r);
	if (r->execed)
		add(text, "  %-22s%s  (after exec; these are the figures of its %s s)\n", "program",
		    shown(r->name).text, seconds(r->nanoseconds).text);
	add_row(text, "allocations", number_plain((int64_t)r->allocations).text);
	add(text, "  (%" PRIu64 "/s, %s requested)\n", rate, number_bytes((int64_t)r->bytes).text);
	add_row(text, "temporary", number_plain((int64_t)r->temporary).text);
	add(text, "  (%s)\n", number_percent((int64_t)r->temporary, (int64_t)r->allocations).text);
	add_row(text, "reallocations", number_plain((int64_t)r->reallocations).text);
	add(text, "\n");
	add_row(text, "peak", number_bytes((int64_t)r->peak_bytes).text);
	add(text, "  at %s s, %" PRIu64 " block%s\n",
	    number_fixed((int64_t)r->peak_tick, 1000, 3).text, r->peak_blocks,
	    plural(r->peak_blocks));
	add_row(text, "leaked", number_plain((int64_t)r->leaked_blocks).text);
	if (r->ending == TRACE_ENDING_EXECED)
		add(text, "  (%s in use at the exec of a program that is not recorded)\n",
		    number_bytes((int64_t)r->leaked_bytes).text);
	else if (WIFSIGNALED(launch->status))
		add(text, "  (%s live when killed by %s)\n",
		    number_bytes((int64_t)r->leaked_bytes).text,
		    signal_name((unsigned)WTERMSIG(launch->status), buffer, sizeof(buffer)));
	else
		add(text, "  (%s in use at exit)\n", number_bytes((int64_t)r->leaked_bytes).text);
	add_lost(text, r);
	if (r->unrecorded > 0) {
		add_row(text, "unrecorded", number_plain((int64_t)r->unrecorded).text);
		add(text, "  (programs started that cannot be recorded)\n");
	}
	if (r->loaded_past > 0) {
		add_row(text, "unrecorded", number_plain((int64_t)r->loaded_past).text);
		add(text, "  (libraries loaded with RTLD_DEEPBIND or dlmopen)\n");
	}
	add(text, "  %-22s%s  (%s)\n", "trace", shown(r->path).text,
	    number_bytes((int64_t)r->trace_bytes).text);
	add(text, "next: %s print %s\n", for_shell(program_invocation_name).text,
	    for_shell(r->path).text);
}

static int by_peak(const void *a, const void *b)
{
	const struct report *x = a, *y = b;

	return x->peak_bytes != y->peak_bytes ? (x->peak_bytes < y->peak_bytes ? 1 : -1)
					      : (x->pid > y->pid) - (x->pid < y->pid);
}

static void add_others(struct text *text, struct report *reports, size_t count)
{
	qsort(reports, count, sizeof(*reports), by_peak);
	for (size_t i = 0; i < count && i < OTHERS_MAX; i++)
		add(text, "also: %s, pid %d: peak %s, %" PRIu64 " allocation%s, %s\n",
		    shown(reports[i].name).text, reports[i].pid,
		    number_bytes((int64_t)reports[i].peak_bytes).text, reports[i].allocations,
		    plural(reports[i].allocations), shown(reports[i].path).text);
	if (count > OTHERS_MAX)
		add(text,
		    "also: %zu more, each in its own trace; --follow-fork=0 leaves children "
		    "out\n",
		    count - OTHERS_MAX);
}

/* A full disk has one to say for each process of a build. */
static void say_warnings(const struct launch *launch)
{
	size_t count = 0;

	for (size_t i = 0; i < launch->report_count; i++)
		if (launch->reports[i].kind == REPORT_WARNING && count++ < WARNINGS_MAX)
			message("%s", launch->reports[i].text);
	if (count > WARNINGS_MAX)
		message("%zu more warnings like these", count - WARNINGS_MAX);
}

void record_summary(struct launch *launch, const char *name, int quiet)
{
	struct text text = {.used = 0};
	size_t others = 0;
	struct report *first = NULL, *traces = calloc(launch->report_count + 1, sizeof(*traces));

	say_warnings(launch);
	for (size_t i = 0; i < launch->report_count; i++) {
		struct report *r = &launch->reports[i];

		if (r->kind != REPORT_WARNING && r->first &&
		    (first == NULL || r->image > first->image))
			first = r;
	}
	for (size_t i = 0; traces != NULL && i < launch->report_count; i++)
		if (launch->reports[i].kind == REPORT_TRACE && &launch->reports[i] != first)
			traces[others++] = launch->reports[i];
	for (size_t i = 0; i < others; i++)
		say_lost(&traces[i]);
	if (quiet && first != NULL)
		say_lost(first);
	if (launch->recorder_died)
		message("the recorder was killed or hangs: the trace holds what was written until "
			"then");
	if (!quiet) {
		if (first != NULL)
			add_first(&text, launch, first, shown(name).text);
		if (others > 0)
			add_others(&text, traces, others);
		if (launch->running > 0)
			add(&text,
			    "%u more process%s still running: %s finished in the background\n",
			    launch->running, launch->running == 1 ? "" : "es",
			    launch->running == 1 ? "its trace is" : "their traces are");
		say(&text);
	}
	free(traces);
}
