/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libcollect/recorder/report.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { LAST_WAIT_MS = 2000 };

struct report_entry {
	struct report_entry *next;
	struct report report;
};

void reports_start(struct reports *reports, int fd)
{
	*reports = (struct reports){.fd = fd};
	reports->last = &reports->first;
}

static void drop_first(struct reports *reports)
{
	struct report_entry *entry = reports->first;

	reports->first = entry->next;
	if (reports->first == NULL)
		reports->last = &reports->first;
	free(entry);
}

enum sent { SENT, LATER };

static enum sent send_one(struct reports *reports, const struct report *report)
{
	while (reports->fd >= 0) {
		if (send(reports->fd, report, sizeof(*report), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
			return SENT;
		if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS)
			return LATER;
		if (errno != EINTR)
			reports->fd = -1; /* nobody there any more */
	}
	return SENT;
}

static int wait_for_room(const struct reports *reports)
{
	struct pollfd wait = {.fd = reports->fd, .events = POLLOUT};

	return poll(&wait, 1, LAST_WAIT_MS) > 0;
}

void reports_flush(struct reports *reports, int at_the_end)
{
	while (reports->first != NULL) {
		if (send_one(reports, &reports->first->report) == SENT)
			drop_first(reports);
		else if (!at_the_end || !wait_for_room(reports))
			break;
	}
	while (at_the_end && reports->first != NULL)
		drop_first(reports);
}

/* Memory is needed only for what the launcher is too slow for: it waits for some of these, and
 * a recorder that has no memory must not leave it waiting. */
void reports_send(struct reports *reports, const struct report *report)
{
	struct report_entry *entry;

	reports_flush(reports, 0);
	if (reports->first == NULL && send_one(reports, report) == SENT)
		return;
	entry = malloc(sizeof(*entry));
	if (entry == NULL) {
		while (reports->first == NULL && send_one(reports, report) == LATER &&
		       wait_for_room(reports))
			;
		return;
	}
	entry->next = NULL;
	entry->report = *report;
	*reports->last = entry;
	reports->last = &entry->next;
}

void reports_say(struct reports *reports, enum report_kind kind, int first, const char *format, ...)
{
	struct report report = {.kind = kind, .first = first != 0};
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(report.text, sizeof(report.text), format, arguments);
	va_end(arguments);
	reports_send(reports, &report);
}

void report_copy(char *to, size_t size, const char *from)
{
	size_t length = from != NULL ? strnlen(from, size - 1) : 0;

	memcpy(to, from != NULL ? from : "", length);
	to[length] = '\0';
}
