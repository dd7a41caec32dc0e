/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "analyzer/model/scan.h"
#include "formats/numbers.h"

#define ERASE "\r\033[K"
enum { PATIENCE_MS = 500, INTERVAL_MS = 100, COLUMNS_USUAL = 80, COLUMNS_LEAST = 32 };

static struct progress {
	struct scan_watch watch;
	uint64_t since, drawn; /* milliseconds; 0: nothing is read, nothing is on the screen */
} progress;

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static size_t columns(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
		return COLUMNS_USUAL;
	return size.ws_col < COLUMNS_LEAST ? COLUMNS_LEAST : size.ws_col;
}

static void show(const char *text)
{
	/* what cannot be shown is not missed */
	if (write(STDERR_FILENO, text, strlen(text)) < 0)
		return;
}

/* The end of a name says more than its beginning; a cut character is no character. */
static const char *shortened(const char *name, size_t most)
{
	size_t length = strlen(name);

	if (length <= most)
		return name;
	name += length - most;
	while (((unsigned char)*name & 0xc0) == 0x80)
		name++;
	return name;
}

static void draw(const char *path, uint64_t done, uint64_t total)
{
	static const char text[] = "mallograph: reading ";
	/* what input.h keeps of a pipe has no name of its own */
	const char *name = strncmp(path, "/proc/self/fd/", 14) != 0 ? path : "a pipe";
	size_t room = columns() - sizeof(text) - strlen("  100%");
	unsigned percent = done < total ? (unsigned)((double)done / (double)total * 100) : 100;
	char escaped[4096], line[sizeof(escaped) + 64];

	text_escape(escaped, sizeof(escaped), name, strlen(name));
	snprintf(line, sizeof(line), ERASE "%s%s  %2u%%", text, shortened(escaped, room), percent);
	show(line);
}

static void look(struct scan_watch *watch, const char *path, uint64_t done, uint64_t total)
{
	struct progress *of = (struct progress *)watch;
	uint64_t now = now_ms();

	if (!path) {
		if (of->drawn)
			show(ERASE);
		of->since = of->drawn = 0;
		return;
	}
	if (!of->since)
		of->since = now;
	if (now - of->since < PATIENCE_MS || now - of->drawn < INTERVAL_MS)
		return;
	of->drawn = now;
	draw(path, done, total);
}

void progress_show(void)
{
	const char *terminal = getenv("TERM");

	if (!isatty(STDERR_FILENO) || !terminal || !*terminal || !strcmp(terminal, "dumb"))
		return;
	progress.watch.look = look;
	scan_watch_set(&progress.watch);
}
